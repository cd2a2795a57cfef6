"""Why a few operations cannot stand in one order: what had to come before what, and the ring in it.

The checker names the operations that contradict each other. Here they become a graph: real time
puts an operation after every one that was over before it was invoked, and values put a read after
the write it saw and before the write that replaced it. A ring in this graph is the contradiction
in a form that can be drawn: an order that would be needed, and the link that forbids it.

A register's values are used only where each was written once. Then a value that was replaced never
comes back, which is what most of the reasons here rest on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import Any, Literal

import msgspec
import networkx as nx

from checker import History
from checker.explain import moment, quoted, who


@dataclass(frozen=True, slots=True)
class Link:
    """`before` had to come before `after` (rows of the history), for a reason in English."""

    before: int
    after: int
    kind: Literal["time", "value"]
    reason: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """`needed` are links that must hold and end in what `forbidden` says the other way round.

    Together they form a ring, which begins after the forbidden link; empty and None if none was
    found. `order` are the operations as they would have to follow each other.
    """

    rows: tuple[int, ...]
    order: tuple[int, ...]
    needed: tuple[Link, ...] = ()
    forbidden: Link | None = None


def contradiction_of(history: History, rows: Sequence[int]) -> Contradiction:
    """Find the ring in the links between a few operations (rows of the history)."""
    rows = sorted(rows, key=lambda row: int(history.invoked_rank[row]))
    ring = _shortest_ring(history, _graph(_links(history, rows, set())))
    order = tuple(_order(history, rows))
    if not ring:
        return Contradiction(tuple(rows), order)
    forbidden = _forbidden(history, ring)
    at = ring.index(forbidden)
    return Contradiction(tuple(rows), order, tuple(ring[at + 1 :] + ring[:at]), forbidden)


# Pairs of operations that a needed order cannot keep.
Broken = set[tuple[int, int]]


def _links(history: History, rows: Sequence[int], broken: Broken) -> list[Link]:
    links = [*_by_time(history, rows, broken), *_by_value(history, rows, broken)]
    return [link for link in links if (link.before, link.after) not in broken]


def _graph(links: Sequence[Link]) -> Any:
    """A graph of the links; where time and value agree on one, time says it more plainly."""
    graph = nx.DiGraph()
    for link in sorted(links, key=lambda link: link.kind, reverse=True):
        graph.add_edge(link.before, link.after, link=link)
    return graph


def _shortest_ring(history: History, graph: Any) -> list[Link]:
    """The shortest ring; of several the one that ends latest: what went wrong showed there."""
    rings = []
    for before, after in graph.edges:
        if nx.has_path(graph, after, before):
            nodes = [before, *nx.shortest_path(graph, after, before)]
            rings.append([graph.edges[pair]["link"] for pair in pairwise(nodes)])
    return min(rings, key=lambda ring: _complexity(history, ring), default=[])


def _complexity(history: History, ring: Sequence[Link]) -> tuple[int, int, int]:
    by_value = sum(link.kind == "value" for link in ring)
    return len(ring), by_value, -int(history.invoked_rank[_forbidden(history, ring).after])


def _forbidden(history: History, ring: Sequence[Link]) -> Link:
    """The link that the needed order breaks: one of real time, the latest, if there is any."""
    by_time = [link for link in ring if link.kind == "time"] or list(ring)
    return max(by_time, key=lambda link: int(history.invoked_rank[link.after]))


def _order(history: History, rows: Sequence[int]) -> list[int]:
    """An order that keeps all links but those that close a ring, and what follows from those."""
    broken: Broken = set()
    while ring := _shortest_ring(history, graph := _graph(_links(history, rows, broken))):
        link = _forbidden(history, ring)
        broken.add((link.before, link.after))
    graph.add_nodes_from(rows)
    key = history.invoked_rank.__getitem__
    return [int(row) for row in nx.lexicographical_topological_sort(graph, key=key)]


def _over_before(history: History, before: int, after: int, broken: Broken) -> bool:
    over = history.completed_rank[before] < history.invoked_rank[after]
    return bool(over) and (before, after) not in broken


def _by_time(history: History, rows: Sequence[int], broken: Broken) -> Iterator[Link]:
    for before, after in permutations(rows, 2):
        if _over_before(history, before, after, broken):
            ended = moment(history, before, completed=True)
            begun = moment(history, after)
            reason = (
                f"{named(history, before)} was over at {ended}, "
                f"before {named(history, after)} was invoked at {begun}"
            )
            yield Link(before, after, "time", reason)


def named(history: History, row: int) -> str:
    """An operation in a few words: "process 3's write 5"."""
    output = history[row].output
    if isinstance(output, list):
        return f"process {history.process[row]}'s read of {len(output):,} elements"
    return who(history, row, timed=False)


def _by_value(history: History, rows: Sequence[int], broken: Broken) -> Iterator[Link]:
    fs = {history[row].f for row in rows}
    if fs <= {"add", "append", "read"} and fs & {"add", "append"}:
        yield from _by_elements(history, rows)
    elif fs <= {"read", "get", "write", "put", "cas"}:
        yield from _by_registers(history, rows, broken)


def _by_elements(history: History, rows: Sequence[int]) -> Iterator[Link]:
    """A read comes after what it returned and before what it did not."""
    reads = [row for row in rows if history[row].f == "read" and history[row].outcome == "ok"]
    for read in reads:
        returned = {_text(each) for each in history[read].output or ()}
        for add in (row for row in rows if history[row].f != "read"):
            element, reader = quoted(history[add].input), named(history, read)
            if _text(history[add].input) in returned:
                reason = f"{reader} has {element}, which {named(history, add)} put there"
                yield Link(add, read, "value", reason)
            elif history[add].outcome == "ok":
                reason = f"{reader} has no {element}, so it came before {named(history, add)}"
                yield Link(read, add, "value", reason)


def _text(value: Any) -> bytes:
    return msgspec.json.encode(value)


class _Register:
    """Who needed and who wrote which value, and which values hang together by cas.

    Values are kept as JSON, so that they can be looked up. A value's *chain* are the values that
    follow each other by cas without a gap: nothing else can come between them.
    """

    def __init__(self, history: History, rows: Sequence[int]) -> None:
        self.history = history
        self.needs: dict[int, bytes] = {}
        self.puts: dict[int, bytes] = {}
        for row in rows:
            self._add(row)
        self.chains = nx.Graph()
        self.chains.add_nodes_from([*self.needs.values(), *self.puts.values()])
        self.chains.add_edges_from((self.needs[row], self.puts[row]) for row in self.both())

    def _add(self, row: int) -> None:
        op = self.history[row]
        if op.f in ("read", "get") and op.outcome == "ok":
            self.needs[row] = _text(op.output)
        elif op.f in ("write", "put") and op.outcome != "fail":
            self.puts[row] = _text(op.input)
        elif op.f == "cas" and op.outcome != "fail":
            self.needs[row], self.puts[row] = _text(op.input[0]), _text(op.input[1])
        elif op.f == "cas" and op.output is not None:
            self.needs[row] = _text(op.output)

    def both(self) -> list[int]:
        """The cas: what needed a value and replaced it."""
        return [row for row in self.needs if row in self.puts]

    def unique(self) -> bool:
        return len(set(self.puts.values())) == len(self.puts)

    def value(self, row: int, chain: set[bytes]) -> str:
        """Which of a chain's values an operation had to do with."""
        values = (self.puts.get(row), self.needs.get(row))
        return next(value.decode() for value in values if value is not None and value in chain)

    def members(self, chain: set[bytes]) -> list[int]:
        found = {row for row, value in self.needs.items() if value in chain}
        return sorted(found | {row for row, value in self.puts.items() if value in chain})


