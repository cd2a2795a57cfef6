"""How often commits were refused, because somebody else was quicker."""

from collections.abc import Iterator
from typing import Any

from partita.reports.fragments import fragment
from partita.reports.section import Part
from partita.reports.stored import StoredRun


class Contention:
    """How often commits were refused, because somebody else was quicker."""

    title = "Contention"
    order = 66

    def applies(self, run: StoredRun) -> bool:
        return bool(_figures(run))

    def draw(self, run: StoredRun) -> Iterator[Part]:
        yield fragment("contention.html", **_figures(run))


def _figures(run: StoredRun) -> dict[str, Any]:
    return run.results.get("contention") or {}
