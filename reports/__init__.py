"""Says and draws what a run came to. Everything here is a function of the stored run alone.

What draws takes a second to import. So each of these names is imported when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from partita.reports.comparison import Comparison
    from partita.reports.figures.summary import summarise
    from partita.reports.gallery import is_alive, leads_outside, rows_of
    from partita.reports.interactive import plotly_source
    from partita.reports.live import added
    from partita.reports.page import live_page, message_page, runs_page
    from partita.reports.section import Part, Picture, Section
    from partita.reports.sentences import FATES, brief_checks, check_sentences, fates
    from partita.reports.stored import RunError, StoredRun, read_results, read_run, read_spec
    from partita.reports.writing import FORMATS, compared, page_of, write_all, write_violation

__all__ = [
    "FATES",
    "FORMATS",
    "Comparison",
    "Part",
    "Picture",
    "RunError",
    "Section",
    "StoredRun",
    "added",
    "brief_checks",
    "check_sentences",
    "compared",
    "fates",
    "is_alive",
    "leads_outside",
    "live_page",
    "message_page",
    "page_of",
    "plotly_source",
    "read_results",
    "read_run",
    "read_spec",
    "rows_of",
    "runs_page",
    "summarise",
    "write_all",
    "write_violation",
]

_HOMES = {
    "Comparison": "comparison",
    "summarise": "figures.summary",
    "is_alive": "gallery",
    "leads_outside": "gallery",
    "rows_of": "gallery",
    "plotly_source": "interactive",
    "added": "live",
    "live_page": "page",
    "message_page": "page",
    "runs_page": "page",
    "Part": "section",
    "Picture": "section",
    "Section": "section",
    "FATES": "sentences",
    "brief_checks": "sentences",
    "check_sentences": "sentences",
    "fates": "sentences",
    "RunError": "stored",
    "StoredRun": "stored",
    "read_results": "stored",
    "read_run": "stored",
    "read_spec": "stored",
    "FORMATS": "writing",
    "compared": "writing",
    "page_of": "writing",
    "write_all": "writing",
    "write_violation": "writing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
