"""Anomalies in English: what each transaction did, why one came before the other, what it means.

G2-item (write skew)
T1 (process 3, 4.210 s to 4.215 s) read x as [], without the 1 that T2 appended.
T2 (process 7, 4.211 s to 4.219 s) read y as [], without the 1 that T1 appended.
So T1 came before T2, and T2 before T1.
Each transaction missed what the other wrote: …
"""

from collections.abc import Iterator, Sequence

from partita.checker.explain import capital, listed, when
from partita.checker.history import History
from partita.checker.transactions.analysis import Anomaly, Edge, Example
from partita.checker.transactions.anomalies import Kind, kind
from partita.checker.transactions.isolation import DECIDED, closure, strongest_possible, weakest
from partita.checker.transactions.micro_ops import (
    first_read,
    found,
    micro_ops,
    plain,
    shown,
    written,
)
from partita.checker.verdict import Counterexample

_RULES = {
    "told": "the store's own revisions say so",
    "unread": "nobody read it, so it came after all that was read",
    "writes-follow-reads": "who reads a value and writes the key writes after it",
    "linearizable-keys": "each single key is taken to be linearizable",
    "sequential-keys": "each single key is taken to keep the order of processes",
}


def example_of(history: History, anomaly: Anomaly) -> Example:
    """Choose what to tell: what needs least of real time, then the shortest, then the first."""

    def price(example: Example) -> tuple[int, int, int, int, tuple[int, ...]]:
        ordered = [edge.relation for edge in example.edges]
        began = [int(history.invoked_rank[row]) for row in example.rows]
        span = max(began) - min(began) if began else 0
        late = ordered.count("realtime"), ordered.count("process")
        return len(example.rows), *late, span, example.rows

    return min(anomaly.examples, key=price)


def explained(history: History, name: str, example: Example) -> Counterexample:
    """Tell of one occurrence of an anomaly."""
    turned = from_the_first(history, example)
    return Counterexample(turned.rows, "\n".join(_lines(history, name, turned)), example.key)


def from_the_first(history: History, example: Example) -> Example:
    """Turn a cycle so that it begins with the transaction that was invoked first."""
    edges = example.edges
    if not edges:
        return example
    starts = [edge.source for edge in edges]
    place = min(range(len(edges)), key=lambda at: int(history.invoked_rank[starts[at]]))
    turned = edges[place:] + edges[:place]
    rows = tuple(dict.fromkeys(edge.source for edge in turned))
    return Example(rows, turned, example.key, example.value, example.facts)


def named(example: Example) -> dict[int, str]:
    """Name transactions T1, T2, … in the order in which they are told of."""
    return {row: f"T{number}" for number, row in enumerate(example.rows, 1)}


def in_a_line(name: str, anomaly: Anomaly) -> str:
    """Tell a kind of anomaly and how often it was found."""
    known = kind(name)
    least = "at least " if anomaly.at_least else ""
    called = f" ({known.called})" if known.called and known.called != name else ""
    return f"{name}{called}, {least}{anomaly.count:,} found: {known.meaning}".rstrip(": ")


def _lines(history: History, name: str, example: Example) -> Iterator[str]:
    known = kind(name)
    yield f"{name} ({known.called})."
    names = _Names(history, example)
    if example.edges:
        yield from (capital(_edge(history, edge, names)) for edge in example.edges)
        yield _circle(example, names)
    else:
        yield from (_alone(history, row, example, names) for row in example.rows)
    if known.meaning:
        yield known.meaning
    if known.rules_out:
        yield _border(known)


def _border(known: Kind) -> str:
    """Say which models do not allow it, and which do."""
    gone = weakest(closure(known.rules_out))
    allowed = [each for each in strongest_possible(known.rules_out) if each in DECIDED]
    ruled_out = f"{' and '.join(gone)} {'do' if len(gone) > 1 else 'does'} not allow it"
    if not allowed:
        return f"Not even {ruled_out.replace('does not allow', 'allows')}."
    return capital(f"{ruled_out}; {listed(allowed)} {'do' if len(allowed) > 1 else 'does'}.")


