"""The check `replicas`: in the end all nodes have the same.

A run asks each node, once all is healed, what it has itself under every key. A node may still be
catching up, so this is not enough. Whoever asks puts a *mark* before each round: a write that was
acknowledged, and that each node must show before it is asked. Every store that is meant here
carries all updates out in one order, so whoever shows the mark has all that came before it.

Two nodes with different values are a violation only if they still have the very same two values
in a later round, behind a later mark. Then each of them has both updates, for the other showed
its own before that mark. They would have to agree on which came last. What changes between two
rounds is another matter: a write that nobody was told of may arrive that late.

Such values are written once. That is true of what the workloads write.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any

import msgspec

from partita.checker.checks import Judgement
from partita.checker.explain import listed, quoted
from partita.checker.history import History
from partita.checker.verdict import Counterexample, Validity

PROCESS = "replicas"
# A round of the comparison: which keys of which nodes, what differs, and who was not ready.
COMPARED, DIFFERS, NOT_READY = "compared", "differs", "not-ready"
LEVEL = "agreeing"
SECOND = 1e9
_MOST = 5  # so many elements are named

Values = dict[str, Any]  # by node


@dataclass(slots=True)
class _Round:
    """What the nodes had at one time: by key, where they did not all have the same."""

    at: float
    nodes: Sequence[str]
    keys: int
    marked: float | None
    differing: dict[Any, Values] = field(default_factory=dict)
    not_ready: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Split:
    """Two nodes that had different values under one key in two rounds."""

    key: Any
    values: Values
    first: _Round
    second: _Round


@dataclass(frozen=True, slots=True)
class Replicas:
    """Whether all nodes have the same in the end, when each is asked for what it has itself."""

    name: str = field(default=PROCESS, init=False)
    levels: tuple[str, ...] = field(default=(LEVEL,), init=False)
    default: str | None = field(default=LEVEL, init=False)

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        begin = time.perf_counter()
        rounds = _rounds(history)
        if not rounds:
            why = "no node was asked for what it has itself"
            return Judgement(self.name, {}, reason=why, applies=False)
        splits = [split for two in pairwise(rounds) for split in _splits(*two)]
        reason = None if splits else _unsettled(rounds[-1])
        answer: Validity = False if splits else "unknown" if reason else True
        found = {LEVEL: _told(splits)} if splits else {}
        figures = {
            "nodes": list(rounds[-1].nodes),
            "keys": rounds[-1].keys,
            "rounds": len(rounds),
            "differing": len({str(split.key) for split in splits}),
        }
        return Judgement(
            self.name,
            {LEVEL: answer},
            found,
            reason=reason,
            figures=figures,
            seconds=time.perf_counter() - begin,
            engine="comparing",
            keys=rounds[-1].keys,
        )


def _rounds(history: History) -> list[_Round]:
    found: list[_Round] = []
    for event in history.others.at(history.others.by(PROCESS)):
        if event.f == COMPARED:
            said = event.value
            at = event.time / SECOND
            found.append(_Round(at, said["nodes"], said["keys"], said.get("marked")))
        elif event.f == DIFFERS and found:
            # The key is any value of JSON: what it is by is its text.
            found[-1].differing[_text(event.value["key"])] = event.value["values"]
        elif event.f == NOT_READY and found:
            found[-1].not_ready |= event.value
    return found


def _splits(first: _Round, second: _Round) -> Iterator[_Split]:
    """Yield, by key, two nodes that stayed apart."""
    for key, before in first.differing.items():
        after = second.differing.get(key)
        if after is None:
            continue
        stayed = [node for node in after if node in before and before[node] == after[node]]
        two = next((two for two in combinations(stayed, 2) if after[two[0]] != after[two[1]]), None)
        if two is not None:
            kept = {node: after[node] for node in after if node in stayed}
            yield _Split(key, kept, first, second)


def _unsettled(last: _Round) -> str | None:
    """Say why nobody knows, None if all agree."""
    if last.not_ready:
        node, why = next(iter(last.not_ready.items()))
        return f"{node} could not be compared with the others: {why}"
    if last.differing:
        key, values = next(iter(last.differing.items()))
        return f"nodes still changed under {key}: {_listed(values)}"
    return None


def _told(splits: Sequence[_Split]) -> Counterexample:
    split = splits[0]
    keys = len({each.key for each in splits})
    others = f" So it is with {keys - 1} more keys." if keys > 2 else ""
    others = " So it is with another key." if keys == 2 else others
    text = (
        f"After the end, {_listed(split.values)} under {split.key}, each by itself, at "
        f"{split.first.at:.3f} s and again at {split.second.at:.3f} s. In between, each of them "
        f"had shown a write that was acknowledged later than all that they had at first. So none "
        f"of them was only behind.{others}"
    )
    return Counterexample((), text, split.key)


def _listed(values: Mapping[str, Any]) -> str:
    """Say who has what: those that have the same together."""
    together: dict[str, list[str]] = {}
    for node, value in values.items():
        together.setdefault(_text(value), []).append(node)
    said = {text: _value(values[nodes[0]]) for text, nodes in together.items()}
    longest = max((each for each in said.values() if isinstance(each, list)), key=len, default=[])
    parts = [
        f"{listed(nodes)} {'have' if len(nodes) > 1 else 'has'} {_shown(said[text], longest)}"
        for text, nodes in together.items()
    ]
    return listed(parts)


def _value(value: Any) -> Any:
    """Return what a register holds: a list, where its text is one."""
    if isinstance(value, str) and value.startswith("["):
        with suppress(msgspec.DecodeError):
            return msgspec.json.decode(value)
    return value


def _shown(value: Any, longest: Sequence[Any]) -> str:
    """Say a value; of a list, how long it is, and what of the longest one it lacks."""
    if not isinstance(value, list):
        return "nothing" if value is None else _text(value)
    lacking = [_text(each) for each in longest if each not in value]
    more = f" and {len(lacking) - _MOST} more" if len(lacking) > _MOST else ""
    lacks = f", without {', '.join(lacking[:_MOST])}{more}" if lacking else ""
    return f"{len(value)} elements{lacks}"


def _text(value: Any) -> str:
    return quoted(value)
