"""What does not hold though nobody asked for it: the operations that show it."""

import re
from collections.abc import Iterator

from partita.reports.figures.checks import Refutation, checks_of, within
from partita.reports.section import Part
from partita.reports.stored import StoredRun
from partita.reports.violations.violation import REAL_TIME, violation


class Weaker:
    """What does not hold though nobody asked for it: the operations that show it."""

    title = "What does not hold, and was not asked for"
    order = 12

    def applies(self, run: StoredRun) -> bool:
        return bool(_found(run))

    def draw(self, run: StoredRun) -> Iterator[Part]:
        for level, refutation in _found(run).items():
            yield f"These operations show that it is not {level}."
            name = "not-" + re.sub("[^a-z0-9]+", "-", level.lower()).strip("-")
            rows = within(run, refutation.rows)
            yield from violation(run.history, rows, name=name, ordered=level in REAL_TIME)


def _found(run: StoredRun) -> dict[str, Refutation]:
    """Each such level that operations refute, once: two checks may know the same level.

    Where something that was expected does not hold either, that alone is worth a look.
    """
    checks = checks_of(run.results)
    if any(check.failed for check in checks):
        return {}
    found: dict[str, Refutation] = {}
    for check in checks:
        for level in [] if check.tells_anomalies else check.unasked:
            refutation = check.refuted.get(level)
            if refutation and within(run, refutation.rows):
                found.setdefault(level, refutation)
    return found
