"""Values that hold a key, a version, or both, as Jepsen's histories write them: taken apart.

`[key, value]` is how Jepsen writes operations on independent keys, `[version, value]` how its
tests of etcd write registers whose versions the store tells. Nothing in a file says that it is
written so; the values have to show it, and a note says that they were read so.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from partita.checker.events import HistoryError
from partita.checker.values import ABSENT, NO_PAIR, NULL, Values, as_json

# The fields of a `History`, by name.
Fields = dict[str, Any]

# What these are invoked with is written; everything else asks, so that what it is invoked with
# can only be a key, or what it will be answered.
WRITING: Final = frozenset({"write", "append", "add", "put", "enqueue", "cas", "transfer"})
_READING: Final = ("read", "get")
_REGISTERS: Final = frozenset({"read", "write", "cas"})
_OK = 0


def split_keys(fields: Fields, keyed: bool | None, name: str) -> Fields:
    """Take `[key, value]` pairs apart, if the file is written so. Raises `HistoryError`."""
    given, returned = fields["input"], fields["output"]
    if keyed is False or not len(given):
        return fields
    if (fields["key"] != NULL).any():
        if not keyed:
            return fields
        raise HistoryError(f"{name}: operations have a field key: there are no pairs to split")
    parts = parts_of(fields["values"])
    unpaired = np.flatnonzero(
        (parts[given, 0] == NO_PAIR) | ((parts[returned, 0] == NO_PAIR) & (returned != NULL))
    )
    if not keyed:
        shown = None if len(unpaired) else _shows_keys(fields, parts)
        if not shown:
            hint = "all values are pairs: --keyed takes them apart"
            return fields if len(unpaired) or shown is False else noted(fields, hint)
    if len(unpaired):
        raise HistoryError(_unkeyed(fields, int(unpaired[0]), name))
    numbers, keys = np.unique(parts[given, 0], return_inverse=True)
    fields = {
        **fields,
        "key": keys.astype(np.int32),
        "keys": [fields["values"].decoded(number) for number in numbers],
        "input": parts[given, 1],
        "output": np.where(returned == NULL, NULL, parts[returned, 1]).astype(np.int32),
    }
    note = "every value is a [key, value] pair, so keys were split (--no-keyed: they are not)"
    return fields if keyed else noted(fields, note)


def split_versions(fields: Fields) -> Fields:
    """Take `[version, value]` pairs apart, if operations are invoked with `[null, value]`."""
    given, returned, values = fields["input"], fields["output"], fields["values"]
    if not len(given) or not set(fields["fs"]) <= _REGISTERS:
        return fields
    if given[0] < 0 or values.pairs[given[0], 0] != NULL:  # all are, or none: seen at a glance
        return fields
    parts = parts_of(values)
    answered = (fields["outcome"] == _OK) & (returned != NULL)
    firsts, seconds = parts[given, 0], parts[given, 1]
    if (firsts != NULL).any() or not answered.any():
        return fields
    versions, seen = parts[returned[answered], 0], parts[returned[answered], 1]
    if (versions < 0).any() or not whole(values)[versions].all():
        return fields
    version, output = fields["version"].copy(), returned.copy()
    version[answered] = values.payload[versions]
    writes = ~np.isin(fields["f"], codes(fields, _READING))
    output[answered] = np.where(writes[answered] & (seen == seconds[answered]), NULL, seen)
    note = "values are [version, value] pairs: the versions are what the store told, no values"
    changed = {"input": seconds, "output": output.astype(np.int32), "version": version}
    return noted({**fields, **changed}, note)


def parts_of(values: Values) -> npt.NDArray[np.int32]:
    """Return the parts of each value, so that null's, at -1, are none."""
    return np.vstack([values.pairs, np.full((1, 2), NO_PAIR, dtype=np.int32)])


def whole(values: Values) -> npt.NDArray[np.bool_]:
    """Return which values are whole numbers."""
    found: npt.NDArray[np.bool_] = (values.is_text == 0) & (values.pairs[:, 0] == NO_PAIR)
    return found


def codes(fields: Fields, names: Any) -> list[int]:
    """Return the codes of those of these f that occur."""
    return [code for code, f in enumerate(fields["fs"]) if f in names]


def noted(fields: Fields, note: str) -> Fields:
    return {**fields, "notes": [*fields["notes"], note]}


def _unkeyed(fields: Fields, row: int, name: str) -> str:
    value = as_json(fields["values"].decoded(fields["input"][row])).decode()
    return (
        f"{name}: not keyed, for not all values are [key, value] pairs: process"
        f" {fields['process'][row]} invokes {fields['fs'][fields['f'][row]]} with {value}"
    )


def _shows_keys(fields: Fields, parts: Any) -> bool | None:
    """Tell pairs with a key from other pairs: None if nothing shows which they are.

    Operations that ask are invoked with a key and no value, or with the value that they will be
    answered, as in histories that were completed afterwards; a cas with a key and a pair.
    """
    fs, f, given, returned = fields["fs"], fields["f"], fields["input"], fields["output"]
    if "txn" in fs:  # a transaction of two parts is a pair too, and never one with a key
        return False
    asking = ~np.isin(f, codes(fields, WRITING))
    if asking.any():
        answered = asking & (returned != NULL) & (fields["outcome"] == _OK)
        if (parts[returned[answered], 0] != parts[given[answered], 0]).any():
            return False  # whoever asks for a key is answered about it
        empty = fields["values"].pair(NULL, NULL)
        asked = parts[given[asking], 1]
        unasked = (asked == NULL) | ((asked == empty) & (empty != ABSENT))
        completed = (given == returned)[asking] | (returned == NULL)[asking]
        return bool((unasked | completed).all())
    if "cas" in fs:
        first, second = parts[given[f == fs.index("cas")]].T
        if (parts[second, 0] == NO_PAIR).any():
            return False
        # Unless the first is a pair too: this may be a register that holds pairs.
        return None if (parts[first, 0] != NO_PAIR).any() else True
    return None
