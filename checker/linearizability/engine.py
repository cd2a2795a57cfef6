"""What an engine is, and which there are.

An engine is one file. It says its name, for which models it is made, and how it decides; the
entry points `partita.engines` tell where it is. Those made for some models know a structure
that decides these quickly, and decline what does not have it. Then one that takes any model is
asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from partita.checker.history import History, IntColumn
from partita.checker.models.model import Model
from partita.checker.plugins import find, names
from partita.checker.verdict import Finding, Limits, Mismatch


@dataclass(frozen=True, slots=True)
class Declined:
    """The engine does not apply to these operations. `note` says why, if that is worth telling."""

    note: str = ""


# Called with the history, the rows of one key's operations in the order of their invocations,
# the model, the limits and what to make of mismatches. The rows are only those that count:
# ok, info, and, if mismatches are observed and the model can, a cas that failed with "mismatch".
# None is the same as `Declined()`.
Decide = Callable[[History, IntColumn, Any, Limits, Mismatch], Finding | Declined | None]

# Called in the same way for operations that were found valid: rows in an order that the model
# allows and that respects real time. Crashed operations that are not in it did not happen. Raises
# `LimitReached`.
Order = Callable[[History, IntColumn, Any, Limits], IntColumn]


@dataclass(frozen=True, slots=True)
class Engine:
    """A way to decide one key's operations.

    `models` are the classes that it is made for, none: any model; `made_for` says that in words.
    """

    name: str
    decide: Decide
    models: tuple[type, ...] = ()
    made_for: str = "any model"
    order: Order | None = None

    @property
    def is_general(self) -> bool:
        """Whether it decides any history of any model, given time."""
        return not self.models

    def fits(self, model: Model) -> bool:
        """Say whether the engine is made for a model."""
        return self.is_general or isinstance(model, self.models)


# All there are; which of them are tried, and when, is the model's and `engines`' business.
ENGINES: Final = tuple(names("engines"))


@cache
def engines() -> Mapping[str, Engine]:
    """Return all engines by name, in the order in which they are tried: general ones last."""
    found: list[Engine] = [find("engines", name) for name in names("engines")]
    found.sort(key=lambda engine: engine.is_general)
    return MappingProxyType({engine.name: engine for engine in found})
