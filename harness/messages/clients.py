"""Clients by capability, over nodes that speak in messages: requests as Maelstrom sends them."""

from collections.abc import Sequence
from typing import Any

from partita.harness.messages.calls import (
    CONFLICT,
    NO_KEY,
    PRECONDITION,
    Caller,
    Fault,
    as_outcome,
)
from partita.harness.messages.neighbours import Neighbours
from partita.workloads.capabilities.transactions import MicroOp
from partita.workloads.client import Answer, Indefinite, Mismatch


class Registers:
    """Reads, writes and compare-and-sets, as in the workload lin-kv.

    Keys and values are sent as numbers, as far as they are: nodes may be written for no others.
    """

    def __init__(self, caller: Caller, node: str) -> None:
        self._caller, self._node = caller, node

    def read(self, key: str) -> str | None:
        try:
            answer = self._caller.call(self._node, {"type": "read", "key": number(key)})
        except Fault as error:
            if error.code == NO_KEY:
                return None
            raise as_outcome(error) from error
        if "value" not in answer:
            raise Indefinite("read_ok has no value")
        return None if answer["value"] is None else str(answer["value"])

    def write(self, key: str, value: str) -> None:
        body = {"type": "write", "key": number(key), "value": number(value)}
        self._caller.ask(self._node, body)

    def cas(self, key: str, old: str | None, new: str) -> None:
        """Set a register that holds `old`. One that holds nothing can only be made by a write."""
        body = {"type": "cas", "key": number(key), "to": number(new)}
        body |= {"from": None if old is None else number(old)}
        try:
            self._caller.call(self._node, body)
        except Fault as error:
            # A register that holds nothing was expected: that it holds nothing is no mismatch.
            if error.code == PRECONDITION or (error.code == NO_KEY and old is not None):
                raise Mismatch from error
            raise as_outcome(error) from error

    def close(self) -> None:
        """Nothing is open."""


class Transactions:
    """Whole transactions, as in the workloads txn-list-append and txn-rw-register."""

    def __init__(self, caller: Caller, node: str) -> None:
        self._caller, self._node = caller, node

    def execute(self, operations: Sequence[MicroOp]) -> Answer:
        asked = [[f, number(key), _sent(value)] for f, key, value in operations]
        try:
            answer = self._caller.call(self._node, {"type": "txn", "txn": asked})
        except Fault as error:
            if error.code == CONFLICT:
                raise Mismatch from error
            raise as_outcome(error) from error
        done = answer.get("txn")
        if not isinstance(done, list) or len(done) != len(operations):
            raise Indefinite("txn_ok does not have the transaction that was sent")
        pairs = zip(operations, done, strict=True)
        return Answer([[f, key, _got(each)] for (f, key, _), each in pairs])

    def close(self) -> None:
        """Nothing is open."""


class Sets:
    """Elements added to one set, and all of them read, as in the workload g-set."""

    def __init__(self, caller: Caller, node: str) -> None:
        self._caller, self._node = caller, node

    def add(self, key: str, element: str) -> None:
        self._caller.ask(self._node, {"type": "add", "element": number(element)})

    def members(self, key: str) -> list[str]:
        found = self._caller.ask(self._node, {"type": "read"}).get("value")
        if not isinstance(found, list):
            raise Indefinite("read_ok has no list of values")
        return [str(each) for each in found]

    def close(self) -> None:
        """Nothing is open."""


class Echoes:
    """Texts that are answered with the same text, as in the workload echo."""

    def __init__(self, caller: Caller, node: str) -> None:
        self._caller, self._node = caller, node

    def echo(self, text: str) -> Any:
        return self._caller.ask(self._node, {"type": "echo", "echo": text}).get("echo")

    def close(self) -> None:
        """Nothing is open."""


class Ids:
    """Ids that nodes make up, as in the workload unique-ids."""

    def __init__(self, caller: Caller, node: str) -> None:
        self._caller, self._node = caller, node

    def generate(self) -> Any:
        answer = self._caller.ask(self._node, {"type": "generate"})
        if "id" not in answer:
            raise Indefinite("generate_ok has no id")
        return answer["id"]

    def close(self) -> None:
        """Nothing is open."""


class Counters:
    """Numbers added to one counter, as in the workloads g-counter and pn-counter."""

    def __init__(self, caller: Caller, node: str) -> None:
        self._caller, self._node = caller, node

    def add(self, key: str, delta: int) -> None:
        self._caller.ask(self._node, {"type": "add", "delta": delta})

    def value(self, key: str) -> int:
        value = self._caller.ask(self._node, {"type": "read"}).get("value")
        if type(value) is not int:
            raise Indefinite("read_ok has no value that is a whole number")
        return value

    def close(self) -> None:
        """Nothing is open."""


class Broadcasts:
    """Messages that nodes pass on to each other, as in the workload broadcast."""

    def __init__(self, caller: Caller, node: str, neighbours: Neighbours) -> None:
        self._caller, self._node, self._neighbours = caller, node, neighbours

    def broadcast(self, message: str) -> None:
        self._neighbours.tell(self._caller, self._node)
        self._caller.ask(self._node, {"type": "broadcast", "message": number(message)})

    def messages(self) -> list[str]:
        self._neighbours.tell(self._caller, self._node)
        found = self._caller.ask(self._node, {"type": "read"}).get("messages")
        if not isinstance(found, list):
            raise Indefinite("read_ok has no list of messages")
        return [str(each) for each in found]

    def close(self) -> None:
        """Nothing is open."""


def number(text: str) -> Any:
    """Return what stands for a key or a value in a message: 7 for "7" and for "r7"."""
    digits = text.lstrip("abcdefghijklmnopqrstuvwxyz")
    return int(digits) if digits.isdecimal() else text


def _sent(value: Any) -> Any:
    return number(value) if isinstance(value, str) else value


def _got(operation: Any) -> Any:
    return operation[2] if isinstance(operation, list) and len(operation) == 3 else None