class _Names:
    """Says when and by whom a transaction was made where it is named for the first time."""

    def __init__(self, history: History, example: Example) -> None:
        self._history, self.short = history, named(example)
        self._told: set[int] = set()

    def of(self, row: int) -> str:
        if row in self._told:
            return self.short[row]
        self._told.add(row)
        process = self._history.process_of(row)
        return f"{self.short[row]} (process {process}, {when(self._history, row)})"


def _edge(history: History, edge: Edge, names: _Names) -> str:
    sentence = {
        "ww": _ww, "wr": _wr, "rw": _rw, "process": _process, "realtime": _realtime,
    }[edge.relation](history, edge, names)  # fmt: skip
    why = _RULES.get(edge.rule)
    return f"{sentence} ({why})." if why else f"{sentence}."


def _ww(history: History, edge: Edge, names: _Names) -> str:
    first = written(history, edge.source, edge.key, edge.before)
    second = written(history, edge.target, edge.key, edge.after)
    one, other = names.of(edge.source), names.of(edge.target)
    if second.f == "append":
        return f"{one} {first.done()}, and {other} appended {shown(edge.after)} after it"
    return f"{one} {first.done()}, and {other} replaced it with {shown(edge.after)}"


def _wr(history: History, edge: Edge, names: _Names) -> str:
    step = written(history, edge.source, edge.key, edge.before)
    one, other = names.of(edge.source), names.of(edge.target)
    read = first_read(history, edge.target, edge.key)
    if step.f == "append" and read is not None and isinstance(read.value, list):
        seen = "it" if read.value == [edge.before] else f"its {shown(edge.before)}"
        return f"{one} {step.done()}, and {other} read {seen} in {found(read.value)}"
    return f"{one} {step.done()}, and {other} read it"


def _rw(history: History, edge: Edge, names: _Names) -> str:
    step = written(history, edge.target, edge.key, edge.after)
    read = first_read(history, edge.source, edge.key)
    one, other = names.of(edge.source), names.of(edge.target)
    seen = found(edge.before if read is None else read.value)
    if step.f == "append":
        missed = f"without the {shown(edge.after)} that {other} appended"
        return f"{one} read {plain(edge.key)} as {seen}, {missed}"
    return f"{one} read {plain(edge.key)} as {seen}, before {other} wrote {shown(edge.after)} to it"


def _process(history: History, edge: Edge, names: _Names) -> str:
    process = history.process_of(edge.source)
    return (
        f"process {process} had made {names.of(edge.source)} before it made {names.of(edge.target)}"
    )


def _realtime(history: History, edge: Edge, names: _Names) -> str:
    return f"{names.of(edge.source)} had ended before {names.of(edge.target)} began"


def _circle(example: Example, names: _Names) -> str:
    """Say in which order they came: each before the next one, and so before itself."""
    pairs = [(names.short[edge.source], names.short[edge.target]) for edge in example.edges]
    if len(pairs) == 1:
        return f"So {pairs[0][0]} came before itself."
    steps = [f"{one} came before {other}" if not at else f"{one} before {other}"
             for at, (one, other) in enumerate(pairs)]  # fmt: skip
    return f"So {listed(steps)}: that cannot be."


def _alone(history: History, row: int, example: Example, names: _Names) -> str:
    """Tell what a transaction did to the key that it is about, and what came of it."""
    steps = [each for each in micro_ops(history, row)
             if example.key is None or each.key == example.key]  # fmt: skip
    done = listed(_short([each.done() for each in steps])) or "did something else"
    came = {"ok": "", "fail": ", and failed", "info": ", and got no answer"}
    return f"{capital(names.of(row))} {done}{came[history[row].outcome]}."


def _short(steps: Sequence[str], most: int = 6) -> list[str]:
    """Leave out the middle of what is too long to be read."""
    if len(steps) <= most:
        return list(steps)
    return [*steps[: most - 1], f"did {len(steps) - most} things more", steps[-1]]
