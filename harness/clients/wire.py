"""How calls, answers, errors and events are written as JSON lines, on both sides.

The lines are those that a user's own client program speaks (docs/your-own-store.md). But a call has
its arguments in a list, since what a capability's methods take is for its protocol to say, and an
answer has the number of the call.
"""

import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from partita.checker.plugins import PluginError, find
from partita.workloads.client import (
    UNKNOWN_VERSION,
    Answer,
    Definite,
    Indefinite,
    Mismatch,
    Refused,
)

Line = dict[str, Any]
FOLDER = "clients"  # of ours on a client node, below cluster.FOLDER
LOG = "output.log"


def encoded(line: Mapping[str, Any]) -> bytes:
    """Write a line. What JSON does not have becomes text."""
    return msgspec.json.encode(line, enc_hook=str) + b"\n"


def decoded(line: bytes) -> Line:
    """Read a line. Raises `ValueError`."""
    found = msgspec.json.decode(line)
    if not isinstance(found, dict):
        raise ValueError(f"this is no JSON object: {line[:80]!r}")
    return found


def outcome(returned: Any) -> Line:
    """Write what a call returned."""
    if isinstance(returned, Answer):
        told = {"version": returned.version, "fields": dict(returned.fields)}
        return {"type": "ok", "value": returned.value, **told}
    return {"type": "ok", "value": returned}


def trouble(error: BaseException) -> Line:
    """Write what a call raised. What is no error of a client's leaves everything open."""
    text = str(error) or type(error).__name__
    if isinstance(error, Mismatch):
        actual = {"actual": error.actual} if error.known else {}
        told = {"version": error.version, "fields": dict(error.fields)}
        return {"type": "fail", "error": "mismatch", **actual, **told}
    if isinstance(error, Refused):
        return {"type": "fail", "error": text, "refused": True}
    return {"type": "fail" if isinstance(error, Definite) else "info", "error": text}


def came_to(line: Line, hint: Any = Any) -> Any:
    """Return what a call returned, or raise what it raised. `hint` is the type that it returns."""
    match line.get("type"):
        case "ok" if "version" in line:
            return Answer(line["value"], line["version"], line["fields"])
        case "ok":
            return typed(line.get("value"), _plain(hint))
        case "fail" if line.get("error") == "mismatch":
            told = {"version": line.get("version", UNKNOWN_VERSION)}
            fields = line.get("fields", {})
            known = "actual" in line
            raise Mismatch(line.get("actual"), known=known, fields=fields, **told)
        case "fail" if line.get("refused"):
            raise Refused(line.get("error"))
        case "fail":
            raise Definite(line.get("error"))
        case _:
            raise Indefinite(line.get("error"))


def typed(value: Any, hint: Any) -> Any:
    """Return what JSON made of a value as what it was, as far as its type says."""
    try:
        return msgspec.convert(value, hint)
    except (TypeError, ValueError, NotImplementedError):  # a type that is none of msgspec's
        return value


def hints(capability: str, method: str) -> tuple[Sequence[Any], Any]:
    """Return the types of a method's parameters, in order, and of what it returns.

    As the capability's protocol says, or one beside it in its file; what nobody says is `Any`.
    """
    for protocol in _protocols(capability):
        if (function := vars(protocol).get(method)) is not None:
            try:
                found = get_type_hints(function)
            except (NameError, TypeError):
                break
            returned = found.pop("return", Any)
            return list(found.values()), returned
    return (), Any


def _protocols(capability: str) -> list[Any]:
    try:
        protocol = find("capabilities", capability)
    except PluginError:
        return []
    beside = vars(sys.modules[protocol.__module__]).values()
    return [protocol, *(each for each in beside if isinstance(each, type))]


def _plain(hint: Any) -> Any:
    """Return a type without `Answer`, which is written in a way of its own."""
    if get_origin(hint) not in (Union, types.UnionType):
        return hint
    left = tuple(each for each in get_args(hint) if each is not Answer)
    return Union[left] if left else Any  # noqa: UP007  it is computed
