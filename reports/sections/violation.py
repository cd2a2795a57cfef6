"""Why a run is invalid: the operations that contradict what was expected."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from partita.checker.verdict import Beginning
from partita.reports.figures.checks import CheckResult, checks_of, contradicting_rows, within
from partita.reports.section import Part
from partita.reports.sentences import stopped
from partita.reports.stored import StoredRun
from partita.reports.violations.beginning import ending
from partita.reports.violations.violation import REAL_TIME, violation

TO_TIMELINE = Markup(
    '<p class="live-only"><button type="button" id="to-contradiction">'
    "Show them in the timeline of all operations</button></p>"
)


@dataclass(frozen=True, slots=True)
class _Failure:
    """The operations that refute what a check expected; `said` introduces a further one."""

    name: str
    rows: Sequence[int]
    ordered: bool
    said: str | None = None
    beginning: Beginning | None = None


class Violation:
    """Why a run is invalid: the operations that contradict what was expected."""

    title = "Why it is invalid"
    order = 10

    def applies(self, run: StoredRun) -> bool:
        return run.results.get("valid") is False and bool(_failures(run))

    def draw(self, run: StoredRun) -> Iterator[Part]:
        for number, each in enumerate(_failures(run)):
            if each.said:
                yield each.said
            yield from violation(run.history, each.rows, name=each.name, ordered=each.ordered)
            if each.beginning and each.ordered:
                yield from ending(run.history, each.beginning)
            if number == 0:
                yield TO_TIMELINE


def _failures(run: StoredRun) -> list[_Failure]:
    """What failed and names its operations: of an older run, what its only check found."""
    checks = checks_of(run.results)
    failed = [check for check in checks if check.failed and not check.tells_anomalies]
    if not any(check.failed for check in checks):
        rows = contradicting_rows(run)
        return [_Failure("violation", rows, ordered=True)] if rows else []
    found = [failure for check in failed if (failure := _failure(run, check))]
    # The first is what the verdict speaks of.
    return [replace(found[0], name="violation", said=None), *found[1:]] if found else []


def _failure(run: StoredRun, check: CheckResult) -> _Failure | None:
    refutation = check.refuted.get(str(check.expected))
    rows = within(run, refutation.rows) if refutation else []
    if refutation is None or not rows:
        return None
    why = f": {refutation.explanation}" if refutation.explanation else ""
    name = "violation-" + re.sub("[^a-z0-9]+", "-", check.name.lower()).strip("-")
    said = stopped(f"The check {check.name} found, too: not {check.expected}{why}")
    ordered = check.expected in REAL_TIME
    return _Failure(name, rows, ordered, said, refutation.beginning)
