"""Two mistakes by which what has been applied can be read only some time later, or only in part.

Without them nothing in here does anything.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from operations import WRITES, Operation, Values, carry_out

PEEK_S = 0.02
QUEUE_S = 0.15


class Late:
    """What can be read on a node: `values`, None if that is simply what has been applied."""

    def __init__(self, bug: str, node: str) -> None:
        self._bug = bug
        self._slow = sum(node.encode()) % 2  # of the two queues
        self.values: dict[str, tuple[Any, int]] | None = None
        if bug in ("txn-peek", "txn-two-queues"):
            self.values = {}

    def begin(self, values: Values) -> None:
        """Show all of a new state at once."""
        if self.values is not None:
            self.values = dict(values)

    def take(
        self,
        before: Values,
        operations: Sequence[Operation],
        changed: Values,
        index: int,
    ) -> None:
        """Show what a transaction changes, sooner or later."""
        if self.values is None:
            return
        # BUG txn-peek: the first write can be read a moment before the others are done.
        if self._bug == "txn-peek":
            self._show(dict(before))
            first = next(n for n, each in enumerate(operations, 1) if each[0] in WRITES)
            self._show(carry_out(before, operations[:first], index)[1])
            _later(PEEK_S, partial(self._show, changed))
        # BUG txn-two-queues: keys of one kind wait in a queue of their own, which is the slower
        # one; which kind that is, is not the same on all nodes.
        else:
            for key, written in changed.items():
                show = partial(self._show, {key: written})
                slow = sum(key.encode()) % 2 == self._slow
                _later(QUEUE_S, show) if slow else show()

    def _show(self, changed: Values) -> None:
        assert self.values is not None
        for key, (value, index) in changed.items():
            if index >= self.values.get(key, (None, 0))[1]:
                self.values[key] = value, index


def _later(seconds: float, action: Any) -> None:
    asyncio.get_running_loop().call_later(seconds, action)
