"""Transactions in ZooKeeper: a `multi`, whose operations happen together or not at all.

Several znodes cannot be read at one moment, so what was read is compared by version in a `multi`,
which the leader puts in order; with local reads only where something is written. A znode has a
number for each of its changes, which is what is compared, and the zxid of its last change, which
has one order for all.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from kazoo.exceptions import BadVersionError, NodeExistsError, NoNodeError

from partita.harness.systems.zookeeper_answers import ROOT, UNSURE, said
from partita.workloads.capabilities.transactions import Seen, Snapshot
from partita.workloads.client import UNKNOWN_VERSION, Answer, Definite, Indefinite, Mismatch

if TYPE_CHECKING:
    from partita.harness.systems.zookeeper import ZooKeeperClient

# What the first operation that failed says if what it is about is not as it was seen.
CHANGED = (BadVersionError, NodeExistsError, NoNodeError)


class ZooKeeperTransactions:
    """A client of transactions; calls take as long at most as the client's own."""

    def __init__(self, client: "ZooKeeperClient") -> None:
        self._client = client
        self._kazoo = client.kazoo
        self._numbers: dict[tuple[str, int], int] = {}  # versions last seen, by key and zxid
        self._rooted = False

    def snapshot(self, keys: Sequence[str]) -> Snapshot:
        self._client.begin()
        self._numbers = {}
        try:
            if self._client.synced:
                self._client.wait(self._kazoo.sync_async(ROOT))
            asked = [self._kazoo.get_async(_path(key)) for key in keys]
            seen = [self._seen(key, each) for key, each in zip(keys, asked, strict=True)]
        except UNSURE as error:
            raise Definite(said(error)) from error
        return Snapshot(seen, settled=not self._client.synced)

    def commit(
        self, guards: Sequence[tuple[str, Seen]], writes: Sequence[tuple[str, str]]
    ) -> Answer:
        self._client.begin()
        self._make_root()
        guarded, written = dict(guards), dict(writes)
        multi = self._kazoo.transaction()
        for key, seen in guards:
            if key not in written:
                self._check(multi, key, seen)
        for key, text in writes:
            self._write(multi, key, text, guarded.get(key))
        try:
            results = self._client.wait(multi.commit_async())
        except UNSURE as error:
            raise Indefinite(said(error)) from error
        _raise_refusal(results)
        return self._committed(results, writes)

    def move(self, address: str) -> None:
        self._client.move(address)

    def close(self) -> None:
        self._client.close()

    def _seen(self, key: str, asked: Any) -> Seen:
        try:
            data, stat = self._client.wait(asked)
        except NoNodeError:
            return Seen(None)
        self._numbers[key, stat.mzxid] = stat.version
        return Seen(data.decode(), stat.mzxid)

    def _number(self, key: str, seen: Seen) -> int:
        """Return a znode's version, also if it was not in the latest snapshot."""
        if (key, seen.version) not in self._numbers:
            try:
                self._client.wait(self._kazoo.sync_async(ROOT))
                stat = self._client.wait(self._kazoo.exists_async(_path(key)))
            except UNSURE as error:
                raise Definite(f"could not look before the commit: {said(error)}") from error
            if stat is None or stat.mzxid != seen.version:
                raise Mismatch
            self._numbers[key, seen.version] = stat.version
        return self._numbers[key, seen.version]

    def _check(self, multi: Any, key: str, seen: Seen) -> None:
        if seen.value is None:
            # There is no check that a znode does not exist: it is made, and gone again at once.
            multi.create(_path(key))
            multi.delete(_path(key))
        else:
            multi.check(_path(key), self._number(key, seen))

    def _write(self, multi: Any, key: str, text: str, seen: Seen | None) -> None:
        number = -1 if seen is None else 0
        if seen is not None and seen.value is None:
            multi.create(_path(key))
        elif seen is not None:
            number = self._number(key, seen)
        # Also of a znode that was just made: only this operation says which zxid it made.
        multi.set_data(_path(key), text.encode(), number)

    def _committed(self, results: Sequence[Any], writes: Sequence[tuple[str, str]]) -> Answer:
        stats = [each for each in results if hasattr(each, "mzxid")]
        return Answer(version=stats[-1].mzxid if writes else UNKNOWN_VERSION)

    def _make_root(self) -> None:
        """Make the znode that all others lie below, once. It is no part of any transaction."""
        if self._rooted:
            return
        try:
            self._client.wait(self._kazoo.ensure_path_async(ROOT))
        except UNSURE as error:
            raise Definite(said(error)) from error
        self._rooted = True


def _path(key: str) -> str:
    # Below the root only: a transaction makes no znode that others lie in.
    return f"{ROOT}/{quote(key, safe='')}"


def _raise_refusal(results: Sequence[Any]) -> None:
    """Raise what the one operation says that failed: all others were rolled back, or not tried."""
    failed = [each for each in results if isinstance(each, Exception)]
    if any(isinstance(each, CHANGED) for each in failed):
        raise Mismatch
    if failed:
        raise Definite("; ".join(sorted({said(each) for each in failed})))
