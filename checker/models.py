"""What an operation does to the state: the models that histories are checked against.

A model is an initial state and a step. Built-in models are chosen by name, a user's own by
`path/to/file.py:Class`. Engines see only numbers for states, so a state may be anything
hashable; `None` alone is taken, for it means "this operation is not possible here".

An operation with outcome "ok" must fit its output; one with outcome "info" has no known
output; one with outcome "fail" reaches a model only where it is an observation: a cas that
answered "mismatch", given to models whose `observes_mismatch` is true. A step may look at an
operation's f, input, output and outcome only: those that agree in these are taken for the same.

A model may say which operations never change the state, by a collection `reads` of their f:
the search is quicker then, and refuses the model if it finds one that does.
"""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

from checker.history import Op

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


class ModelError(Exception):
    """A model that cannot be used, or does not fit the operations: one clear line."""


def load_model(name: str, initial: Any = None) -> Model:
    """Return the model called `name`, or the one that `path/to/file.py:Class` names.

    `initial` is a value in the model's own terms, None for the usual one (registers: null;
    multi-register: one value for all registers, or a mapping of each). Raises `ModelError`.
    """
    if ":" in name:
        return _load_own(name, initial)
    try:
        make = MODELS[name]
    except KeyError:
        names = ", ".join(MODELS)
        raise ModelError(
            f"no model is called {name!r}: take one of {names}, or path/to/file.py:Class"
        ) from None
    needed = _INITIAL.get(name)
    if needed and initial is not None and not isinstance(initial, needed[0]):
        raise ModelError(f"model {name} starts with {needed[1]}, not with {initial!r}")
    return make(initial)


