"""What an operation does to the state: the models that histories are checked against.

A model is an initial state and a step. Built-in models are chosen by name, a user's own by
`path/to/file.py:Class`. Engines see only numbers for states, so a state may be anything
hashable; `None` alone is taken, for it means "this operation is not possible here".

An operation with outcome "ok" must fit its output; one with outcome "info" has no known
output; one with outcome "fail" reaches a model only where it is an observation: a cas that
answered "mismatch", given to models whose `observes_mismatch` is true. A step may look at an
operation's f, input, output and outcome only: those that agree in these are taken for the same.

A model may say in a sentence which operations it has (`takes`), and by `fits` whether it is the one
that a history is of, see `partita.checker.models.fitting`.

A model may say which operations never change the state, by a collection `reads` of their f:
the search is quicker then, and refuses the model if it finds one that does. The same is true of
`overwrites`: those that are possible in every state, always with the same result.
"""

import inspect
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from partita.checker.explain import quoted
from partita.checker.history import Op
from partita.checker.plugins import PluginError, find
from partita.checker.settings import parameters
from partita.checker.values import Unordered

State = Any


class Model(Protocol):
    """The specification of one object. See the module for what `step` is given."""

    @property
    def name(self) -> str:
        """What verdicts call it."""

    @property
    def initial(self) -> Hashable:
        """The state before the first operation."""

    def step(self, state: State, op: Op) -> Hashable | None:
        """Return the state after `op` was done in `state`, None if it was not possible."""


@dataclass(frozen=True, slots=True)
class EachKey:
    """What the state of each key is at first, by the key as text (others begin as usual)."""

    values: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def of(self, key: Any) -> Any:
        """Return what a key begins with, None for what is usual."""
        return next((self.values[name] for name in key_names(key) if name in self.values), None)


def key_names(key: Any) -> tuple[str, ...]:
    """Return how a key may be called where all names are texts."""
    return (key, key.removeprefix(":")) if isinstance(key, str) else (quoted(key),)


class ModelError(Exception):
    """A model that cannot be used, or does not fit the operations: one clear line."""


def begins_with(name: str, initial: Any, kinds: Any, what: str) -> None:
    """Refuse an initial value of the wrong kind. None is always right. Raises `ModelError`."""
    if initial is not None and not isinstance(initial, kinds):
        raise ModelError(f"model {name} starts with {what}, not with {initial!r}")


def load_model(
    name: str, initial: Any = None, settings: Mapping[str, Any] = MappingProxyType({})
) -> Model:
    """Return the model called `name`, or the one that `path/to/file.py:Class` names.

    `initial` is a value in the model's own terms, None for the usual one (registers: null;
    multi-register: one value for all registers, or a mapping of each). `settings` are those of its
    constructor's parameters that are annotated with a `Setting`. Raises `ModelError`.
    """
    try:
        make = find("models", name)
    except PluginError as error:
        raise ModelError(str(error)) from error
    model = make
    taken = {each.name for each in parameters(make)} if settings else ()
    for unknown in (each for each in settings if each not in taken):
        raise ModelError(f"model {name}: it has no setting --{unknown.replace('_', '-')}")
    if callable(make):
        model = make(**settings) if initial is None else _called(name, make, initial, settings)
    elif initial is not None:
        raise ModelError(f"model {name}: it is made already: an initial value comes too late")
    for needed in ("name", "initial", "step"):
        if not hasattr(model, needed):
            raise ModelError(f"model {name}: it has no {needed!r} (name, initial and step are)")
    return model  # type: ignore[no-any-return]


def _called(name: str, make: Any, initial: Any, settings: Mapping[str, Any]) -> Any:
    try:
        inspect.signature(make).bind(initial, **settings)
    except TypeError:
        raise ModelError(f"model {name}: it takes no initial value") from None
    return make(initial, **settings)


def frozen(value: Any) -> Hashable:
    """Return a hashable copy of a JSON value; equal values give equal copies."""
    if isinstance(value, Unordered):
        return frozenset(frozen(each) for each in value)
    if isinstance(value, list | tuple):
        return tuple(frozen(each) for each in value)
    if isinstance(value, dict):
        return frozenset((key, frozen(each)) for key, each in value.items())
    return value  # type: ignore[no-any-return]


def unfit(model: Model, op: Op) -> ModelError:
    """Say which operation a model has not, and which it has: its `takes`, if it says so."""
    what = f"operation {op.index} is {op.f!r} with value {quoted(op.input)}"
    if op.output not in (None, op.input):
        what += f" and answer {quoted(op.output)}"
    takes = getattr(model, "takes", None)
    has = f" (it has {takes})" if takes else ""
    return ModelError(f"model {model.name} does not fit the history: {what}{has}")
