"""Python's values as JSON, or a reason why not.

Stricter than a serializer. What is equal in Python must have the same JSON here, or a history
would be called invalid for the way in which it was written. So sets are sorted, whole floats are
whole numbers, and types of which that is not known are refused. Only True and 1 stay different.
"""

import math
from collections.abc import Hashable
from types import NoneType
from typing import Any, Final

import msgspec

# Need no second look: nearly all values of nearly all histories.
_SIMPLE: Final = frozenset({bool, int, str, NoneType})
_WHOLE_MAX: Final = 2.0**53  # every whole number up to here is a float
_ADVICE: Final = "record text, numbers, True, False, None, and lists, sets and dicts of these"

_encode: Final = msgspec.json.Encoder().encode


class NoJson(Exception):
    """A value that JSON cannot hold: why not, to be put behind what the value is."""


def as_json(value: Any) -> bytes:
    """Return a value as JSON. Raises `NoJson`."""
    try:
        return _encode(value if type(value) in _SIMPLE else _plain(value))
    except UnicodeEncodeError:
        raise NoJson("has half of a surrogate pair in its text, which JSON cannot hold") from None
    except RecursionError:
        raise NoJson("contains itself, or is nested too deeply for JSON") from None


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str.__str__(value)  # an enumeration's str() is its name
    if isinstance(value, float):
        return _number(float(value))
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return [msgspec.Raw(each) for each in sorted(_encode(_plain(each)) for each in value)]
    if isinstance(value, dict):
        return {_name(key): _plain(each) for key, each in value.items()}
    raise NoJson(f"is or has a {type(value).__name__}, which JSON cannot hold: {_ADVICE}")


def _number(value: float) -> float | int:
    if not math.isfinite(value):
        raise NoJson(f"is or has the float {value}, which JSON cannot hold")
    return int(value) if value.is_integer() and abs(value) <= _WHOLE_MAX else value


def _name(key: Hashable) -> str:
    if not isinstance(key, str):
        raise NoJson(f"has the dict key {key!r}, and JSON's keys are text: record a list of pairs")
    return str.__str__(key)
