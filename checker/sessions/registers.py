"""Registers: reads, writes and cas; whether each cas met the value that stood before it."""

from collections import defaultdict

import numpy as np

from partita.checker.explain import capital, quoted
from partita.checker.history import History, IntColumn
from partita.checker.sessions.naming import said
from partita.checker.sessions.observed import (
    ANY,
    FAIL,
    MISMATCH,
    NULL,
    READ,
    UPDATE,
    Contradicted,
    Observed,
    Unfit,
    counting,
)
from partita.checker.values import NO_PAIR


def observe(history: History) -> Observed:
    """Return what a history's operations did to its registers; raises `Unfit`."""
    rows = counting(history)
    f, found = history.f[rows], history.output[rows].astype(np.int64)
    is_read, is_cas = f == history.f_code("read"), f == history.f_code("cas")
    failed = history.outcome[rows] == FAIL
    # A cas that failed and was told what it met has read that; one that was not has still seen
    # that its old value was not there.
    kind = np.where(is_read | failed, READ, UPDATE).astype(np.int8)
    kind[failed & (found == NULL)] = MISMATCH
    parts = _parts(history, rows[is_cas])
    value = np.where(kind == READ, found, history.input[rows])
    value[is_cas & (kind != READ)] = parts[kind[is_cas] != READ, 1]
    old = np.full(len(rows), ANY, dtype=np.int64)
    old[is_cas & (kind != READ)] = parts[kind[is_cas] != READ, 0]
    return Observed(history, rows, kind, value, old)


def _parts(history: History, rows: IntColumn) -> IntColumn:
    """Return the old and the new value of each cas."""
    given = history.input[rows]
    pairs = np.full((len(rows), 2), NO_PAIR, dtype=np.int64)
    pairs[given >= 0] = history.pairs[given[given >= 0]]
    for row in rows[pairs[:, 0] == NO_PAIR][:1].tolist():
        op = history[row]
        raise Unfit(f"operation {row} is a cas of {quoted(op.input)}, which are no two values")
    return pairs


def hidden(seen: Observed) -> dict[int, int]:
    """Return crashed updates that only a cas saw, and what each stands directly before.

    Raises `Contradicted` if a cas cannot have met its old value.
    """
    order = seen.in_order()
    order = order[np.argsort(seen.key[order], kind="stable")]
    follows = np.diff(seen.key[order], prepend=-9) == 0
    before = np.where(follows, np.roll(order, 1), -1)
    met = np.where(follows, seen.value[before], NULL)
    wrong = np.flatnonzero((seen.old[order] != ANY) & (seen.old[order] != met))
    if not len(wrong):
        return {}
    chains = _Chains(seen)
    for cas, last in zip(order[wrong].tolist(), before[wrong].tolist(), strict=True):
        chains.lead(cas, last)
    return chains.next


class _Chains:
    """Leads from each cas back to the last update with a version, over updates with none."""

    def __init__(self, seen: Observed) -> None:
        self.next: dict[int, int] = {}
        self._seen = seen
        self._silent: dict[tuple[int, int], list[int]] = defaultdict(list)
        silent = (seen.kind == UPDATE) & (seen.version < 0)
        for update in np.flatnonzero(silent).tolist():
            self._silent[int(seen.key[update]), int(seen.value[update])].append(update)

    def lead(self, cas: int, last: int) -> None:
        seen, at = self._seen, cas
        met = NULL if last < 0 else int(seen.value[last])
        found: dict[int, int] = {}
        while (old := int(seen.old[at])) not in (ANY, met):
            silent = self._silent[int(seen.key[at]), old]
            free = [each for each in silent if each not in self.next and each not in found]
            if not free:
                raise self._contradicted([cas, *found], last)
            if len(free) > 1 or not seen.crashed[free[0]]:
                seen.doubts.append(f"{said(seen, at)} met a value whose update returned no version")
                return
            found[free[0]] = at
            at = free[0]
        self.next |= found

    def _contradicted(self, chain: list[int], last: int) -> Contradicted:
        seen, cas = self._seen, chain[0]
        before = "nothing"
        if last >= 0:
            before = f"version {seen.version[last]}, which {said(seen, last)} had made"
        sentence = (
            f"{capital(said(seen, cas))} made version {seen.version[cas]}, and before it stood"
            f" {before}: the old value was not there."
        )
        # Whoever else made the values in question made them elsewhere.
        same = (seen.kind == UPDATE) & (seen.key == seen.key[cas])
        makers = np.flatnonzero(same & np.isin(seen.value, seen.old[chain])).tolist()
        users = [self.next[each] for each in makers if each in self.next]
        return Contradicted(seen, {*chain, *makers, *users} | ({last} - {-1}), sentence)
