"""The bottom of Partita: operations, histories, and the search for violations.

Imports none of the other packages and does no I/O but reading and writing histories.
"""

from checker.history import NEVER, OUTCOMES, Event, History, HistoryError, Op, Outcome
from checker.verdict import Counterexample, Finding, Limits, Validity, Verdict

__all__ = [
    "NEVER",
    "OUTCOMES",
    "Counterexample",
    "Event",
    "Finding",
    "History",
    "HistoryError",
    "Limits",
    "Op",
    "Outcome",
    "Validity",
    "Verdict",
]
