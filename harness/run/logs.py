"""Fetches the nodes' logs, and looks through them, for the check `logs`.

Each system knows what its log says when its process panics (`HasAlarms`). What is found goes into
the history, so that whoever checks the run again needs no log.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

from partita.checker.logs import ALARM, ENDED, PROCESS, SCANNED
from partita.harness.nodes.cluster import Node, on_all
from partita.harness.run.journal import Journal
from partita.harness.systems.system import HasAlarms, System
from partita.nemesis.schedule import Step

log = logging.getLogger(__name__)

ALARMS_MAX = 20  # of one log: what comes after the first is seldom news
LINE_MAX = 1000  # bytes that are kept of a line
WIDE_MAX = 100_000  # bytes of a line that are looked at


@dataclass(frozen=True, slots=True)
class Alarms:
    """What must not stand in a log: by the system's word, and by the user's."""

    system: tuple[re.Pattern[str], ...] = ()
    asked: tuple[re.Pattern[str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.system or self.asked)


def alarms_of(system: System, asked: Sequence[str]) -> Alarms:
    """Return what to look for. Raises `click.UsageError`.

    What is no regular expression, or finds nothing in particular, is refused.
    """
    own = system.alarms if isinstance(system, HasAlarms) else ()
    return Alarms(
        tuple(_compiled(text, f"alarms of {system.name}:") for text in own),
        tuple(_compiled(text, "--fail-on-log") for text in asked),
    )


def collect(
    nodes: Sequence[Node], logs: Callable[[Node], Sequence[str]], directory: Path
) -> dict[str, list[Path]]:
    """Fetch each node's logs and return where they lie, by node.

    What cannot be fetched is said in controller.log and left.
    """
    found: dict[str, list[Path]] = {node.name: [] for node in nodes}

    def fetch(node: Node) -> None:
        for path in logs(node):
            target = directory / "nodes" / node.name / Path(path).name
            try:
                node.remote.download(path, target)
                found[node.name].append(target)
            except Exception as error:
                log.warning("no log: %s", error)

    with suppress(Exception):
        on_all(nodes, fetch)
    return found


def scan(
    alarms: Alarms,
    steps: Sequence[Step],
    logs: Mapping[str, Sequence[Path]],
    ended: Mapping[str, str],
    journal: Journal,
) -> None:
    """Look through the logs, by node, and journal what is found.

    `ended` are the nodes whose process was gone in the end, with its last words. Raises
    `JournalError`.
    """
    excused = sorted({step.action for step in steps if step.begins and step.fault().traits.spoils})
    if not alarms and not ended:
        return
    for node, paths in logs.items():
        for path in paths:
            lines = 0
            for number, text, asked in _alarming(path, alarms):
                lines = number
                if text is not None:
                    said = {"node": node, "file": path.name, "line": number, "text": text}
                    journal.note("info", PROCESS, ALARM, {**said, "asked": asked})
            about = {"node": node, "file": path.name, "lines": lines, "excused": excused}
            journal.note("info", PROCESS, SCANNED, about)
    for node, words in ended.items():
        about = {"node": node, "file": "", "lines": 0, "excused": excused}
        journal.note("info", PROCESS, SCANNED, about)
        journal.note("info", PROCESS, ENDED, {"node": node, "last": _last_line(words)})


def _alarming(path: Path, alarms: Alarms) -> Iterator[tuple[int, str | None, bool]]:
    """Yield the number of each line, with its text if it is an alarm, and whether asked for."""
    found = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            line = raw[:WIDE_MAX].decode(errors="replace").rstrip()
            asked = any(pattern.search(line) for pattern in alarms.asked)
            alarming = asked or any(pattern.search(line) for pattern in alarms.system)
            found += alarming
            yield number, line[:LINE_MAX] if alarming and found <= ALARMS_MAX else None, asked


def _compiled(text: str, whose: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text)
    except re.error as error:
        said = f"{whose} {text!r} is no regular expression: {error}"
        raise click.UsageError(said) from error
    if pattern.search(""):
        raise click.UsageError(
            f"{whose} {text!r} fits a line with nothing in it: write what must stand in the line"
        )
    return pattern


def _last_line(words: str) -> str:
    return next((line for line in reversed(words.splitlines()) if line.strip()), "")
