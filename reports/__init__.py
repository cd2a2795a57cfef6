"""Says and draws what a run came to. Everything here is a function of the stored run alone."""

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
