"""Sets that only grow: what each read shows was added, and in the end every node shows it all."""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from partita.checker.convergence.looks import FAIL, OK, Looks
from partita.checker.convergence.outcome import Outcome, seconds, since_the_heal, unsettled
from partita.checker.explain import capital, listed, quoted, who
from partita.checker.history import History, IntColumn
from partita.checker.values import canonical
from partita.checker.verdict import Counterexample

_MOST = 5  # so many elements are named

Shown = tuple[Hashable, ...]


@dataclass(slots=True)
class Added:
    """Rows of adds by element: the first that did not fail, and one that was acknowledged."""

    begun: dict[Hashable, int] = field(default_factory=dict)
    acknowledged: dict[Hashable, int] = field(default_factory=dict)
    failed: dict[Hashable, int] = field(default_factory=dict)


def shown_by(history: History, row: int) -> Shown | None:
    """Return the elements that a read showed, None if its answer is no list."""
    value = history.values.decoded(history.output[row])
    return tuple(map(_element, value)) if isinstance(value, list) else None


def judged(
    history: History, key: Any, adds: IntColumn, reads: IntColumn, looks: Looks, settle_ns: int
) -> Outcome:
    """Judge one set."""
    added = _added(history, adds)
    answers = {row: shown_by(history, row) for row in reads.tolist()}
    odd = next(filter(None, (_odd(history, added, *each) for each in answers.items())), None)
    figures = _figures(added, looks)
    if odd is not None:
        return Outcome(False, figures, found=Counterexample(odd[0], capital(odd[1]), key))
    if not added.acknowledged:
        return Outcome("unknown", figures, "nothing that was added was acknowledged")
    if looks.silent or not looks.last:
        return Outcome("unknown", figures, unsettled(looks))
    lacking = dict(_lacking(added, looks))
    if not lacking:
        return Outcome(True, figures)
    if not looks.settled(settle_ns):
        return Outcome("unknown", figures, unsettled(looks))
    return Outcome(False, figures, found=_told(history, key, added, lacking, looks))


def _added(history: History, adds: IntColumn) -> Added:
    added = Added()
    values = history.values.several(history.input[adds])
    outcomes = history.outcome[adds].tolist()
    for row, value, outcome in zip(adds.tolist(), values, outcomes, strict=True):
        element = _element(value)
        if outcome == FAIL:
            added.failed[element] = row
            continue
        added.begun.setdefault(element, row)
        if outcome == OK:
            added.acknowledged.setdefault(element, row)
    return added


def _odd(
    history: History, added: Added, row: int, shown: Shown | None
) -> tuple[tuple[int, ...], str] | None:
    """Say what no read may show, whenever it is."""
    name = f"a read of process {history.process_of(row)} on {history[row].node or 'the store'}"
    if shown is None:
        return (row,), f"{name} was answered with {quoted(history[row].output)}, which is no list"
    known = set(shown)
    if len(known) < len(shown):
        twice = next(element for element, times in Counter(shown).items() if times > 1)
        return (row,), f"{name} showed {_text(twice)} twice, and a set has it once"
    made_up = next((element for element in shown if element not in added.begun), None)
    if made_up in added.failed:
        failed = added.failed[made_up]
        text = f"{name} showed {_text(made_up)}, though {who(history, failed)} certainly failed"
        return (failed, row), text
    if made_up is not None:
        return (row,), f"{name} showed {_text(made_up)}, which nobody ever added"
    begun, over = history.invoked_rank, history.completed_rank[row]
    early = next((each for each in known if begun[added.begun[each]] > over), None)
    if early is not None:
        add = added.begun[early]
        return (row, add), f"{name} showed {_text(early)} before {who(history, add)} began"
    return None


def _lacking(added: Added, looks: Looks) -> Iterator[tuple[Hashable, list[str]]]:
    """Yield each element that some node lacks in the end, and these nodes; lost ones first.

    A node must show what was acknowledged, and what another node shows.
    """
    shown = {node: frozenset(look.shown or ()) for node, look in looks.last.items()}
    there = frozenset().union(*shown.values())
    due = {**added.acknowledged, **dict.fromkeys(there)}
    lacking = {
        element: [node for node in shown if element not in shown[node]]
        for element in due
        if not all(element in each for each in shown.values())
    }
    yield from sorted(lacking.items(), key=lambda each: each[0] in there)


def _told(
    history: History,
    key: Any,
    added: Added,
    lacking: Mapping[Hashable, Sequence[str]],
    looks: Looks,
) -> Counterexample:
    element, nodes = next(iter(lacking.items()))
    add = added.acknowledged.get(element)
    rows = [looks.last[node].row for node in nodes]
    if add is not None:
        begin = f"{who(history, add)} was acknowledged."
        rows.insert(0, add)
    else:
        node, look = next(each for each in looks.last.items() if element in each[1].shown)
        begin = f"In the end {node} shows {_text(element)} at {seconds(history, look.row)}."
        rows.insert(0, look.row)
    all_nodes = len(nodes) == len(looks.last)
    whom = "every node" if all_nodes and len(nodes) > 1 else listed(list(nodes))
    verb = "lacks" if len(nodes) == 1 or all_nodes else "lack"
    text = f"{begin} {since_the_heal(looks)}, and at {seconds(history, rows[1])} "
    text += f"{whom} still {verb} it."
    return Counterexample(tuple(rows), capital(text + _others(lacking)), key)


def _others(lacking: Mapping[Hashable, Sequence[str]]) -> str:
    names = [_text(each) for each in list(lacking)[1:]]
    if not names:
        return ""
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f" So it is with {', '.join(names[:_MOST])}{more}."


def _figures(added: Added, looks: Looks) -> dict[str, Any]:
    """Count, in the words of `elements.py`; lost is what was acknowledged and some node lacks."""
    shown = {node: frozenset(look.shown or ()) for node, look in looks.last.items()}
    there = frozenset().union(*shown.values())
    lacked = {node: added.acknowledged.keys() - each for node, each in shown.items()}
    return {
        "acknowledged": len(added.acknowledged),
        "lost": len(set().union(*lacked.values())) if shown else None,
        "recovered": len((there & added.begun.keys()) - added.acknowledged.keys()),
        "unexpected": len(there - added.begun.keys()),
        "lacked_by_node": {node: len(each) for node, each in lacked.items()},
    }


def _element(value: Any) -> Hashable:
    """Return what an element is by: 1 is not true, nor "1"."""
    return value if type(value) is int or type(value) is str else (canonical(value),)


def _text(element: Hashable) -> str:
    return element[0].decode() if isinstance(element, tuple) else quoted(element)
