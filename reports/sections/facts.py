"""What was run, and how to run it again."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from partita.reports.facts import facts_of
from partita.reports.fragments import fragment
from partita.reports.section import Part
from partita.reports.stored import StoredRun


class Facts:
    """What was run, and how to run it again."""

    title = "What was run"
    order = 20

    def applies(self, run: StoredRun) -> bool:
        return True

    def draw(self, run: StoredRun) -> Iterator[Part]:
        repeat = repetition(run.spec, run.directory)
        yield fragment("facts.html", facts=facts_of(run.spec), repeat=repeat)


def repetition(spec: Mapping[str, Any], directory: Path) -> str:
    """The command that was given, with the seed that it drew if it named none.

    If that made several runs, the one that repeats this one.
    """
    command, seed = str(spec.get("command") or ""), spec.get("seed")
    if not command:
        return ""
    if not command.startswith("partita test ") or "--test-count" in command:
        run = "/".join(directory.resolve().parts[-3:])
        return f"partita test --repeat {shlex.quote(run)}"
    if seed is None or "--seed" in command:
        return command
    return f"{command} --seed {seed}"
