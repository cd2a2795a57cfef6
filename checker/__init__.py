"""The bottom of Partita: operations, histories, and the search for violations.

Imports none of the other packages and does no I/O but reading and writing histories.
"""

from checker.check import check
from checker.fitting import fitting_model
from checker.history import (
    NEVER,
    OUTCOMES,
    Event,
    History,
    HistoryError,
    Op,
    Outcome,
    ReadingStopped,
)
from checker.models import MODELS, Model, ModelError, load_model
from checker.scheduling import ENGINES
from checker.statistics import Counts, Statistics, statistics, vacuous
from checker.verdict import Counterexample, Finding, Limits, Validity, Verdict

__all__ = [
    "ENGINES",
    "MODELS",
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
    "Outcome",
    "ReadingStopped",
    "Statistics",
    "Validity",
    "Verdict",
    "check",
    "fitting_model",
    "load_model",
    "statistics",
    "vacuous",
]
