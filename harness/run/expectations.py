"""What is asked of a run's checks: what the system promises, or what `--expect` says."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from partita.checker.checks import Check
from partita.checker.plugins import PluginError, in_a_line
from partita.harness.systems import HasPromises, System
from partita.workloads.workload import Workload


def promised(system: System, workload: Workload) -> dict[str, str | None]:
    """Return the level that the system promises, for each check that it says something about.

    Raises `PluginError` for a promise that no check can hold it to.
    """
    if not isinstance(system, HasPromises):
        return {}
    try:
        said: Any = system.promises(workload.capability)
    except Exception as error:  # it is anybody's
        raise PluginError(f"promises() of {system.name} failed: {in_a_line(error)}") from error
    if not isinstance(said, Mapping):
        raise PluginError(f"promises() of {system.name} must map checks to levels, not {said!r}")
    for check in workload.checks:
        level = said.get(check.name)
        if level is not None and level not in check.levels:
            raise PluginError(
                f"{system.name} promises {level!r} for {check.name}, "
                f"whose levels are {', '.join(check.levels)}"
            )
    return {check.name: said[check.name] for check in workload.checks if check.name in said}


def expected(texts: Sequence[str], checks: Iterable[Check], judged: str) -> dict[str, str]:
    """Read `--expect CHECK=LEVEL`, or `LEVEL` alone: that of every check that has it.

    `judged` is what these checks judge. Raises `click.UsageError` for a check that is none of
    them, or a level that the check does not have.
    """
    levels = {check.name: check.levels for check in checks}
    found: dict[str, str] = {}
    for text in texts:
        name, equals, level = text.rpartition("=")
        if equals and name not in levels:
            known = ", ".join(levels)
            raise click.UsageError(
                f"--expect {text}: {judged} is not judged by {name!r}, but by {known}"
            )
        chosen = [name] if equals else [each for each in levels if level in levels[each]]
        if not chosen or level not in levels[chosen[0]]:
            known = "; ".join(f"{each}={'|'.join(levels[each])}" for each in levels)
            raise click.UsageError(f"--expect {text}: there is no such level: choose from {known}")
        for each in chosen:
            if found.get(each, level) != level:
                raise click.UsageError(f"--expect says two things of {each}: which is meant?")
            found[each] = level
    return found
