"""Lists of micro-operations: `[":r", key, value]`, `[":w", key, value]`.

What the operation that holds them is called says nothing: some call it `txn`, others after what is
in it.
"""

from typing import Any, Final

from partita.checker.models.fitting import Operations

READS: Final = frozenset({":read", "read", ":r", "r"})
WRITES: Final = frozenset({":write", "write", ":w", "w"})


def are_transactions(operations: Operations) -> bool:
    """Say whether all values are lists of reads and writes."""
    inputs = list(operations.inputs())
    return bool(inputs) and all(is_transaction(each) for each in inputs)


def is_transaction(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_micro_operation, value))


def _is_micro_operation(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[0], str):
        return False
    return value[0] in READS | WRITES
