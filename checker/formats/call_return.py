"""Operations with the moments of their call and return, as Porcupine has them, one a line.

    {"ClientId":1,"Input":{"Type":"put","Key":"a","Value":"1"},"Call":1000,"Output":{},"Return":2000}

They become events in the order of their moments. Where two are the same, calls come first: who
called in the moment in which another one returned was not after it.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Final

import msgspec

from partita.checker.events import HistoryError
from partita.checker.formats.format import BY_FIELDS, NOT_MINE, Columns, Source

_CALL = re.compile(rb'"call"\s*:', re.IGNORECASE)
_RETURN = re.compile(rb'"return"\s*:', re.IGNORECASE)
_KINDS: Final = ("type", "op", "f", "kind", "operation")
_VALUES: Final = ("value", "arg", "val")
_SHAPE: Final = (
    'an operation is {"ClientId":…, "Input":{"Type":"put", "Key":…, "Value":…}, "Call":…,'
    ' "Output":{"Value":…}, "Return":…}'
)
_READS: Final = ("get", "read")


class CallReturn:
    """Operations with Call and Return, as Porcupine's, one a line."""

    name = "call-return"
    files = ("operations.json", "operations.jsonl")
    observes_mismatch = False

    def recognises(self, head: bytes) -> int:
        return (
            BY_FIELDS
            if _CALL.search(head) and _RETURN.search(head) and (head.lstrip()[:1] in (b"{", b"["))
            else NOT_MINE
        )

    def read(self, source: Source) -> tuple[Columns, list[str]]:
        def translated(file: BinaryIO) -> Iterator[bytes]:
            return _events(file, source.name)

        columns, notes = source.columns("json-lines", translated, by_line=False)
        notes.append("operations with Call and Return: they stand in the order of these moments")
        return columns, notes


@dataclass(frozen=True, slots=True)
class _Operation:
    client: Any
    f: str
    key: Any
    input: Any
    output: Any
    version: int
    call: int
    end: int | None  # None: it did not return
    refused: bool

    def events(self) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """Yield its events, each with its moment and whether others of that moment are first."""
        event = {"process": self.client, "f": self.f, "value": self.input}
        if self.key is not None:
            event["key"] = self.key
        yield self.call, 0, {**event, "type": "invoke", "time": self.call}
        if self.end is not None:
            answer = self.output if self.f in _READS else self.input
            how = "fail" if self.refused else "ok"
            ends = {**event, "type": how, "time": self.end, "value": answer}
            yield self.end, 1, {**ends, "version": self.version} if self.version >= 0 else ends


def _events(file: BinaryIO, name: str) -> Iterator[bytes]:
    operations = _one_at_a_time(_operations(file.read(), name))
    events = [event for operation in operations for event in operation.events()]
    for _, _, event in sorted(events, key=lambda each: each[:2]):
        yield msgspec.json.encode(event) + b"\n"


def _one_at_a_time(operations: Iterable[_Operation]) -> list[_Operation]:
    """Give clients that begin before they have ended, or in that moment, more processes."""
    ends: dict[Any, list[int]] = {}
    found = []
    for each in sorted(operations, key=lambda each: each.call):
        lanes = ends.setdefault(each.client, [])
        lane = next((at for at, end in enumerate(lanes) if end < each.call), len(lanes))
        end = sys.maxsize if each.end is None else each.end
        lanes[lane : lane + 1] = [end]
        found.append(replace(each, client=f"{each.client}.{lane}") if lane else each)
    return found


def _operations(text: bytes, name: str) -> Iterator[_Operation]:
    text = text.removeprefix(b"\xef\xbb\xbf").strip()
    for number, raw in enumerate([text] if text[:1] == b"[" else text.splitlines(), 1):
        if not raw.strip():
            continue
        try:
            decoded = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise HistoryError(f"{name}, line {number}: not JSON: {error}") from error
        for each in decoded if isinstance(decoded, list) else [decoded]:
            try:
                yield _operation(_lower(each))
            except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
                raise HistoryError(f"{name}, line {number}: {_SHAPE}") from error


def _operation(given: Mapping[str, Any]) -> _Operation:
    asked, answer = _lower(given["input"]), given.get("output")
    told = _lower(answer) if isinstance(answer, Mapping) else {}
    f = str(next(asked[kind] for kind in _KINDS if kind in asked)).lower()
    value = next((asked[name] for name in _VALUES if name in asked), None)
    if f == "cas":  # what it expects and what it writes, by whatever names
        value = {name: each for name, each in asked.items() if name not in (*_KINDS, "key")}
    output = next((told[name] for name in _VALUES if name in told), None)
    end = given.get("return")
    revision = told.get("revision", told.get("version", -1))
    return _Operation(
        client=next(given[name] for name in ("clientid", "client", "process") if name in given),
        f=f,
        key=asked.get("key"),
        input=None if f in _READS else value,
        output=output if told or isinstance(answer, Mapping) else answer,
        version=revision if isinstance(revision, int) else -1,
        call=int(given["call"]),
        end=None if end is None or int(end) < 0 else int(end),
        refused=told.get("ok") is False,
    )


def _lower(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower().replace("_", ""): value for name, value in given.items()}
