"""Says and draws what a run came to. Everything here is a function of the stored run alone."""

from reports.comparison import Comparison
from reports.stored import RunError, StoredRun, read_run
from reports.summary import summarise
from reports.writing import FORMATS, compared, write_all, write_violation

__all__ = [
    "FORMATS",
    "Comparison",
    "RunError",
    "StoredRun",
    "compared",
    "read_run",
    "summarise",
    "write_all",
    "write_violation",
]
