"""The bottom of Partita: operations, histories, and the search for violations.

Imports none of the other packages and does no I/O but reading and writing histories.
"""

from checker.history import NEVER, OUTCOMES, Event, History, HistoryError, Op, Outcome
from checker.verdict import Counterexample, Validity, Verdict

__all__ = [
    "NEVER",
    "OUTCOMES",
    "Counterexample",
    "Event",
    "History",
    "HistoryError",
    "Op",
    "Outcome",
    "Validity",
    "Verdict",
]
