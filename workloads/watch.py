"""Keys that change all the time, and watches on them: everybody is told of every change.

Watches begin at old, present and future revisions, since what a store does wrong often hangs on
where a watch begins. At the end nothing is written for a while, and the watches that are left, and
new ones at every node, must come to know all that there was.
"""

import itertools
import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Annotated, Any

from partita.checker.settings import Setting
from partita.checker.watches.watches import Watches as WatchesCheck
from partita.workloads.capabilities.watches import HasCompaction, HasWriteAll, Watches
from partita.workloads.client import UNKNOWN_VERSION, Refused, answer_of
from partita.workloads.workload import Operation

PREFIX = "key"
# How far from the last revision that is known a watch may begin, and a compaction may end.
FAR = 200
AHEAD = 20
# Where watches begin, see `_since`.
BEGINNINGS = ("now", "next", "future", "old", "first")
# What not every store's clients can do.
WRITE_ALL, COMPACT = "write-all", "compact"


class Watch:
    """Changes of keys, and watches that are told of them: all, once, in their order."""

    name = "watch"
    capability = "watches"
    operations: Mapping[str, Operation] = {
        "write": Operation(),
        "delete": Operation(needed=False),
        WRITE_ALL: Operation(needed=False),
        COMPACT: Operation(needed=False),
        "read": Operation(reads=True, needed=False),
        "watch": Operation(reads=True),
        "settle": Operation(reads=True, needed=False),
    }
    stays = True  # what its clients are told at the very end is the point

    def __init__(
        self,
        keys: Annotated[int, Setting("Keys that change.", least=1, most=1_000)] = 8,
        watches: Annotated[
            float, Setting("Share of operations that begin a watch.", least=0.001, most=0.9)
        ] = 0.1,
        deletes: Annotated[
            float, Setting("Share of changes that delete.", least=0.0, most=0.9)
        ] = 0.25,
        compactions: Annotated[
            float, Setting("Share of operations that compact the log.", least=0.0, most=0.5)
        ] = 0.02,
        streams: Annotated[
            int, Setting("Watches that a client has at a time.", least=1, most=1_000)
        ] = 4,
        settle: Annotated[
            float, Setting("Seconds for the last changes to be delivered.", least=0.1, most=600)
        ] = 5.0,
    ) -> None:
        self.keys = [f"{PREFIX}{number:03}" for number in range(keys)]
        self.watches, self.deletes, self.compactions = watches, deletes, compactions
        self.streams, self.settle = streams, settle
        self._pause = min(1.0, settle / 2)  # no call may take long
        self.checks = (WatchesCheck(settle),)
        self._log = _Log()
        self._names = itertools.count(1)
        self._mine = threading.local()  # the streams of this worker's client
        self._lacking: set[str] = set()  # what the store's clients turned out not to have

    def draw(self, random: Random, number: int) -> tuple[str, str | None, Any]:
        chosen, key = random.random(), random.choice(self.keys)
        if chosen < self.watches:
            prefix = key if random.random() < 0.3 else PREFIX
            return "watch", prefix, (random.choice(BEGINNINGS), random.random())
        if chosen < self.watches + self.compactions and COMPACT not in self._lacking:
            return COMPACT, None, random.random()
        if (kind := random.random()) < 0.1:
            return "read", key, None
        deletes = random.random() < self.deletes
        if kind < 0.2 and len(self.keys) > 1 and WRITE_ALL not in self._lacking:
            other = random.choice([each for each in self.keys if each != key])
            return WRITE_ALL, None, [[key, None if deletes else str(number)], [other, str(number)]]
        return ("delete", key, None) if deletes else ("write", key, str(number))

    def prepare(self, f: str, key: str | None, value: Any) -> Any:
        if f == "watch":
            beginning, share = value or ("first", 0.0)
            name = f"watch-{next(self._names)}"
            return {"stream": name, "since": self._log.since(beginning, share)}
        if f == COMPACT:
            return self._log.to_compact(value)
        return value

    def invoke(self, client: Watches, f: str, key: str | None, value: Any, until: float) -> Any:
        if f == "settle":
            return time.sleep(max(0.0, min(self._pause, until - time.monotonic())))
        if f == "watch":
            return self._watch(client, str(key), value)
        answer = answer_of(self._asked(client, f, str(key), value))
        gone = f == "delete" or (f == WRITE_ALL and None in dict(value).values())
        self._log.note(answer.version, deleted=gone)
        return answer

    def final(self) -> Iterator[tuple[str, str | None]]:
        """Watch all that there was at every node, and wait; nothing is written any more."""
        yield "watch", PREFIX
        # A little longer than what is allowed, so that it is over when the run ends.
        for _ in range(math.ceil(self.settle / self._pause) + 1):
            yield "settle", None
        for key in self.keys:
            yield "read", key

    def _watch(self, client: Watches, prefix: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Begin a watch, and end another if there are too many: the first one lives on."""
        streams = self._streams_of(client)
        client.watch(asked["stream"], prefix, asked["since"])
        streams.append(asked["stream"])
        if len(streams) > self.streams:
            client.unwatch(streams.pop(min(1, self.streams - 1)))
        return asked

    def _streams_of(self, client: Watches) -> list[str]:
        mine = self._mine
        if getattr(mine, "client", None) is not client:
            mine.client, mine.streams = client, []
        found: list[str] = mine.streams
        return found

    def _asked(self, client: Any, f: str, key: str, value: Any) -> Any:
        if f == "read":
            return client.read(key)
        if f == "write":
            return client.write(key, value)
        if f == "delete":
            return client.delete(key)
        if f == COMPACT:
            self._need(f, isinstance(client, HasCompaction))
            return client.compact(value)
        self._need(f, isinstance(client, HasWriteAll))
        return client.write_all(dict(value))

    def _need(self, f: str, has: bool) -> None:
        """Refuse what the client cannot do, and draw no more of it."""
        if not has:
            self._lacking.add(f)
            raise Refused(f"the store's clients know no {f}")


class _Log:
    """What this side knows of the store's revisions; safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest = 0
        self._compacted = 0
        self._deletions: list[int] = []  # not compacted yet, ascending but for races

    def note(self, version: int, *, deleted: bool) -> None:
        with self._lock:
            self._newest = max(self._newest, version)
            if deleted and version > 0:
                self._deletions.append(version)

    def since(self, beginning: str, share: float) -> int:
        """Return the revision at which a watch is to begin; `share` is drawn from 0 to 1.

        "first" is the oldest that the store must still have: whoever lags behind a compaction goes
        on there. "old" may be older than that.
        """
        with self._lock:
            newest, first = self._newest, max(1, self._compacted)
        if beginning == "now" or not newest:
            return UNKNOWN_VERSION
        if beginning == "first":
            return first
        if beginning == "old":
            return max(1, newest - int(share * FAR))
        return newest + 1 + (int(share * AHEAD) if beginning == "future" else 0)

    def to_compact(self, share: float) -> int:
        """Return the revision before which all is to be forgotten, mostly one of a deletion.

        What a store forgets of a key that does not exist any more is what watches miss.
        """
        with self._lock:
            known: Sequence[int] = [each for each in self._deletions if each > self._compacted]
            chosen = max(1, self._compacted, self._newest - int(share * FAR))
            if known and share < 0.75:
                chosen = known[int(share / 0.75 * len(known))]
            self._compacted = max(self._compacted, chosen)
            self._deletions = [each for each in known if each > chosen]
            return chosen
