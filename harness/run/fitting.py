"""What a workload lacks, said before a run: afterwards it would cost the run.

Workloads and checks come from anywhere. Each is looked at as it is made; whatever is wrong is one
line that says what to do.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from partita.checker import History
from partita.checker.checks import Check, Judgement
from partita.checker.plugins import PluginError, in_a_line, is_plain
from partita.workloads.workload import Operation, Workload

_OF_WORKLOADS = ("name", "capability", "operations", "checks", "draw", "prepare", "invoke", "final")
_OF_CHECKS = ("name", "levels", "default", "judge")


def refuse_unfit(name: str, workload: Any) -> None:
    """Raise `PluginError` with the first thing that is wrong with a workload, if anything is."""
    for complaint in _complaints(workload):
        raise PluginError(f"workload {name} {complaint}")


def judgement_of(check: Check, history: History) -> Judgement:
    """Let a check judge all its levels.

    Raises whatever it raises, and `TypeError` for an answer that is none.
    """
    found: Any = check.judge(history, check.levels)
    if not isinstance(found, Judgement):
        raise TypeError(f"judge() returned no Judgement but {found!r}")
    for level, answer in found.levels.items():
        if level not in check.levels:
            raise TypeError(f"judge() answers for {level!r}, which is none of the check's levels")
        if answer is not True and answer is not False and answer != "unknown":
            raise TypeError(f'judge() answers True, False or "unknown", and not {answer!r}')
    return found


def _complaints(workload: Workload) -> Iterator[str]:
    if lacking := _lacking(workload, _OF_WORKLOADS):
        yield f"has no {lacking}"
    if not is_plain(workload.name):
        yield f"is called {workload.name!r}: use letters, digits and dashes"
    operations: Any = workload.operations
    if not isinstance(operations, Mapping) or not operations:
        yield "must say its operations: a mapping of each f to an Operation"
    if wrong := [f for f, each in operations.items() if not isinstance(each, Operation)]:
        yield f"says nothing of its operation {wrong[0]!r}: that is an Operation(…)"
    checks: Any = workload.checks
    if not isinstance(checks, Sequence) or isinstance(checks, str) or not checks:
        yield "must be judged: checks is a sequence of at least one check"
    for check in checks:
        yield from (f"has a check {complaint}" for complaint in _complaints_of_check(check))
    names = [check.name for check in checks]
    if twice := next((each for each in names if names.count(each) > 1), None):
        yield f"has two checks that are called {twice}"


def _complaints_of_check(check: Any) -> Iterator[str]:
    if lacking := _lacking(check, _OF_CHECKS):
        yield f"that has no {lacking}: {check!r}"
    if not is_plain(check.name):
        yield f"that is called {check.name!r}: use letters, digits and dashes"
    if not isinstance(check.levels, tuple | list) or not check.levels:
        yield f"{check.name} without levels: a tuple of names, the strongest first"
    if check.default is not None and check.default not in check.levels:
        known = ", ".join(check.levels)
        yield f"{check.name} whose default {check.default!r} is none of its levels: {known}"
    # An empty history is one too: a run that was interrupted at once has it.
    try:
        judgement_of(check, History.of_events([]))
    except (Exception, SystemExit) as error:
        yield f"{check.name} that fails on an empty history: {in_a_line(error)}"


def _lacking(thing: Any, needed: Sequence[str]) -> str:
    return " and no ".join(each for each in needed if not hasattr(thing, each))
