"""Which model a history is probably of, by the operations in it.

Each model says in its own file which operations it fits, by a static method
`fits(operations: Operations) -> int`; one that has none has to be named. Only a guess for those who
do not name one, which is why it comes with its reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from partita.checker.history import OUTCOMES, History
from partita.checker.models.model import ModelError
from partita.checker.plugins import find, names
from partita.checker.statistics import READS

# How well a model fits: it cannot be meant, it may be, or the operations show that it is.
UNFIT, POSSIBLE, SHOWN = range(3)

# So many different values of an operation are looked at.
_SAMPLE: Final = 100


@dataclass(frozen=True, slots=True)
class Operations:
    """What a history shows a model that is asked whether it fits."""

    history: History
    names: frozenset[str]

    def inputs(self, *fs: str) -> Iterator[Any]:
        """Yield some of the values that these operations (all, if none is named) were given."""
        return self._decoded(self._are(fs), self.history.input)

    def outputs(self, *fs: str) -> Iterator[Any]:
        """Yield some of the answers of those that succeeded, null where nothing was answered."""
        ok = self.history.outcome == OUTCOMES.index("ok")
        return self._decoded(self._are(fs) & ok, self.history.output)

    def _are(self, fs: tuple[str, ...]) -> Any:
        if not fs:
            return np.ones(len(self.history), dtype=bool)
        return self.history.among(fs)

    def _decoded(self, rows: Any, column: Any) -> Iterator[Any]:
        some = column[np.flatnonzero(rows)[: 100 * _SAMPLE]].tolist()
        return (self.history.values.decoded(code) for code in sorted(set(some))[:_SAMPLE])


def fitting_model(history: History) -> str:
    """Return the name of the model that the operations show. Raises `ModelError` if none does."""
    return fitting_models(history)[0]


def fitting_models(history: History, *, least: int = SHOWN) -> list[str]:
    """Return the names of the models that fit the operations, the one that is shown first.

    The others are possible: what they say may differ. Raises `ModelError` if no model fits so well
    as `least`.
    """
    operations = Operations(history, frozenset(history.fs))
    fits = {name: _fit(name, operations) for name in names("models")}
    ordered = sorted((name for name in fits if fits[name]), key=lambda name: -fits[name])
    if not ordered or fits[ordered[0]] < least:
        raise ModelError(_unknown(sorted(operations.names), ordered))
    return ordered


def _fit(name: str, operations: Operations) -> int:
    fits = getattr(find("models", name), "fits", None)
    return UNFIT if fits is None else fits(operations)


def _unknown(fs: list[str], possible: list[str]) -> str:
    listed = ", ".join(fs) or "none"
    if possible or READS.issuperset(fs):
        perhaps = f", {' or '.join(possible)} perhaps" if possible else ""
        what = "reads alone" if READS.issuperset(fs) else "these operations alone"
        return f"{what} ({listed}) do not show which model is meant: name one with --model{perhaps}"
    return f"no model is known for these operations ({listed}): name one with --model"
