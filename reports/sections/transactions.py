"""Which isolation transactions had: the models, and the anomalies with a picture of each."""

from collections.abc import Iterator, Mapping
from typing import Any

from partita.reports.figures.checks import checks_of
from partita.reports.section import Part
from partita.reports.stored import StoredRun
from partita.reports.violations.isolation import isolation


class Isolation:
    """Which isolation transactions had: the models, and the anomalies with a picture of each."""

    title = "Isolation of the transactions"
    order = 11

    def applies(self, run: StoredRun) -> bool:
        return _figures(run) is not None

    def draw(self, run: StoredRun) -> Iterator[Part]:
        figures = _figures(run)
        if figures is not None:
            yield from isolation(run.history, figures)


def _figures(run: StoredRun) -> Mapping[str, Any] | None:
    """What the check found that tells anomalies, None if there is none or it found out nothing."""
    found = (each.figures for each in checks_of(run.results) if each.tells_anomalies)
    return next((each for each in found if each.get("decided_by") or each["anomalies"]), None)
