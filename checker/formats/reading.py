"""History files into columns: JSON Lines, and Jepsen's EDN.

The reading is native (checker/native/reader.h). A file that was cut off by a crash is read
as far as it goes, and the notes say so; anything else that is wrong with a file is an error
that names its line.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from partita.checker import _native
from partita.checker.events import Event, HistoryError, ReadingStopped
from partita.checker.extras import Extras
from partita.checker.values import NO_PAIR, NULL, Values

# The fields of a `History`, by name.
Fields = dict[str, Any]


def read_file(
    path: Path, keyed: bool | None, deadline: float | None, memory_bytes: int | None
) -> Fields:
    """Read a history file, see `History.read`."""
    path = Path(path)
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise HistoryError(f"{str(path)!a}: the name of this file is not UTF-8") from None
    if path.is_dir():
        raise HistoryError(f"{path}: this is a directory, not a history file")
    found = _native.read_file(str(path), path.suffix == ".edn", deadline, memory_bytes)
    if found[0] is None:
        _, line, reason = found
        if line < 0:
            raise ReadingStopped(f"{reason} reached while reading line {-line} of {path}")
        raise HistoryError(f"{path}, line {line}: {reason}" if line else f"{path}: {reason}")
    return _split_pairs(_fields(*found), keyed, str(path))


def read_events(events: Iterable[Mapping[str, Any]]) -> Fields:
    """Read events that are at hand, see `History.of_events`."""
    text = b"\n".join(map(msgspec.json.encode, events))
    found = _native.read_text(text, False)
    if found[0] is None:
        raise HistoryError(f"event {found[1]}: {found[2]}")
    return _fields(*found)


def _fields(columns: Fields, notes: list[str]) -> Fields:
    values = Values(**columns["values"])
    extras = _extras(columns["extras"])
    keys = Values(**columns["keys"])
    others = [_other(other, values, keys, extras) for other in columns["others"]]
    made = {"values": values, "keys": keys, "extras": extras}
    return {**columns, **made, "others": others, "notes": notes}


def _other(other: tuple[Any, ...], values: Values, keys: Values, extras: Extras) -> Event:
    rank, time, process, type_, f, value, error, version, key, node = other
    return Event(
        rank=rank,
        time=time,
        process=process,
        type=type_,
        f=f,
        value=values.decoded(value),
        error=error or None,
        version=version,
        key=keys.decoded(key),
        fields={**extras.of(rank), **({"node": node} if node else {})},
    )


def _extras(columns: Fields) -> Extras:
    if not columns["names"]:
        return Extras()
    names, values = tuple(columns["names"]), Values(**columns["values"])
    return Extras(columns["rank"], columns["name"], columns["value"], names, values)


def _split_pairs(fields: Fields, keyed: bool | None, name: str) -> Fields:
    """Take `[key, value]` pairs apart, if the file is written so."""
    values: Values = fields["values"]
    given, returned = fields["input"], fields["output"]
    if keyed is False or not len(given):
        return fields
    if (fields["key"] != NULL).any():
        if not keyed:
            return fields
        raise HistoryError(f"{name}: operations have a field key: there are no pairs to split")
    parts = np.vstack([values.pairs, [[NO_PAIR, NO_PAIR]]])  # -1, null, is no pair either
    unpaired = np.flatnonzero(
        (parts[given, 0] == NO_PAIR) | ((parts[returned, 0] == NO_PAIR) & (returned != NULL))
    )
    if not keyed:
        shown = None if len(unpaired) else _shows_keys(fields, parts)
        if not shown:
            hint = "all values are pairs: --keyed takes them apart"
            return fields if len(unpaired) or shown is False else _noted(fields, hint)
    if len(unpaired):
        row = int(unpaired[0])
        value = msgspec.json.encode(values.decoded(given[row])).decode()
        raise HistoryError(
            f"{name}: not keyed, for not all values are [key, value] pairs: process"
            f" {fields['process'][row]} invokes {fields['fs'][fields['f'][row]]} with {value}"
        )
    numbers, keys = np.unique(parts[given, 0], return_inverse=True)
    split = {
        "key": keys.astype(np.int32),
        "keys": [values.decoded(number) for number in numbers],
        "input": parts[given, 1],
        "output": np.where(returned == NULL, NULL, parts[returned, 1]).astype(np.int32),
    }
    fields = {**fields, **split}
    note = "every value is a [key, value] pair, so keys were split (--no-keyed: they are not)"
    return fields if keyed else _noted(fields, note)


def _shows_keys(fields: Fields, parts: Any) -> bool | None:
    """Tell pairs with a key from other pairs: None if nothing shows which they are.

    Reads are invoked with a key and no value, a cas with a key and a pair.
    """
    fs, f, given = fields["fs"], fields["f"], fields["input"]
    if "read" in fs:
        return bool((parts[given[f == fs.index("read")], 1] == NULL).all())
    if "cas" in fs:
        first, second = parts[given[f == fs.index("cas")]].T
        if (parts[second, 0] == NO_PAIR).any():
            return False
        # Unless the first is a pair too: this may be a register that holds pairs.
        return None if (parts[first, 0] != NO_PAIR).any() else True
    # A transaction of two parts is a pair too, and never one with a key.
    return False if "txn" in fs else None


def _noted(fields: Fields, note: str) -> Fields:
    return {**fields, "notes": [*fields["notes"], note]}
