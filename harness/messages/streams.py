"""Clients of logs over nodes that speak in messages: requests as Maelstrom's workload kafka has."""

from collections.abc import Mapping, Sequence
from typing import Any

from partita.harness.messages.calls import Caller
from partita.harness.messages.clients import number
from partita.workloads.client import Answer, Indefinite


class Streams:
    """Messages in logs, by offset, as in the workload kafka."""

    def __init__(self, caller: Caller, node: str) -> None:
        self._caller, self._node = caller, node

    def send(self, key: str, message: str) -> Answer:
        body = {"type": "send", "key": key, "msg": number(message)}
        offset = self._caller.ask(self._node, body).get("offset")
        if type(offset) is not int or offset < 0:
            raise Indefinite("send_ok has no offset")
        return Answer(version=offset)

    def poll(self, offsets: Mapping[str, int]) -> Mapping[str, Sequence[tuple[int, str]]]:
        body = {"type": "poll", "offsets": dict(offsets)}
        logs = self._caller.ask(self._node, body).get("msgs")
        if not isinstance(logs, dict) or not all(map(_are_messages, logs.values())):
            raise Indefinite("poll_ok has no lists of offsets and messages")
        return {key: [(at, str(each)) for at, each in found] for key, found in logs.items()}

    def commit(self, offsets: Mapping[str, int]) -> None:
        self._caller.ask(self._node, {"type": "commit_offsets", "offsets": dict(offsets)})

    def committed(self, keys: Sequence[str]) -> Mapping[str, int]:
        body = {"type": "list_committed_offsets", "keys": list(keys)}
        found = self._caller.ask(self._node, body).get("offsets")
        if not isinstance(found, dict) or not all(map(_is_offset, found.values())):
            raise Indefinite("list_committed_offsets_ok has no offsets")
        return found

    def close(self) -> None:
        """Nothing is open."""


def _is_offset(value: Any) -> bool:
    return type(value) is int and value >= 0


def _are_messages(found: Any) -> bool:
    return isinstance(found, list) and all(
        isinstance(pair, list) and len(pair) == 2 and _is_offset(pair[0]) for pair in found
    )
