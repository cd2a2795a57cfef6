"""Lists: adds and reads; each read must have returned the elements in the order of versions."""

from collections import defaultdict
from collections.abc import Hashable
from itertools import pairwise
from typing import Any

import numpy as np

from partita.checker.explain import capital, quoted
from partita.checker.history import History
from partita.checker.models.model import frozen
from partita.checker.sessions.naming import said
from partita.checker.sessions.observed import (
    ANY,
    FAIL,
    NULL,
    READ,
    UNKNOWN,
    UPDATE,
    Contradicted,
    Observed,
    Unfit,
    counting,
)


def observe(history: History) -> Observed:
    """Return what a history's operations did to its lists; raises `Unfit` or `Contradicted`.

    An add leaves a value that is its own number, and a read found that of its last element.
    """
    rows = counting(history)
    rows = rows[history.outcome[rows] != FAIL]
    kind = np.where(history.f[rows] == history.f_code("read"), READ, UPDATE).astype(np.int8)
    value = np.where(kind == UPDATE, np.arange(len(rows)), NULL)
    old = np.full(len(rows), ANY, dtype=np.int64)
    seen = Observed(history, rows, kind, value, old)
    for key, lists in _read_lists(seen).items():
        adds = _adds(seen, key)
        for reads in lists.values():
            elements = _elements(seen, reads[0])
            for element in elements[-1:]:
                value[reads] = _add_of(seen, reads[0], element, adds)
    return seen


def hidden(seen: Observed) -> dict[int, int]:
    """Return crashed adds that no version was named for, and what each stands directly before.

    Raises `Contradicted` if what was read is not what was added, in the order of versions.
    """
    following: dict[int, int] = {}
    order = seen.in_order()
    for key, lists in _read_lists(seen).items():
        longest = max((reads[0] for reads in lists.values()), key=lambda r: len(_elements(seen, r)))
        elements = _elements(seen, longest)
        for reads in lists.values():
            read = _elements(seen, reads[0])
            if read != elements[: len(read)]:
                raise _diverged(seen, reads[0], longest)
        added = [_add_of(seen, longest, each, _adds(seen, key)) for each in elements]
        if len(set(added)) < len(added):
            raise Contradicted(
                seen, [longest], f"{capital(said(seen, longest))} has an element twice."
            )
        following |= _walk(seen, longest, added, order[seen.key[order] == key].tolist())
    return following


def _walk(seen: Observed, longest: int, added: list[int], known: list[int]) -> dict[int, int]:
    """Follow a list and the versions side by side."""
    following: dict[int, int] = {}
    pending: list[int] = []
    expected = iter(known)
    for add in added:
        if seen.version[add] == UNKNOWN:
            pending += [add] if seen.crashed[add] else []
            continue
        if (due := next(expected)) != add:
            raise _out_of_order(seen, longest, due, add)
        following.update(pairwise([*pending, add]))
        pending = []
    return following


def _read_lists(seen: Observed) -> dict[int, dict[int, list[int]]]:
    """Return the reads of each key by the list that they returned."""
    lists: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    reads = np.flatnonzero((seen.kind == READ) & ~seen.dropped)
    codes = seen.history.output[seen.rows[reads]]
    for read, key, code in zip(
        reads.tolist(), seen.key[reads].tolist(), codes.tolist(), strict=True
    ):
        lists[key][code].append(read)
    return lists


def _elements(seen: Observed, read: int) -> list[Any]:
    output = seen.history[seen.row(read)].output
    if output is not None and not isinstance(output, list):
        raise Unfit(f"operation {seen.row(read)} read {quoted(output)}, which is no list")
    return output or []


def _adds(seen: Observed, key: int) -> dict[Hashable, int]:
    adds: dict[Hashable, int] = {}
    for add in np.flatnonzero((seen.kind == UPDATE) & (seen.key == key)).tolist():
        element = frozen(seen.history[seen.row(add)].input)
        if element in adds:
            raise Unfit(f"{quoted(element)} was added twice to one list")
        adds[element] = add
    return adds


def _add_of(seen: Observed, read: int, element: Any, adds: dict[Hashable, int]) -> int:
    add = adds.get(frozen(element))
    if add is None:
        sentence = f"{capital(said(seen, read))} returned {quoted(element)}, which nobody added"
        raise Contradicted(seen, [read], f"{sentence}, or whose add failed.")
    return add


def _diverged(seen: Observed, first: int, second: int) -> Contradicted:
    return Contradicted(
        seen,
        sorted([first, second]),
        f"{capital(said(seen, first))} and {said(seen, second)} returned lists of which neither is"
        " the beginning of the other, though elements are only ever added at the end.",
    )


def _out_of_order(seen: Observed, read: int, due: int, found: int) -> Contradicted:
    return Contradicted(
        seen,
        sorted([read, due, found]),
        f"{capital(said(seen, read))} has not the element of {said(seen, due)}, which made version"
        f" {seen.version[due]}, before that of {said(seen, found)}, which made version"
        f" {seen.version[found]}.",
    )
