"""Histories of locks, leases and watches, simulated: of a store that keeps its word.

Each has about as many events as it is asked for. With `planted`, one thing in the middle is wrong:
a lock is granted while it is held, an entry is gone too soon, a watch leaves out a change, does
not fire, or goes back.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

_MS = 1_000_000
_SECOND = 1_000 * _MS
_TTL = 4
_KEYS, _WRITERS, _WATCHERS = 50, 8, 20

# When it was, and the line.
Line = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a history looks like: of which kind (see `KINDS`), and how many events it has."""

    kind: str
    events: int
    planted: bool = False
    seed: int = 1


def write(shape: Shape, path: Path) -> None:
    """Write a history of that shape, in the order of the times."""
    random = Random(repr(shape))
    lines = sorted(KINDS[shape.kind](shape, random), key=lambda line: line[0])
    with path.open("w", encoding="ascii") as file:
        file.writelines(line for _, line in lines)


def _streams(shape: Shape, random: Random) -> Iterator[Line]:
    """Writers, and streams that follow all keys and begin again now and then, as etcd's do."""
    changes = _Changes(random)
    said = [0] * _WATCHERS  # when each stream said something last
    for stream in range(_WATCHERS):
        yield 0, _told(0, stream, "resume", stream=f"watch-{stream}", key="key", version=1)
    count = max(2, shape.events // (_WATCHERS + 2))
    for number in range(1, count + 1):
        key, value = changes.draw(number)
        begin = number * _MS
        yield from _change(begin, number, key, value)
        for stream in range(_WATCHERS):
            if shape.planted and stream == 3 and number == count // 2:
                continue
            time = said[stream] = max(said[stream] + 1, begin + random.randrange(_MS, 20 * _MS))
            more = {"stream": f"watch-{stream}", "batch": number}
            yield time, _told(time, stream, "event", value, key=key, version=number, **more)
            if random.random() < 0.0005:
                more = {"stream": f"watch-{stream}", "key": "key"}
                yield time, _told(time, stream, "resume", version=number + 1, **more)


def _shots(shape: Shape, random: Random) -> Iterator[Line]:
    """Writers, and watches that fire once and are armed again at once, as ZooKeeper's are."""
    changes = _Changes(random)
    for watcher in range(_WATCHERS):
        for key in changes.keys:
            yield 0, _told(0, watcher, "arm", key=key)
    count = max(2, shape.events // (2 * _WATCHERS + 2))
    for number in range(1, count + 1):
        key, value = changes.draw(number)
        begin = number * _MS
        yield from _change(begin, number, key, value)
        for watcher in range(_WATCHERS):
            # The next change of a key that is armed again comes later than this.
            time = begin + random.randrange(_MS // 2)
            if not (shape.planted and watcher == 3 and number == count // 2):
                yield time, _told(time, watcher, "fire", key=key)
            time += 1
            version = {} if value is None else {"version": number}
            yield time, _told(time, watcher, "arm", value, key=key, **version)


def _polls(shape: Shape, random: Random) -> Iterator[Line]:
    """Writers, and queries that wait for the next index, as Consul's do."""
    changes, planted = _Changes(random), not shape.planted
    polled: set[str] = set()
    count = max(2, shape.events // (_WATCHERS + 2))
    for number in range(1, count + 1):
        key, value = changes.draw(number)
        begin = number * _MS
        yield from _change(begin, number, key, value)
        for watcher in range(_WATCHERS):
            goes_back = not planted and number >= count // 2 and key in polled
            planted |= goes_back
            time = begin + random.randrange(_MS // 2)
            more: dict[str, object] = {} if value is None else {"modified": number}
            more |= {"stream": f"watch-{watcher}/{key}", "version": 0 if goes_back else number}
            yield time, _told(time, watcher, "poll", value, key=key, **more)
        polled.add(key)


class _Changes:
    """What is written: each value once, and what is there is sometimes deleted."""

    def __init__(self, random: Random) -> None:
        self.keys = [f"key{number:03}" for number in range(_KEYS)]
        self._random = random
        self._there: set[str] = set()

    def draw(self, number: int) -> tuple[str, str | None]:
        """Return a key and its new value, None if it is deleted."""
        key = self._random.choice(self.keys)
        if key in self._there and self._random.random() < 0.25:
            self._there.discard(key)
            return key, None
        self._there.add(key)
        return key, str(number)


def _change(begin: int, number: int, key: str, value: str | None) -> Iterator[Line]:
    f = "delete" if value is None else "write"
    process = 100 + number % _WRITERS
    yield begin, _line(begin, "invoke", process, f, value, key=key)
    end = begin + _MS // 4
    yield end, _line(end, "ok", process, f, value, key=key, version=number)


def _locks(shape: Shape, random: Random) -> Iterator[Line]:
    """Clients that queue for locks, add to what they protect, and release them."""
    yield from _grants(shape, random, "acquire", "release")


def _elections(shape: Shape, random: Random) -> Iterator[Line]:
    """Candidates that queue for leaderships, lead and resign."""
    yield from _grants(shape, random, "campaign", "resign")


def _grants(shape: Shape, random: Random, takes: str, gives: str) -> Iterator[Line]:
    """Each key is taken in turn by three clients of its own, whose sessions renew themselves."""
    per_grant = 4 if takes == "campaign" else 6
    count, keys = max(2, shape.events * 9 // 10 // per_grant), 10
    free = [(0, key) for key in range(keys)]  # when each key is free again
    asked = [0] * (3 * keys)
    renewed = 0
    for token in range(1, count + 1):
        at, key = heapq.heappop(free)
        client = 3 * key + token % 3
        got = max(at, asked[client]) + random.randrange(1, _MS)
        if shape.planted and token == count // 2:
            client = min(range(3 * key, 3 * key + 3), key=asked.__getitem__)
            got = max(asked[client], at - 4 * _MS)  # its holder has not released it
        begin = asked[client]
        name, session = f"lock{key}", f"s{client}"
        yield begin, _line(begin, "invoke", client, takes, f"c{client}", key=name)
        said = {"version": token, "session": session, "ttl": _TTL, "grace": 1}
        yield got, _line(got, "ok", client, takes, f"c{client}", key=name, **said)
        left = max(got, at) + random.randrange(10 * _MS, 20 * _MS)
        if takes == "acquire":
            used = {"key": name, "version": token}
            yield got + 1, _told(got + 1, client, "resource", **used)
            yield left - 1, _told(left - 1, client, "resource", token, **used)
        yield left, _line(left, "invoke", client, gives, None, key=name)
        freed = left + random.randrange(1, 3 * _MS)
        yield freed, _line(freed, "ok", client, gives, None, key=name)
        asked[client] = freed + 1
        heapq.heappush(free, (freed, key))
        while renewed < freed:
            renewed += _SECOND // 2
            for each in range(3 * keys):
                yield renewed, _beat(renewed, each, f"s{each}")


def _leases(shape: Shape, random: Random) -> Iterator[Line]:
    """Sessions with an entry each: some are closed, the others are left alone and end."""
    owners, looks = 50, 12
    count = max(2, shape.events // (8 + 4 * looks))
    for number in range(count):
        owner, begin = number % owners, number // owners * 12 * _SECOND + number % owners * _MS
        key, session, revision = f"entry{owner:03}", f"s{number}", number + 1
        named = {"session": session}
        said = {**named, "ttl": _TTL, "grace": 1}
        yield from _both(begin, owner, "open", None, **said)
        yield from _both(
            begin + 2 * _MS, owner, "ephemeral", "x", key=key, version=revision, **named
        )
        yield begin + 200 * _MS, _beat(begin + 200 * _MS, owner, session)
        closes = random.random() < 0.5
        if closes:
            yield from _both(begin + 4 * _SECOND, owner, "close", None, **named)
        gone = begin + 4 * _SECOND if closes else begin + (_TTL * 1_000 + 190) * _MS
        if shape.planted and number == count // 2:
            gone = begin + 2 * _SECOND
        for look in range(2 * looks):
            at = begin + (look * 300 + 4) * _MS
            there = at < gone
            answer = {"version": revision} if there else {}
            process = 1_000 + (number * looks + look) % 500
            yield from _both(at, process, "look", None, "x" if there else None, key=key, **answer)


def _both(
    begin: int, process: int, f: str, value: object, answer: object = None, **more: object
) -> Iterator[Line]:
    key = {"key": more["key"]} if "key" in more else {}
    yield begin, _line(begin, "invoke", process, f, value, **key)
    end = begin + _MS
    answer = value if answer is None else answer
    yield end, _line(end, "ok", process, f, answer, **more)


def _beat(time: int, process: int, session: str) -> str:
    more = {"session": session, "ttl": _TTL, "grace": 1}
    return _told(time, process, "beat", True, sent=time - 1_000, **more)


def _told(time: int, process: int, f: str, value: object = None, **more: object) -> str:
    return _line(time, "event", process, f, value, **more)


def _line(time: int, type_: str, process: int, f: str, value: object = None, **more: object) -> str:
    """Return an event in JSON: of texts that need no escape."""
    rest = "".join(f',"{name}":{_json(each)}' for name, each in more.items())
    return (
        f'{{"time":{time},"type":"{type_}","process":{process},"f":"{f}"'
        f',"value":{_json(value)}{rest}}}\n'
    )


def _json(value: object) -> object:
    if isinstance(value, str):
        return f'"{value}"'
    if value is None:
        return "null"
    return "true" if value is True else value


KINDS: dict[str, Callable[[Shape, Random], Iterator[Line]]] = {
    "locks": _locks,
    "elections": _elections,
    "leases": _leases,
    "streams": _streams,
    "one-shot watches": _shots,
    "queries": _polls,
}
