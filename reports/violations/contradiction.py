"""Why a few operations cannot stand in one order: what had to come before what, and the ring in it.

The checker names the operations that contradict each other. Here they become a graph: real time
puts an operation after every one that was over before it was invoked, and values put a read after
the write it saw and before the write that replaced it. A ring in this graph is the contradiction
in a form that can be drawn: an order that would be needed, and the link that forbids it.

Operations that ended `info` are taken to have happened: the checker names one only if another
operation shows that it did. A register's values are used only where each was written once. Then a
value that was replaced never comes back, which is what most of the reasons here rest on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise, permutations
from typing import Any, Literal

import msgspec
import networkx as nx

from partita.checker import History
from partita.checker.explain import is_cas, moment, quoted, who

# Rings are looked for among so many operations; more than these nobody could take in.
ROWS_MAX = 16
TRIES = 6


@dataclass(frozen=True, slots=True)
class Link:
    """`before` had to come before `after` (rows of the history), for a reason in English."""

    before: int
    after: int
    kind: Literal["time", "value"]
    # Most links are never spoken of, and finding the words takes longer than the link.
    say: Callable[[], str] = field(compare=False, repr=False)

    @property
    def reason(self) -> str:
        return self.say()


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
    if len(rows) > ROWS_MAX:
        return Contradiction(tuple(rows), tuple(rows))
    order = _order(history, rows)
    place = {row: at for at, row in enumerate(order)}
    broken_once = []
    for ring in _rings(history, rows, set()):
        broken = [at for at, link in enumerate(ring) if place[link.before] > place[link.after]]
        if len(broken) == 1:
            at = broken[0]
            broken_once.append([*ring[at + 1 :], *ring[:at], ring[at]])
    if not broken_once:
        return Contradiction(tuple(rows), tuple(order))
    *needed, forbidden = min(broken_once, key=lambda ring: _complexity(history, ring))
    return Contradiction(tuple(rows), tuple(order), tuple(needed), forbidden)


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


def _rings(history: History, rows: Sequence[int], broken: Broken) -> list[list[Link]]:
    """The shortest ring through each link, the plainest first; empty if there is an order."""
    graph = _graph(_links(history, rows, broken))
    rings = []
    for component in nx.strongly_connected_components(graph):
        for before, after in graph.subgraph(component).edges:
            nodes = [before, *nx.shortest_path(graph, after, before)]
            rings.append([graph.edges[pair]["link"] for pair in pairwise(nodes)])
    return sorted(rings, key=lambda ring: _complexity(history, ring))


def _complexity(history: History, ring: Sequence[Link]) -> tuple[int, int, int]:
    """Short rings first, then those with most of real time; then those that end latest.

    What went wrong showed at the end.
    """
    by_value = sum(link.kind == "value" for link in ring)
    return len(ring), by_value, -int(history.invoked_rank[_latest(history, ring).after])


def _latest(history: History, ring: Sequence[Link]) -> Link:
    """The link to break: one of real time, the latest, if there is any."""
    by_time = [link for link in ring if link.kind == "time"] or list(ring)
    return max(by_time, key=lambda link: int(history.invoked_rank[link.after]))


def _order(history: History, rows: Sequence[int]) -> list[int]:
    """An order that keeps all links but as few as need be, and what follows from those."""
    broken: Broken = set()
    while rings := _rings(history, rows, broken):
        broken.add(_to_break(history, rows, rings, broken))
    graph = _graph(_links(history, rows, broken))
    graph.add_nodes_from(rows)
    key = history.invoked_rank.__getitem__
    return [int(row) for row in nx.lexicographical_topological_sort(graph, key=key)]


def _to_break(
    history: History, rows: Sequence[int], rings: Sequence[Sequence[Link]], broken: Broken
) -> tuple[int, int]:
    """The link whose breaking leaves no ring, or if there is none, that of the plainest ring."""
    latest = [_latest(history, ring) for ring in rings]
    pairs = list(dict.fromkeys((link.before, link.after) for link in latest))[:TRIES]
    alone = (pair for pair in pairs if _consistent(history, rows, broken | {pair}))
    return next(alone, pairs[0])


def _consistent(history: History, rows: Sequence[int], broken: Broken) -> bool:
    graph = _graph(_links(history, rows, broken))
    return bool(nx.is_directed_acyclic_graph(graph))


def _over_before(history: History, before: int, after: int, broken: Broken) -> bool:
    over = history.completed_rank[before] < history.invoked_rank[after]
    return bool(over) and (before, after) not in broken


def _by_time(history: History, rows: Sequence[int], broken: Broken) -> Iterator[Link]:
    for before, after in permutations(rows, 2):
        if _over_before(history, before, after, broken):
            yield Link(before, after, "time", partial(_over, history, before, after))


def _over(history: History, before: int, after: int) -> str:
    return (
        f"{named(history, before)} was over at {moment(history, before, completed=True)}, "
        f"before {named(history, after)} was invoked at {moment(history, after)}"
    )


def named(history: History, row: int) -> str:
    """An operation in a few words: "process 3's write 5"."""
    output = history[row].output
    if isinstance(output, list):
        return f"process {history.process_of(row)}'s read of {len(output):,} elements"
    return who(history, row, timed=False)


def _by_value(history: History, rows: Sequence[int], broken: Broken) -> Iterator[Link]:
    ops = [history[row] for row in rows]
    fs = {op.f for op in ops}
    if fs <= {"add", "append", "read"} and fs & {"add", "append"}:
        yield from _by_elements(history, rows)
    elif all(op.f in ("read", "get", "write", "put") or is_cas(op) for op in ops):
        yield from _by_registers(history, rows, broken)


def _by_elements(history: History, rows: Sequence[int]) -> Iterator[Link]:
    """A read comes after what it returned and before what it did not."""
    reads = [row for row in rows if history[row].f == "read" and history[row].outcome == "ok"]
    for read in reads:
        returned = {_text(each) for each in history[read].output or ()}
        for add in (row for row in rows if history[row].f != "read"):
            if _text(history[add].input) in returned:
                yield Link(add, read, "value", partial(_returned, history, add, read))
            elif history[add].outcome == "ok":
                yield Link(read, add, "value", partial(_missed, history, add, read))


def _returned(history: History, add: int, read: int) -> str:
    element = quoted(history[add].input)
    return f"{named(history, read)} has {element}, which {named(history, add)} put there"


def _missed(history: History, add: int, read: int) -> str:
    element = quoted(history[add].input)
    return f"{named(history, read)} has no {element}, so it came before {named(history, add)}"


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
    writers = {value: row for row, value in register.puts.items()}
    for seer, value in register.needs.items():
        writer = writers.get(value)
        if writer is not None and writer != seer:
            yield Link(writer, seer, "value", partial(_wrote, register, seer, writer))
    for replacer in register.both():
        value = register.needs[replacer]
        for seer in (row for row, seen in register.needs.items() if seen == value):
            if seer != replacer:
                say = partial(_replaced, register, seer, replacer)
                yield Link(seer, replacer, "value", say)


def _wrote(register: _Register, seer: int, writer: int) -> str:
    history, value = register.history, register.needs[seer].decode()
    return f"{named(history, seer)} came after {named(history, writer)}, for it needs {value}"


def _replaced(register: _Register, seer: int, replacer: int) -> str:
    history, value = register.history, register.needs[seer].decode()
    before = f"{named(history, seer)} came before {named(history, replacer)}"
    return f"{before}, for it needs {value}, which the cas replaced"


def _between_chains(register: _Register, broken: Broken) -> Iterator[Link]:
    """Of two values one came first; whatever had to do with it came first, too."""
    chains = [set(chain) for chain in nx.connected_components(register.chains)]
    for first, second in permutations(chains, 2):
        why = _why_first(register, first, second, broken)
        if why is None:
            continue
        for before in register.members(first):
            for after in register.members(second):
                yield Link(before, after, "value", partial(_came, register, why, before, after))


def _came(register: _Register, why: Callable[[], str], before: int, after: int) -> str:
    history = register.history
    return f"{why()}, so {named(history, before)} came before {named(history, after)}"


def _why_first(
    register: _Register, first: set[bytes], second: set[bytes], broken: Broken
) -> Callable[[], str] | None:
    """How we know that one chain of values came before another; None if we do not."""
    if b"null" in first and b"null" not in register.puts.values():
        return lambda: "the register was empty only before anything was written"
    for before in register.members(first):
        for after in register.members(second):
            if _over_before(register.history, before, after, broken):
                values = register.value(before, first), register.value(after, second)
                return partial(_seen_in_turn, register.history, before, after, values)
    return None


def _seen_in_turn(history: History, before: int, after: int, values: tuple[str, str]) -> str:
    over = f"{named(history, before)} was over before {named(history, after)} began"
    return f"{values[0]} came before {values[1]} ({over})"
