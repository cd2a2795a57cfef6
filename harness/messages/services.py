"""Stores that nodes may build upon, as if they were nodes: the protocol's services.

Each takes a request and returns the body of the answer. They live in the router's thread.
"""

import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from typing import Any

import msgspec

from partita.harness.messages.calls import NO_KEY, NOT_SUPPORTED, PRECONDITION
from partita.harness.messages.router import Router

Body = Mapping[str, Any]
Answer = dict[str, Any]
REPLICAS = 5
# How far the clocks of a store in which the last write wins differ, at most.
SKEW_S = 0.01
# How often a replica hears of what another one has, against each request.
GOSSIP = 0.2

MALFORMED = 12


class Absent(Exception):
    """There is no such key."""


class Unequal(Exception):
    """A compare-and-set met another value."""


class LinKv:
    """One map, which every request sees as it is now."""

    def __init__(self) -> None:
        self._held: dict[Any, Any] = {}

    def read(self, client: str, key: Any) -> Any:
        try:
            return self._held[key]
        except KeyError:
            raise Absent from None

    def write(self, client: str, key: Any, value: Any) -> None:
        self._held[key] = value

    def newest(self, client: str, key: Any) -> Any:
        return self.read(client, key)


class SeqKv:
    """One order of all writes, in which each client stands somewhere and never goes back.

    A read goes on by as much as is drawn, and shows what was there then. A change goes to the end.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._moments: dict[Any, list[int]] = defaultdict(list)
        self._values: dict[Any, list[Any]] = defaultdict(list)
        self._now = 0
        self._at: dict[str, int] = defaultdict(int)

    def read(self, client: str, key: Any) -> Any:
        self._at[client] = moment = self._random.randint(self._at[client], self._now)
        place = bisect_right(self._moments[key], moment)
        if not place:
            raise Absent
        return self._values[key][place - 1]

    def write(self, client: str, key: Any, value: Any) -> None:
        self._now += 1
        self._moments[key].append(self._now)
        self._values[key].append(value)
        self._at[client] = self._now

    def newest(self, client: str, key: Any) -> Any:
        """What a compare-and-set compares: it happens at the end."""
        self._at[client] = self._now
        if not self._values[key]:
            raise Absent
        return self._values[key][-1]


class LwwKv:
    """Several replicas, of which any answers; the write with the latest time stays."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._held: list[dict[Any, tuple[float, Any]]] = [{} for _ in range(REPLICAS)]
        self._clocks = [random.uniform(-SKEW_S, SKEW_S) for _ in range(REPLICAS)]

    def read(self, client: str, key: Any) -> Any:
        return self._got(self._random.randrange(REPLICAS), key)

    def newest(self, client: str, key: Any) -> Any:
        return self.read(client, key)

    def write(self, client: str, key: Any, value: Any) -> None:
        place = self._random.randrange(REPLICAS)
        self._held[place][key] = time.monotonic() + self._clocks[place], value

    def _got(self, place: int, key: Any) -> Any:
        if self._random.random() < GOSSIP:
            other = self._held[self._random.randrange(REPLICAS)]
            for each, told in other.items():
                self._held[place][each] = max(told, self._held[place].get(each, told), key=_moment)
        try:
            return self._held[place][key][1]
        except KeyError:
            raise Absent from None


Map = LinKv | SeqKv | LwwKv


def _moment(told: tuple[float, Any]) -> float:
    return told[0]


def answered(store: Map, client: str, asked: Body) -> Answer:
    """Carry a request out on a map."""
    kind = asked.get("type")
    try:
        key = _hashable(asked["key"])
        if kind == "read":
            return {"type": "read_ok", "value": store.read(client, key)}
        if kind == "write":
            store.write(client, key, asked["value"])
            return {"type": "write_ok"}
        if kind == "cas":
            _compare_and_set(store, client, key, asked)
            return {"type": "cas_ok"}
    except Absent:
        return _error(NO_KEY, f"there is no key {asked['key']!r}")
    except Unequal as error:
        return _error(PRECONDITION, str(error))
    except KeyError as error:
        return _error(MALFORMED, f"{kind} needs {error.args[0]}")
    return _error(NOT_SUPPORTED, f"there is no request {kind!r}")


def _compare_and_set(store: Map, client: str, key: Any, asked: Body) -> None:
    try:
        held = store.newest(client, key)
    except Absent:
        if not asked.get("create_if_not_exists"):
            raise
    else:
        if held != asked["from"]:
            raise Unequal(f"expected {asked['from']!r}, but had {held!r}")
    store.write(client, key, asked["to"])


def _hashable(key: Any) -> Any:
    """Keys may be lists or objects: as text they can be looked up."""
    return key if isinstance(key, str | int) else msgspec.json.encode(key)


def _error(code: int, text: str) -> Answer:
    return {"type": "error", "code": code, "text": text}


class Timestamps:
    """Numbers that grow, one for each request."""

    def __init__(self) -> None:
        self._last = -1

    def __call__(self, client: str, asked: Body) -> Answer:
        if asked.get("type") != "ts":
            return _error(NOT_SUPPORTED, f"there is no request {asked.get('type')!r}")
        self._last += 1
        return {"type": "ts_ok", "ts": self._last}


def attach_all(router: Router, seed: int) -> None:
    """Let all services answer at their names."""
    maps: dict[str, Map] = {
        "lin-kv": LinKv(),
        "seq-kv": SeqKv(Random(f"{seed} seq-kv")),
        "lww-kv": LwwKv(Random(f"{seed} lww-kv")),
    }
    for name, store in maps.items():
        _attach(router, name, partial(answered, store))
    _attach(router, "lin-tso", Timestamps())


def _attach(router: Router, name: str, service: Callable[[str, Body], Answer]) -> None:
    def take(client: str, body: msgspec.Raw) -> None:
        asked = msgspec.json.decode(body)
        if isinstance(asked, dict) and "msg_id" in asked:
            router.send(name, client, service(client, asked) | {"in_reply_to": asked["msg_id"]})

    router.attach(name, take)
