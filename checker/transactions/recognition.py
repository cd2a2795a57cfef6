"""Which histories are of transactions, by what their operations were given.

What an operation is called says nothing: most call it `txn`, others after what is in it.
"""

from collections.abc import Iterator
from typing import Any, Final

from partita.checker.history import History
from partita.checker.transactions.micro_ops import MicroOp, micro_op

# So many transactions are looked at, from all over the history, for what they are made of.
_SAMPLE: Final = 100
# So many, from its beginning, for values that are written twice.
_BEGINNING: Final = 1_000


def is_of_transactions(history: History) -> bool:
    """Say whether half of the operations are lists of micro-operations: others are mistakes."""
    rows = range(0, len(history), max(1, len(history) // _SAMPLE))
    found = [_steps(history, row) for row in rows]
    return any(found) and 2 * sum(steps is not None for steps in found) >= len(found)


def is_written_once(history: History) -> bool:
    """Say whether what is written to registers differs, or whether there are lists.

    Registers whose values come back need a search, as the model multi-register has it.
    """
    seen: set[tuple[Any, Any]] = set()
    for step in _beginning(history):
        if step.f == "append":
            return True
        written = _frozen(step.key), _frozen(step.value)
        if step.f == "w" and written in seen:
            return False
        if step.f == "w":
            seen.add(written)
    return True


def _beginning(history: History) -> Iterator[MicroOp]:
    for row in range(min(len(history), _BEGINNING)):
        yield from _steps(history, row) or ()


def _steps(history: History, row: int) -> list[MicroOp] | None:
    """Return the micro-operations that an operation was given, None if it is no list of them."""
    given = history.values.decoded(history.input[row])
    if not isinstance(given, list):
        return None
    steps = [micro_op(each) for each in given]
    return None if None in steps else [each for each in steps if each is not None]


def _frozen(value: Any) -> str:
    return repr(value)
