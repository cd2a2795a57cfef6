"""The checks that judge every run, whatever its workload: of what is left when it is over.

They can only make a run worse. One that says nothing, because nobody could be asked, is not shown.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from partita.checker import History
from partita.checker.checks import Check
from partita.checker.logs import Logs
from partita.checker.replicas import Replicas
from partita.harness.run.judging import Row, judged
from partita.workloads.workload import Workload

OF_ANY_RUN: tuple[Check, ...] = (Replicas(), Logs())


def checks_of(workload: Workload) -> Sequence[Check]:
    """Return all checks of a run of a workload, its own first."""
    return [*workload.checks, *further(workload)]


def further(workload: Workload) -> Sequence[Check]:
    """Return the checks of any run that a workload does not bring itself."""
    own = [check.name for check in workload.checks]
    return [check for check in OF_ANY_RUN if check.name not in own]


def judged_after(
    history: History, checks: Sequence[Check], run: Mapping[str, Any]
) -> dict[str, Row]:
    """Let checks of any run judge; return what stands in results.json, of those that apply."""
    rows = judged(history, checks, run)
    return {name: row for name, row in rows.items() if row["applies"] or row["valid"] is not None}


def worse(decisive: Row, after: Mapping[str, Row]) -> Row:
    """Return the row that decides, where checks of any run may have found what is worse."""
    if decisive["valid"] is False:
        return decisive
    broken = [row for row in after.values() if row["valid"] is False]
    unknown = [row for row in after.values() if row["valid"] == "unknown"]
    return next(iter(broken or (unknown if decisive["valid"] is True else [])), decisive)
