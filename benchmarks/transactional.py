"""Histories of transactions on lists and registers, simulated: they are strict serializable.

Each transaction happens at one moment within its interval. Keys are replaced once so many values
were written to them, and values are written once to a key. The form is Jepsen's EDN, which
Elle reads too; with `revisions` each completion tells its place, as some stores do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random


@dataclass(frozen=True, slots=True)
class Shape:
    """What a history looks like. `stale` is the share of reads that are a little old.

    With `planted`, one read in the middle shows what was there long ago.
    """

    transactions: int
    kind: str = "append"  # or "w": registers, which every transaction reads before it writes
    processes: int = 20
    keys: int = 20
    writes_per_key: int = 100
    longest: int = 4
    stale: float = 0.0
    revisions: bool = False
    planted: bool = False
    seed: int = 1


def write(shape: Shape, path: Path) -> None:
    """Write a history of that shape."""
    with path.open("w", encoding="ascii") as file:
        for line in _lines(shape):
            file.write(line)


def _lines(shape: Shape) -> Iterator[str]:
    random, store = Random(repr(shape)), _Store(shape)
    under_way: dict[int, list[list[object]]] = {}
    done: dict[int, int] = {}  # those that have happened: their revision
    begun = 0
    while begun < shape.transactions or under_way:
        process = random.randrange(shape.processes)
        if process not in under_way:
            if begun < shape.transactions:
                begun += 1
                steps = under_way[process] = store.draw(random)
                yield _event("invoke", process, steps, None)
        elif process not in done:
            done[process] = store.carry_out(under_way[process], random)
        else:
            revision = done.pop(process) if shape.revisions else done.pop(process) and None
            yield _event("ok", process, under_way.pop(process), revision)


class _Store:
    """The values of all keys, oldest first: a list, or what a register has held."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._keys = list(range(shape.keys))
        self._next_key = shape.keys
        self._drawn: dict[int, int] = {}  # how many values were drawn for a key
        self._values: dict[int, list[int]] = {}
        self._revision = 0
        self._planted = not shape.planted

    def draw(self, random: Random) -> list[list[object]]:
        """Draw the steps of a transaction, without the answers of its reads."""
        steps: list[list[object]] = []
        for _ in range(random.randint(1, self._shape.longest)):
            place = random.randrange(len(self._keys))
            key = self._keys[place]
            writes = random.random() < 0.5
            if not writes or self._shape.kind == "w":
                steps.append(["r", key, None])
            if writes:
                self._drawn[key] = number = self._drawn.get(key, 0) + 1
                steps.append([self._shape.kind, key, number])
                if number == self._shape.writes_per_key:
                    self._keys[place], self._next_key = self._next_key, self._next_key + 1
        return steps

    def carry_out(self, steps: list[list[object]], random: Random) -> int:
        """Let a transaction happen: its reads get their answers. Returns its revision."""
        self._revision += 1
        for step in steps:
            f, key, value = step
            held = self._values.setdefault(int(str(key)), [])
            if f == "r":
                seen = held[: self._seen(len(held), random)]
                lists = self._shape.kind == "append"
                step[2] = list(seen) if lists else seen[-1] if seen else None
            else:
                held.append(int(str(value)))
        return self._revision

    def _seen(self, length: int, random: Random) -> int:
        """Return how many of a key's values a read knows."""
        if not self._planted and self._revision > self._shape.transactions / 2 and length > 20:
            self._planted = True
            return length // 2
        if random.random() < self._shape.stale:
            return max(0, length - random.randrange(4))
        return length


def _event(kind: str, process: int, steps: list[list[object]], revision: int | None) -> str:
    value = " ".join(f"[:{f} {key} {_value(value)}]" for f, key, value in steps)
    told = "" if revision is None else f", :version {revision}"
    return f"{{:type :{kind}, :f :txn, :process {process}, :value [{value}]{told}}}\n"


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{' '.join(map(str, value))}]"
    return "nil" if value is None else str(value)
