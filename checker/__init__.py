"""The bottom of Partita: operations, histories, and the search for violations.

Imports none of the other packages and does no I/O but reading and writing histories.
"""

from partita.checker.history import (
    NEVER,
    OUTCOMES,
    Event,
    History,
    HistoryError,
    Op,
    Outcome,
    ReadingStopped,
)
from partita.checker.linearizability.check import check
from partita.checker.linearizability.engine import ENGINES
from partita.checker.linearizability.replay import replay
from partita.checker.models.fitting import fitting_model
from partita.checker.models.model import Model, ModelError, load_model
from partita.checker.statistics import Counts, Statistics, statistics, vacuous
from partita.checker.verdict import Counterexample, Finding, Limits, Order, Validity, Verdict

__all__ = [
    "ENGINES",
    "NEVER",
    "OUTCOMES",
    "Counterexample",
    "Counts",
    "Event",
    "Finding",
    "History",
    "HistoryError",
    "Limits",
    "Model",
    "ModelError",
    "Op",
    "Order",
    "Outcome",
    "ReadingStopped",
    "Statistics",
    "Validity",
    "Verdict",
    "check",
    "fitting_model",
    "load_model",
    "replay",
    "statistics",
    "vacuous",
]