def _by_registers(history: History, rows: Sequence[int], broken: Broken) -> Iterator[Link]:
    register = _Register(history, rows)
    if not register.unique():
        return
    yield from _inside_chains(register)
    yield from _between_chains(register, broken)


def _inside_chains(register: _Register) -> Iterator[Link]:
    """A value is seen after it was written, and before it was replaced."""
    history, writers = register.history, {value: row for row, value in register.puts.items()}
    for seer, value in register.needs.items():
        writer = writers.get(value)
        if writer is not None and writer != seer:
            needs = f"{named(history, seer)} needs {value.decode()}"
            yield Link(writer, seer, "value", f"{needs}, which {named(history, writer)} wrote")
    for replacer in register.both():
        value = register.needs[replacer]
        for seer in (row for row, seen in register.needs.items() if seen == value):
            needs = f"{named(history, seer)} needs {value.decode()}"
            if seer != replacer:
                reason = f"{needs}, which {named(history, replacer)} replaced"
                yield Link(seer, replacer, "value", reason)


def _between_chains(register: _Register, broken: Broken) -> Iterator[Link]:
    """Of two values one came first; whatever had to do with it came first, too."""
    name = {row: named(register.history, row) for row in [*register.needs, *register.puts]}
    chains = [set(chain) for chain in nx.connected_components(register.chains)]
    for first, second in permutations(chains, 2):
        why = _why_first(register, first, second, broken)
        for before in register.members(first) if why else ():
            for after in register.members(second):
                reason = f"{why}, so {name[before]} came before {name[after]}"
                yield Link(before, after, "value", reason)


def _why_first(
    register: _Register, first: set[bytes], second: set[bytes], broken: Broken
) -> str | None:
    """How we know that one chain of values came before another; None if we do not."""
    history = register.history
    if b"null" in first and b"null" not in register.puts.values():
        return "the register was empty only before anything was written"
    for before in register.members(first):
        for after in register.members(second):
            if _over_before(history, before, after, broken):
                values = f"{register.value(before, first)} came before"
                over = f"{named(history, before)} was over before {named(history, after)} began"
                return f"{values} {register.value(after, second)} ({over})"
    return None
