"""Why a queue's history has no order: what the queue engine found, in English."""

from collections.abc import Callable, Mapping

import numpy as np

from partita.checker.explain import capital, listed, moment, quoted, who
from partita.checker.history import OUTCOMES, History
from partita.checker.verdict import Finding

# Operations by row; None: the put of a value that was there from the beginning.
Named = list[int | None]

# A reader does not want to see more values than this in one sentence.
_SHOWN = 4


def explain(history: History, rule: str, named: Named) -> Finding:
    """Turn a broken rule and the operations that break it into an invalid finding."""
    sentence = _SENTENCES[rule](history, named)
    operations = sorted({row for row in named if row is not None})
    return Finding(False, tuple(operations), sentence)


def _never_put(history: History, named: Named) -> str:
    take = _row(named[0])
    value = history[take].output
    sentence = f"Nobody ever put in {quoted(value)}, but {who(history, take)} took it."
    same = (history.key == history.key[take]) & (history.outcome == OUTCOMES.index("fail"))
    failed = (
        same & (history.f == history.f_code("enqueue")) & (history.input == history.output[take])
    )
    if failed.any():
        sentence += f" {capital(who(history, int(np.argmax(failed))))} would have, but failed."
    return sentence


def _taken_again(history: History, named: Named) -> str:
    takes = [row for row in named if row is not None and history[row].f != "enqueue"]
    puts = [row for row in named if row not in takes]
    names = listed([who(history, row) for row in takes])
    value = quoted(history[takes[0]].output)
    times = "once" if len(puts) == 1 else f"{len(puts)} times"
    return (
        f"{capital(names)} all took {value}, but it was put in only {times}, {_by(history, puts)}."
    )


def _by(history: History, puts: Named) -> str:
    names = [who(history, row) for row in puts if row is not None]
    return f"by {listed(names)}" if len(names) == len(puts) else "at the beginning"


def _taken_before(history: History, named: Named) -> str:
    put, take = map(_row, named)
    return (
        f"{capital(who(history, take))} took {_value(history, put)} too early: it was over"
        f" at {moment(history, take, completed=True)}, and {who(history, put)} was invoked only at"
        f" {moment(history, put)}."
    )


def _disorder(history: History, named: Named) -> str:
    put_a, put_b, take_b, take_a = named
    first, then = _row(take_b), _row(take_a)
    a, b = quoted(history[then].output), quoted(history[first].output)
    return (
        f"{a} was in before {b}: {_was_in(history, put_a, put_b)}. But {b} came out first:"
        f" {who(history, first)} was over at {moment(history, first, completed=True)}, before"
        f" {who(history, then)} was invoked at {moment(history, then)}."
    )


def _was_in(history: History, first: int | None, second: int | None) -> str:
    if second is None:
        return "both were there from the beginning"
    begin = f"{who(history, second)} was invoked at {moment(history, second)}"
    if first is None:
        return f"it was there from the beginning, and {begin}"
    over = moment(history, first, completed=True)
    return f"{who(history, first)} was over at {over}, before {begin}"


def _left_behind(history: History, named: Named) -> str:
    last = next(at for at, row in enumerate(named) if row is not None and _is_take(history, row))
    stayed, put_b, take_b = named[: last - 1], named[last - 1], _row(named[last])
    unknown = named[last + 1 :]
    b = quoted(history[take_b].output)
    if not unknown:
        a = _value(history, stayed[0])
        return (
            f"{a} was in before {b}: {_was_in(history, stayed[0], put_b)}. But"
            f" {who(history, take_b)} took {b}, and nobody ever took {a}."
        )
    begin = "at the beginning" if put_b is None else f"before {who(history, put_b)} began"
    return (
        f"{_values(history, stayed)} were in {begin}, and nobody is known to have taken any of"
        f" them. But all of them had to be out before {who(history, take_b)} took {b}, and only"
        f" {_unknown(history, unknown)} had been invoked before that was over."
    )


def _not_empty(history: History, named: Named) -> str:
    empty = _row(named[0])
    pairs, stayed, unknown = _what_fills(history, named[1:])
    reasons = [
        f"{_value(history, put)} was inside from {_since(history, put)} to"
        f" {moment(history, take)}, when {who(history, take, timed=False)} was invoked"
        for put, take in pairs[:_SHOWN]
    ]
    if len(pairs) > _SHOWN:
        reasons.append(f"{len(pairs) - _SHOWN} more values in the same way after one another")
    if stayed:
        since = _since(history, stayed[-1])
        if len(stayed) == 1:
            reasons.append(
                f"{_value(history, stayed[0])} was inside since {since}, and nobody took it"
            )
        else:
            reasons.append(
                f"{_values(history, stayed)} were inside since {since}, and only"
                f" {_unknown(history, unknown)}, invoked by then, may have taken one each"
            )
    return (
        f"{capital(who(history, empty))} found the queue empty, but at no moment of its time was it"
        f" so: {listed(reasons)}."
    )


def _what_fills(
    history: History, named: Named
) -> tuple[list[tuple[int | None, int]], Named, Named]:
    """Take apart: values with their takes, values that stayed, takes of unknown outcome."""
    pairs: list[tuple[int | None, int]] = []
    stayed: Named = []
    unknown: Named = []
    for row in named:
        if row is None or not _is_take(history, row):
            stayed.append(row)
        elif history[row].outcome == "info":
            unknown.append(row)
        else:
            pairs.append((stayed.pop(), row))
    return pairs, stayed, unknown


def _is_take(history: History, row: int) -> bool:
    return history[row].f == "dequeue"


def _row(row: int | None) -> int:
    assert row is not None
    return row


def _since(history: History, put: int | None) -> str:
    return "the beginning" if put is None else moment(history, put, completed=True)


def _value(history: History, put: int | None) -> str:
    return "a value of the beginning" if put is None else quoted(history[put].input)


def _values(history: History, puts: Named) -> str:
    names = [_value(history, put) for put in puts[:_SHOWN]]
    if len(puts) > _SHOWN:
        names.append(f"{len(puts) - _SHOWN} more")
    return capital(listed(names)) if names else ""


def _unknown(history: History, takes: Named) -> str:
    names = [who(history, _row(take), timed=False) for take in takes[:_SHOWN]]
    if len(takes) > _SHOWN:
        names.append(f"{len(takes) - _SHOWN} more")
    answers = "one dequeue" if len(takes) == 1 else f"{len(takes)} dequeues"
    return f"{answers} without an answer ({listed(names)})"


_SENTENCES: Mapping[str, Callable[[History, Named], str]] = {
    "never put": _never_put,
    "taken again": _taken_again,
    "taken before": _taken_before,
    "disorder": _disorder,
    "left behind": _left_behind,
    "not empty": _not_empty,
}
