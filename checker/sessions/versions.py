"""Who made which version: every update gets its version, from its own answer or from a reader.

A write that crashed was told nothing; whoever read its value was told its version too. A read
that named no version has that of the only update with its value. What stays open is dropped,
and said.
"""

import numpy as np

from partita.checker.explain import capital, who
from partita.checker.history import IntColumn
from partita.checker.sessions.naming import said
from partita.checker.sessions.observed import (
    FAIL,
    NULL,
    READ,
    UNKNOWN,
    UPDATE,
    Contradicted,
    Observed,
)
from partita.checker.values import NO_PAIR


def resolve(seen: Observed) -> None:
    """Complete the versions of updates and reads; raises `Contradicted`."""
    _each_given_once(seen)
    _give_named(seen)
    _compare_values(seen)
    _find_unnamed(seen)
    _leave_out_nulls(seen)
    silent = seen.updates(known=False)
    silent = silent[~seen.crashed[silent]]
    seen.drop(silent, f"{_counted(len(silent), 'acknowledged update')} returned no version")


def _each_given_once(seen: Observed) -> None:
    order = seen.in_order()
    twice = np.flatnonzero(np.diff(seen.version[order]) == 0)
    if len(twice):
        first, second = sorted(order[twice[0] : twice[0] + 2].tolist())
        raise Contradicted(
            seen,
            [first, second],
            f"{capital(said(seen, first))} and {said(seen, second)} were both given version"
            f" {seen.version[first]}, but there is one order of all updates, so that no two of them"
            " have the same.",
        )


def _naming(seen: Observed) -> IntColumn:
    """Return the reads that named the version of a value."""
    named = (seen.kind == READ) & (seen.version != UNKNOWN) & (seen.value != NULL)
    return np.flatnonzero(named & ~seen.dropped)


def _makers(seen: Observed, reads: IntColumn) -> IntColumn:
    """Return, by read, the update whose version it named, -1 if no update was told that one."""
    order = seen.in_order()
    if not len(order):
        return np.full(len(reads), -1)
    places = np.searchsorted(seen.version[order], seen.version[reads])
    makers = order[np.minimum(places, len(order) - 1)]
    return np.where(seen.version[makers] == seen.version[reads], makers, -1)


def _give_named(seen: Observed) -> None:
    """Give versions that readers named, and no update was told, to the updates they read."""
    reads = _naming(seen)
    orphans = reads[_makers(seen, reads) < 0]
    silent: dict[tuple[int, int], list[int]] = {}
    for update in seen.updates(known=False).tolist() if len(orphans) else ():
        silent.setdefault((int(seen.key[update]), int(seen.value[update])), []).append(update)
    given: dict[int, int] = {}  # the first reader of each version
    _, firsts = np.unique(_fingerprints(seen, orphans), axis=0, return_index=True)
    for read in orphans[np.sort(firsts)].tolist():
        version = int(seen.version[read])
        if version in given:
            raise _disagreed(seen, given[version], read)
        candidates = silent.get((int(seen.key[read]), int(seen.value[read])), [])
        if not candidates:
            raise _nobodys(seen, read)
        given[version] = read
        if len(candidates) > 1:
            same = orphans[seen.version[orphans] == version]
            seen.drop(same, f"{said(seen, read)} may be of any of {len(candidates)} updates")
        elif seen.version[candidates[0]] == UNKNOWN:
            seen.version[candidates[0]] = version
        else:
            raise _two_versions(seen, candidates[0], read, given)


def _fingerprints(seen: Observed, reads: IntColumn) -> IntColumn:
    return np.stack([seen.version[reads], seen.key[reads], seen.value[reads]], axis=1)


def _disagreed(seen: Observed, first: int, second: int) -> Contradicted:
    return Contradicted(
        seen,
        [first, second],
        f"{capital(said(seen, first))} and {said(seen, second)} both named version"
        f" {seen.version[first]}, but one version is one update of one register.",
    )


def _nobodys(seen: Observed, read: int) -> Contradicted:
    """A value read under a version that no update of that value can have."""
    updates = np.flatnonzero((seen.kind == UPDATE) & (seen.key == seen.key[read]))
    writers = updates[seen.value[updates] == seen.value[read]].tolist()
    sentence = f"{capital(said(seen, read))} named version {seen.version[read]}"
    if not writers:
        return _never_written(seen, read)
    return Contradicted(
        seen,
        [read, *writers],
        f"{sentence}, but {said(seen, writers[0])} had been given version"
        f" {seen.version[writers[0]]}.",
    )


def _never_written(seen: Observed, read: int) -> Contradicted:
    history, code = seen.history, seen.value[read]
    fails = np.flatnonzero((history.outcome == FAIL) & (history.key == seen.key[read]))
    given = history.input[fails]
    new = np.where(given >= 0, history.pairs[given, 1], NO_PAIR) if len(history.pairs) else given
    failed = fails[(given == code) | (new == code)][:1].tolist()
    sentence = f"{capital(said(seen, read))} returned a value that nobody ever wrote"
    for row in failed:
        sentence += f": {who(history, row)} failed"
    return Contradicted(seen, [read], f"{sentence}.", failed)


def _two_versions(seen: Observed, update: int, read: int, given: dict[int, int]) -> Contradicted:
    other = given[int(seen.version[update])]
    return Contradicted(
        seen,
        [update, other, read],
        f"{capital(said(seen, other))} named version {seen.version[other]}, and"
        f" {said(seen, read)} version {seen.version[read]}, but that value was written only"
        f" once, by {said(seen, update)}.",
    )


def _compare_values(seen: Observed) -> None:
    """See that what was read under a version is what was written under it."""
    reads = _naming(seen)
    makers = _makers(seen, reads)
    wrong = (seen.key[reads] != seen.key[makers]) | (seen.value[reads] != seen.value[makers])
    for at in np.flatnonzero(wrong)[:1]:
        read, maker = int(reads[at]), int(makers[at])
        raise Contradicted(
            seen,
            [maker, read],
            f"{capital(said(seen, read))} named version {seen.version[read]}, but that is the"
            f" version of {said(seen, maker)}.",
        )


def _find_unnamed(seen: Observed) -> None:
    """Give reads that named no version that of the only update with their value."""
    silent = (seen.kind == READ) & (seen.version == UNKNOWN) & (seen.value != NULL)
    reads = np.flatnonzero(silent & ~seen.dropped)
    if not len(reads):
        return
    updates = np.flatnonzero(seen.kind == UPDATE)
    width = int(seen.value.max()) + 2
    written = seen.key[updates] * width + seen.value[updates]
    order = np.argsort(written, kind="stable")
    wanted = seen.key[reads] * width + seen.value[reads]
    begin = np.searchsorted(written[order], wanted, side="left")
    count = np.searchsorted(written[order], wanted, side="right") - begin
    for read in reads[count == 0][:1].tolist():
        raise _never_written(seen, read)
    single = count == 1
    seen.version[reads[single]] = seen.version[updates[order[begin[single]]]]
    left = reads[seen.version[reads] == UNKNOWN]
    seen.drop(left, f"{_counted(len(left), 'read')} returned no version")


def _leave_out_nulls(seen: Observed) -> None:
    """Drop reads of null from registers in which somebody wrote null: they may be either."""
    nulls = np.flatnonzero((seen.kind == UPDATE) & (seen.value == NULL))
    if len(nulls):
        of_null = (seen.kind == READ) & (seen.value == NULL) & np.isin(seen.key, seen.key[nulls])
        seen.drop(np.flatnonzero(of_null), "null was written, and a read of null has no version")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
