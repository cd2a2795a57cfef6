"""What a transaction is made of: operations that happen at one place of the log, or not at all.

    ["check", key, version]   refuses the whole transaction if the key has another version
    ["r", key]                reads it
    ["w", key, value]         writes it
    ["append", key, element]  adds to the list under it, which is empty at first

Each one sees what those before it did.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from journal import Command

Answer = dict[str, Any]
Operation = list[Any]
# By key: the value, and the place in the log of the command that wrote it.
Values = Mapping[str, tuple[Any, int]]
# Where in the log, the key, and its new value; None: deleted.
Change = tuple[int, str, Any]

NOTHING = (None, 0)
ARGUMENTS = {"check": 1, "r": 0, "w": 1, "append": 1}
WRITES = ("w", "append")


def carry_out(
    values: Values, operations: Sequence[Operation], index: int
) -> tuple[Answer, dict[str, tuple[Any, int]]]:
    """Return the answer at that place of the log, and what the operations change.

    The answer has a pair for each operation: the value under its key then, and its version, which
    is None for what this transaction wrote itself.
    """
    changed: dict[str, tuple[Any, int]] = {}
    results = []
    for f, key, *given in operations:
        value, version = changed.get(key) or values.get(key, NOTHING)
        if f == "check" and version != given[0]:
            return {"error": "mismatch", "actual": value, "version": version}, changed
        if f == "append" and not isinstance(value, list | None):
            return {"error": f"{key} holds no list", "definite": True}, changed
        if f in WRITES:
            value = given[0] if f == "w" else [*(value or []), given[0]]
            changed[key] = value, index
        results.append([value, None if key in changed else version])
    return {"results": results, "version": index}, changed


def only_reads(command: Command) -> bool:
    """Say whether a command changes nothing."""
    if command["f"] != "txn":
        return command["f"] in ("read", "observe", "sync", "members")
    return all(each[0] not in WRITES for each in command["ops"])


def complaint(operations: Any) -> str | None:
    """Say what is wrong with what a client calls operations, None if nothing is."""
    if not isinstance(operations, list) or not operations:
        return "ops must be a list of operations"
    for each in operations:
        if not isinstance(each, list) or len(each) < 2 or each[0] not in ARGUMENTS:
            return f"an operation is a list that begins with {', '.join(ARGUMENTS)}, not {each!r}"
        if len(each) != 2 + ARGUMENTS[each[0]] or not isinstance(each[1], str):
            return f"{each[0]} takes a key, which is a string, and {ARGUMENTS[each[0]]} more"
    return None
