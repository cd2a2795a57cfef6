"""What can be set about a thing: the parameters of its constructor.

Whoever writes a system, a workload or a fault writes a class; what its `__init__` takes are its
options, on the command line, in a schedule and in `run.json` alike::

    def __init__(
        self,
        reads: Annotated[Literal["sync", "local"], Setting("Where reads are answered.")] = "sync",
        keys: Annotated[int, Setting("Registers.", least=1, most=10_000)] = 5,
    ) -> None: ...

Types that are understood: `str`, `int`, `float`, `bool`, `Path`, `Literal[…]` of texts, and
`Sequence[str]` (words, split as a shell splits them); each may be `… | None`. A parameter without
annotation is text. What has no default must be given.
"""

import inspect
import math
import shlex
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from partita.checker.plugins import PluginError, in_a_line

REQUIRED = inspect.Parameter.empty
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class SettingError(PluginError):
    """A value that does not fit a setting: one line that says which, and what would fit."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What an annotation says about a parameter: a sentence, and bounds for a number.

    `alone`: as an option it does not begin with the name of its fault.
    """

    help: str = ""
    least: float | None = None
    most: float | None = None
    metavar: str | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that can be set. `default` is `REQUIRED` where there is none."""

    name: str
    type: type
    default: Any
    choices: tuple[str, ...] = ()
    about: Setting = Setting()

    @property
    def option(self) -> str:
        """The parameter as an option: `--server-args` for `server_args`."""
        return "--" + self.name.replace("_", "-")

    def read(self, text: str) -> Any:
        """Return the value that a text stands for. Raises `SettingError`."""
        if self.choices:
            if text not in self.choices:
                raise SettingError(f"there is no {text!r}: choose from {', '.join(self.choices)}")
            return text
        try:
            value = _READERS[self.type](text)
        except (ValueError, KeyError) as error:
            raise SettingError(f"{text!r} is {_NEEDED[self.type]}") from error
        return self.bounded(value)

    def taken(self, value: Any) -> Any:
        """Return the value that a text or, in a stored run, a value of JSON stands for.

        Raises `SettingError` for one that is of another kind.
        """
        if self.type is str and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str):
            return self.read(value)
        fits = isinstance(value, _TAKEN[self.type]) and not isinstance(value, bool)
        if not fits and not (self.type is bool and isinstance(value, bool)):
            raise SettingError(f"{value!r} is {_NEEDED[self.type]}")
        if self.type is list and not all(isinstance(each, str) for each in value):
            raise SettingError(f"{value!r} is no list of words")
        return self.bounded(value)

    def bounded(self, value: Any) -> Any:
        """Return a number that is within bounds. Raises `SettingError`."""
        least, most = self.about.least, self.about.most
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        if not math.isfinite(value):
            raise SettingError(f"{value} is no number of use here")
        if (least is not None and value < least) or (most is not None and value > most):
            bounds = [f"at least {least:g}"] if least is not None else []
            bounds += [f"at most {most:,g}"] if most is not None else []
            raise SettingError(f"must be {' and '.join(bounds)}, not {value:g}")
        return value


def parameters(make: Callable[..., Any]) -> tuple[Parameter, ...]:
    """Return what can be set about what `make` makes, in the order of its parameters.

    Raises `PluginError` for a parameter that has neither a default nor a type of ours.
    """
    found = []
    hints = _hints(make)
    for each in inspect.signature(make).parameters.values():
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            continue
        parameter = _parameter(each.name, hints.get(each.name, str), each.default)
        if parameter is not None:
            found.append(parameter)
        elif each.default is REQUIRED:
            raise PluginError(
                f"{getattr(make, '__name__', make)} takes {each.name!r}, which no option can give: "
                "its type is none of str, int, float, bool, Path, Literal and Sequence[str]"
            )
    return tuple(found)


def make_with(make: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """Make a thing with what was given and is not None, the defaults for the rest."""
    return make(**{name: value for name, value in given.items() if value is not None})


def made(what: str, make: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    """Make a thing as `make_with` does; what its constructor raises is told in a line.

    `what` is the thing's kind and name. Raises `PluginError`.
    """
    try:
        return make_with(make, given)
    except PluginError:
        raise
    except (Exception, SystemExit) as error:  # it is anybody's
        raise PluginError(f"{what} cannot be made: {in_a_line(error)}") from error


def in_force(make: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all settings with the values that they have, as JSON has them, for `run.json`."""
    values = {each.name: each.default for each in parameters(make)}
    values |= {name: value for name, value in given.items() if value is not None}
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _hints(make: Callable[..., Any]) -> dict[str, Any]:
    of = vars(make).get("__init__", make) if isinstance(make, type) else make
    try:
        return get_type_hints(of, include_extras=True)
    except (NameError, TypeError):  # annotations of the user's that cannot be looked up
        return {}


def _parameter(name: str, hint: Any, default: Any) -> Parameter | None:
    about = Setting()
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        about = next((each for each in extras if isinstance(each, Setting)), about)
    if get_origin(hint) in (Union, types.UnionType):
        rest = [each for each in get_args(hint) if each is not type(None)]
        if len(rest) != 1:
            return None
        hint = rest[0]
    if get_origin(hint) is Literal:
        return Parameter(name, str, default, tuple(map(str, get_args(hint))), about)
    if get_origin(hint) in (Sequence, list, tuple) and get_args(hint)[:1] == (str,):
        return Parameter(name, list, default, (), about)
    if hint is Any:
        hint = str
    return Parameter(name, hint, default, (), about) if hint in _READERS else None


def _flag(text: str) -> bool:
    return _FLAGS[text.lower()]


def _words(text: str) -> tuple[str, ...]:
    return tuple(shlex.split(text))


_READERS: Mapping[Any, Callable[[str], Any]] = {
    str: str,
    int: int,
    float: float,
    bool: _flag,
    Path: Path,
    list: _words,
}
# What else but a text may stand for a value, of flags apart.
_TAKEN: Mapping[Any, tuple[type, ...]] = {
    str: (),
    int: (int,),
    float: (int, float),
    bool: (),
    Path: (Path,),
    list: (list, tuple),
}
_NEEDED: Mapping[Any, str] = {
    str: "no text",
    Path: "no path",
    int: "no whole number",
    float: "no number",
    bool: "neither true nor false",
    list: "not closed: a quotation mark is missing",
}
