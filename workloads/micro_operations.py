"""What workloads of transactions share: which micro-operations are drawn, what they come to.

A transaction is a list of micro-operations: `["append", key, element]` or `["w", key, value]`, and
`["r", key, null]`, which comes back with what it read. Every value is new. A key is written about
so many times, and then a new one takes its place: lists stay short, however long a run is.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Annotated, Any, Literal

import msgspec

from partita.checker.settings import Setting
from partita.workloads.capabilities.transactions import HasExecute, MicroOp, Seen
from partita.workloads.client import UNKNOWN_VERSION, Answer, answer_of
from partita.workloads.guarded_commit import Guard, Retries, commit, retried

# Of what is read, so much is of keys that have been replaced: it shows what came last to them.
OLD_SHARE = 0.1
# As many keys one final read takes; etcd and Consul take twice as many in one transaction.
READ_TOGETHER = 30

# What the constructors of these workloads take.
Keys = Annotated[int, Setting("Keys in use at a time.", least=1, most=10_000)]
Writes = Annotated[
    int, Setting("How often a key is written, about, before another one takes its place.", least=1)
]
Length = Annotated[int, Setting("Most micro-operations of a transaction.", least=1, most=30)]
ReadOnly = Annotated[float, Setting("Share of transactions that only read.", least=0.01, most=0.99)]
Guarding = Annotated[
    Literal["store", "all", "writes"],
    Setting(
        "What a commit compares with what was read: all keys, or only those that it writes; "
        "store: nothing if the store has whole transactions, else all."
    ),
]


class Drawing:
    """Draws transactions; which ones depends on the random generator and the number alone.

    `write` is "append" or "w", and a key is called `prefix` and a number. `rmw`: whatever is
    written is read before, by the same transaction.
    """

    def __init__(
        self,
        write: str,
        prefix: str,
        *,
        keys: int,
        writes_per_key: int,
        length: int,
        read_only: float,
        rmw: bool = False,
    ) -> None:
        self._write, self._prefix, self._rmw = write, prefix, rmw
        self._keys, self._length, self._read_only = keys, length, read_only
        # A transaction of n micro-operations writes n / 2, or one if that came out as none.
        lengths = range(1, length + 1)
        writes = (1 - read_only) * sum(n / 2 + 0.5**n for n in lengths) / length
        self._life = max(1.0, writes_per_key * keys / writes)  # of a key, in draws
        self._latest = 0

    def draw(self, random: Random, number: int) -> list[MicroOp]:
        self._latest = max(self._latest, number)
        count = random.randint(1, self._length)
        writes = [False] * count
        if random.random() >= self._read_only:
            writes = [random.random() < 0.5 for _ in range(count)]
            writes[-1] |= not any(writes)
        operations: list[MicroOp] = []
        for place, writing in enumerate(writes):
            slot = random.randrange(self._keys)
            old = not writing and random.random() < OLD_SHARE
            key = self._key(slot, number, 1 if old else 0)
            if writing and self._rmw:
                operations.append(["r", key, None])
            value = number * self._length + place if writing else None
            operations.append([self._write if writing else "r", key, value])
        return operations

    def last_keys(self) -> list[str]:
        """Return the keys in use by now, and those whose places they took."""
        slots = range(self._keys)
        keys = [self._key(slot, self._latest, before) for before in (1, 0) for slot in slots]
        return list(dict.fromkeys(keys))

    def _key(self, slot: int, number: int, before: int) -> str:
        # Not all are replaced at a time.
        generation = int(number / self._life + slot / self._keys) - before
        return f"{self._prefix}{slot + self._keys * max(0, generation)}"


class FinalReads:
    """The reads that end a run, several keys in each. Each worker goes through them by itself."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing
        self._local = threading.local()

    def __iter__(self) -> Iterator[tuple[str, None]]:
        keys = self._drawing.last_keys()
        for first in range(0, len(keys), READ_TOGETHER):
            self._local.keys = keys[first : first + READ_TOGETHER]
            yield "txn", None

    def next(self) -> list[MicroOp]:
        """Return the one that this worker has come to."""
        return [["r", key, None] for key in self._local.keys]


def carry_out(
    client: Any, operations: Sequence[MicroOp], guard: str, retries: Retries, until: float
) -> Answer:
    """Have a transaction done; return it with what it read, the versions, and the retries."""
    if guard == "store" and isinstance(client, HasExecute):
        answer, refused = retried(lambda: answer_of(client.execute(operations)), retries, until)
    else:
        what: Guard = "writes" if guard == "writes" else "all"
        answer, refused = retried(lambda: _guarded(client, operations, what), retries, until)
    return answer._replace(fields={**answer.fields, "retries": refused})


def _guarded(client: Any, operations: Sequence[MicroOp], guard: Guard) -> Answer:
    keys = list(dict.fromkeys(key for _, key, _ in operations))
    done = commit(client, keys, lambda seen: _Effects(operations, seen).writes(), guard)
    effects = _Effects(operations, done.seen)
    # What reads at one moment and writes at another has no version of its own.
    version = done.version if guard == "all" else UNKNOWN_VERSION
    fields = {"versions": effects.versions(done.version)}
    folded = {"folded": effects.folded} if effects.folded else {}
    return Answer(effects.done, version, fields | folded)


class _Effects:
    """What micro-operations read and write, one after another, where `seen` was the beginning.

    All writes of a key become one: what others can see is only its last value. `folded` are the
    writes that nobody can see.
    """

    def __init__(self, operations: Sequence[MicroOp], seen: Mapping[str, Seen]) -> None:
        self._seen = seen
        self._values = {key: _decoded(each.value) for key, each in seen.items()}
        self._written: set[str] = set()
        self._own: list[bool] = []  # whether each is about what this transaction wrote
        self.done = [self._step(*operation) for operation in operations]
        self.folded = sum(f != "r" for f, _, _ in operations) - len(self._written)

    def writes(self) -> dict[str, str]:
        return {key: _encoded(self._values[key]) for key in sorted(self._written)}

    def versions(self, committed: int) -> list[int | None]:
        """Return for each the version that wrote what it read, or that it made."""
        found = [
            committed if own else self._seen[key].version
            for own, (_, key, _) in zip(self._own, self.done, strict=True)
        ]
        return [None if version == UNKNOWN_VERSION else version for version in found]

    def _step(self, f: str, key: str, value: Any) -> MicroOp:
        if f == "append":
            self._values[key] = [*(self._values[key] or []), value]
        elif f == "w":
            self._values[key] = value
        else:
            value = self._values[key]
        if f != "r":
            self._written.add(key)
        self._own.append(key in self._written)
        return [f, key, value]


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _decoded(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)
