"""Which model a history is probably of, by the operations in it.

Only a guess for those who do not name one, which is why it comes with its reason.
"""

from typing import Final

from partita.checker.history import History
from partita.checker.models.model import ModelError

_BY_OPERATIONS: Final = (
    ({"read", "write", "cas"}, "cas-register"),
    ({"acquire", "release"}, "mutex"),
    ({"get", "put", "append"}, "kv"),
    ({"txn"}, "multi-register"),
    ({"enqueue", "dequeue"}, "fifo-queue"),
    ({"read", "append"}, "append"),
)


def fitting_model(history: History) -> str:
    """Return the name of the model that fits the operations of a history.

    `add` fits three: reads of numbers make it a counter, reads of lists `append`, as in our own
    workload (a set, if the order of elements means nothing, has to be asked for). Raises
    `ModelError` if none fits.
    """
    names = set(history.fs)
    if "add" in names and names <= {"add", "read"}:
        return "counter" if _reads_numbers(history) else "append"
    for operations, name in _BY_OPERATIONS:
        if names <= operations:
            return name
    listed = ", ".join(sorted(names)) or "none"
    raise ModelError(f"no model is known for these operations ({listed}): name one with --model")


def _reads_numbers(history: History) -> bool:
    reads = (history.f == history.f_code("read")) & (history.output >= 0)
    numbers = history.output[reads]
    return bool(len(numbers)) and isinstance(history.values[int(numbers[0])], int)