def _load_own(name: str, initial: Any) -> Model:
    path, _, attribute = name.rpartition(":")
    if not Path(path).is_file():
        raise ModelError(f"model {name}: there is no file {path}")
    spec = importlib.util.spec_from_file_location(f"partita_model_{Path(path).stem}", path)
    if spec is None or spec.loader is None:
        raise ModelError(f"model {name}: {path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up while they are made. Afterwards it must not be found, or
    # the model would travel to Dask's workers by its module's name, which they do not know.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        sys.modules.pop(spec.name, None)
    make = getattr(module, attribute, None)
    if make is None:
        raise ModelError(f"model {name}: {path} defines no {attribute}")
    model = make
    if callable(make):
        model = make() if initial is None else _called(name, make, initial)
    elif initial is not None:
        raise ModelError(f"model {name}: it is made already: an initial value comes too late")
    for needed in ("name", "initial", "step"):
        if not hasattr(model, needed):
            raise ModelError(f"model {name}: it has no {needed!r} (name, initial and step are)")
    return model  # type: ignore[no-any-return]


def _called(name: str, make: Any, initial: Any) -> Any:
    try:
        inspect.signature(make).bind(initial)
    except TypeError:
        raise ModelError(f"model {name}: it takes no initial value") from None
    return make(initial)


def frozen(value: Any) -> Hashable:
    """Return a hashable copy of a JSON value; equal values give equal copies."""
    if isinstance(value, list | tuple):
        return tuple(frozen(each) for each in value)
    if isinstance(value, dict):
        return frozenset((key, frozen(each)) for key, each in value.items())
    return value  # type: ignore[no-any-return]


def _unfit(model: Model, op: Op) -> ModelError:
    what = f"operation {op.index} is {op.f!r} with value {op.input!r}"
    if op.output not in (None, op.input):
        what += f" and answer {op.output!r}"
    return ModelError(f"model {model.name} does not fit the history: {what}")


@dataclass(frozen=True, slots=True)
class CasRegister:
    """A register with read, write and cas; a cas's input is `[old, new]`.

    States are one-element tuples, so that the value null is a state too. A register that
    starts with a value is never null in Jepsen's histories, where a read of null means that
    the value was not recorded: such a read is possible always.
    """

    value: Any = None
    name: str = "cas-register"
    observes_mismatch: bool = True

    @property
    def initial(self) -> Hashable:
        return (frozen(self.value),)

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f == "read":
            return state if self._may_read(state, op) else None
        if op.f == "write":
            return (frozen(op.input),)
        if op.f != "cas" or self.name == "register" or not _is_pair(op.input):
            raise _unfit(self, op)
        old, new = op.input
        if op.outcome == "fail":
            return state if self._mismatched(state, op, old) else None
        return (frozen(new),) if state == (frozen(old),) else None

    def _may_read(self, state: State, op: Op) -> bool:
        unrecorded = op.output is None and self.value is not None
        return op.outcome == "info" or unrecorded or bool(state == (frozen(op.output),))

    def _mismatched(self, state: State, op: Op, old: Any) -> bool:
        if op.output is None:
            return bool(state != (frozen(old),))
        return bool(state == (frozen(op.output),))


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2


@dataclass(frozen=True, slots=True)
class MultiRegister:
    """Registers changed together: `txn` with a list of `[":read", k, v]`, `[":write", k, v]`."""

    values: Any = None
    name: str = "multi-register"

    @property
    def initial(self) -> Hashable:
        values = self.values if isinstance(self.values, Mapping) else {}
        return frozenset((key, frozen(value)) for key, value in values.items())

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f != "txn":
            raise _unfit(self, op)
        registers = dict(state)
        micro_ops = op.input if op.output is None else op.output
        try:
            possible = self._apply(registers, micro_ops, op)
        except (TypeError, ValueError):  # no list of three each, or a key that is a list
            raise _unfit(self, op) from None
        return frozenset(registers.items()) if possible else None

    def _apply(self, registers: dict[Any, Any], micro_ops: Any, op: Op) -> bool:
        unset = None if isinstance(self.values, Mapping) else self.values
        for f, key, value in micro_ops:
            if f in (":write", "write", "w"):
                registers[key] = frozen(value)
            elif f not in (":read", "read", "r"):
                raise _unfit(self, op)
            elif op.outcome == "ok" and registers.get(key, unset) != frozen(value):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Mutex:
    """A lock: `acquire` when it is free, `release` when it is held."""

    name: str = "mutex"
    initial: str = "free"

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f == "acquire":
            return "held" if state == "free" else None
        if op.f == "release":
            return "free" if state == "held" else None
        raise _unfit(self, op)


@dataclass(frozen=True, slots=True)
class FifoQueue:
    """A queue: `enqueue` at the end, `dequeue` from the front, null when it was empty."""

    values: Any = None
    name: str = "fifo-queue"

    @property
    def initial(self) -> Hashable:
        return frozen(self.values or [])

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f == "enqueue":
            return (*state, frozen(op.input))
        if op.f != "dequeue":
            raise _unfit(self, op)
        if op.outcome == "info":
            return state[1:]  # type: ignore[no-any-return]
        if op.output is None:
            return state if not state else None
        return state[1:] if state and state[0] == frozen(op.output) else None


@dataclass(frozen=True, slots=True)
class Set:
    """A growing set: `add` an element, `read` all of them in any order."""

    values: Any = None
    name: str = "set"
    reads: tuple[str, ...] = ("read",)

    @property
    def initial(self) -> Hashable:
        return frozenset(frozen(value) for value in self.values or [])

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f == "add":
            return state | {frozen(op.input)}  # type: ignore[no-any-return]
        if op.f != "read" or not isinstance(op.output, list | tuple | None):
            raise _unfit(self, op)
        if op.outcome == "info":
            return state  # type: ignore[no-any-return]
        return state if state == frozenset(map(frozen, op.output or [])) else None


@dataclass(frozen=True, slots=True)
class Counter:
    """A number: `add` a difference, `read` the sum."""

    value: Any = None
    name: str = "counter"
    reads: tuple[str, ...] = ("read",)

    @property
    def initial(self) -> Hashable:
        return self.value or 0

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f == "add" and isinstance(op.input, int | float):
            return state + op.input  # type: ignore[no-any-return]
        if op.f != "read":
            raise _unfit(self, op)
        return state if op.outcome == "info" or state == op.output else None


@dataclass(frozen=True, slots=True)
class Append:
    """A list: `append` (or `add`) an element at its end, `read` the whole."""

    values: Any = None
    name: str = "append"
    reads: tuple[str, ...] = ("read",)

    @property
    def initial(self) -> Hashable:
        return frozen(self.values or [])

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f in ("append", "add"):
            return (*state, frozen(op.input))
        if op.f != "read":
            raise _unfit(self, op)
        return state if op.outcome == "info" or state == frozen(op.output or []) else None


@dataclass(frozen=True, slots=True)
class KeyValue:
    """Text under one key: `put` replaces it, `append` extends it, `get` returns it.

    Numbers may be put as well, but not be extended.
    """

    value: Any = None
    name: str = "kv"
    reads: tuple[str, ...] = ("get",)

    @property
    def initial(self) -> Hashable:
        return "" if self.value is None else self.value

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f == "put" and isinstance(op.input, str | int | float):
            return op.input
        if op.f == "append" and isinstance(state, str) and isinstance(op.input, str):
            return state + op.input
        if op.f != "get":
            raise _unfit(self, op)
        if op.outcome == "info" or state == ("" if op.output is None else op.output):
            return state  # type: ignore[no-any-return]
        return None


def _register(initial: Any) -> Model:
    return CasRegister(initial, name="register", observes_mismatch=False)


def _mutex(initial: Any) -> Model:
    if initial not in (None, "free", "held"):
        raise ModelError(f"a mutex is 'free' or 'held' at first, not {initial!r}")
    return Mutex(initial=initial or "free")


MODELS: Final[Mapping[str, Callable[[Any], Model]]] = MappingProxyType(
    {
        "register": _register,
        "cas-register": CasRegister,
        "multi-register": MultiRegister,
        "mutex": _mutex,
        "fifo-queue": FifoQueue,
        "set": Set,
        "counter": Counter,
        "append": Append,
        "kv": KeyValue,
    }
)

# What may be a model's initial value, and what it is called; any value may be the others'.
_INITIAL: Final[Mapping[str, tuple[Any, str]]] = MappingProxyType(
    {
        "fifo-queue": (list | tuple, "a list"),
        "set": (list | tuple | set | frozenset, "a list"),
        "counter": (int | float, "a number"),
        "append": (list | tuple, "a list"),
        "kv": (str | int | float, "text"),
    }
)
