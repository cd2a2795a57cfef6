"""kazoo's `Election`: whoever leads does so inside a function, which it calls in a thread.

It is a `Lock` with other words, and the term is its token. kazoo never interrupts the function:
a leader goes on to lead, whatever its listener has heard.
"""

import threading
from concurrent.futures import FIRST_COMPLETED, Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError
from kazoo.recipe.election import Election

from partita.harness.systems.zookeeper_answers import path_of
from partita.harness.systems.zookeeper_lock_session import (
    LockSession,
    begun,
    refuse,
    result_of,
    token_of,
)
from partita.workloads.client import Answer, Tell

# How much longer than asked for kazoo may take to notice that a campaign is over.
SLOW_S = 0.5


@dataclass(frozen=True, slots=True)
class Reign:
    """A campaign: `over` when it is lost or the leader has resigned, which `leave` has it do."""

    over: "Future[None]"
    leave: threading.Event


class ZooKeeperElections:
    """A client of elections in ZooKeeper; calls take `timeout` seconds at most, or they wait."""

    def __init__(self, hosts: str, timeout: float) -> None:
        self._timeout = timeout
        self._session = LockSession(hosts, timeout)
        self._reigns: dict[str, Reign] = {}

    def listen(self, tell: Tell) -> None:
        self._session.listen(tell)

    def live(self, ttl: float) -> None:
        self._session.ttl = ttl

    def campaign(self, key: str, name: str, wait: float) -> Answer:
        kazoo = self._session.get()
        election = kazoo.Election(path_of(key), name)
        elected: Future[None] = Future()
        leave = threading.Event()

        def lead() -> None:
            elected.set_result(None)
            leave.wait()

        over = begun(lambda: election.run(lead))
        wait_for([over, elected], wait, FIRST_COMPLETED)
        if not elected.done():
            self._withdraw(kazoo, election, over, leave)
        self._reigns[key] = Reign(over, leave)
        return Answer(
            version=token_of(kazoo, election.lock, self._timeout), fields=self._session.said
        )

    def resign(self, key: str) -> None:
        reign = self._reigns.pop(key)
        reign.leave.set()
        result_of(reign.over, self._timeout)

    def observe(self, key: str) -> Answer:
        kazoo = self._session.get()
        return result_of(begun(lambda: _leader(kazoo, path_of(key))), self._timeout)

    def close(self) -> None:
        for reign in self._reigns.values():
            reign.leave.set()
        self._session.close()

    def _withdraw(
        self,
        kazoo: KazooClient,
        election: Election,
        over: "Future[None]",
        leave: threading.Event,
    ) -> None:
        """Take part no more; whoever was elected at the last moment resigns at once."""
        leave.set()
        election.cancel()
        result_of(over, SLOW_S)
        refuse(kazoo, election.lock, self._timeout)


def _leader(kazoo: KazooClient, path: str) -> Answer:
    """Return the name in the oldest contender's znode, and the zxid that made it."""
    kazoo.sync(path)
    while True:
        try:
            names = sorted(kazoo.get_children(path), key=lambda name: name[-10:])
            if not names:
                return Answer(None)
            data, stat = kazoo.get(f"{path}/{names[0]}")
        except NoNodeError:
            if kazoo.exists(path) is None:
                return Answer(None)
        else:
            return Answer(data.decode(), stat.czxid)
