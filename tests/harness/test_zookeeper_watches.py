"""What the client of watches tells, by what came over the network."""

from types import SimpleNamespace
from typing import Any

import pytest
from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError
from kazoo.protocol.serialization import Exists, GetData

from partita.harness.systems.zookeeper_network import Ears
from partita.harness.systems.zookeeper_watches import ZooKeeperWatches

KEY = "/partita/key1"


class Network:
    """A client whose network we are; `told` is what it tells, in order."""

    def __init__(self) -> None:
        kazoo = KazooClient()

        def connect(hook: Any) -> Any:
            hook(kazoo)
            return SimpleNamespace(kazoo=kazoo)

        self.client = ZooKeeperWatches(connect)
        self.ears: Ears = kazoo._connection._ears
        self.told: list[tuple[str, Any, int]] = []
        self.client.listen(self._hear)

    def _hear(self, f: str, /, value: Any = None, **fields: Any) -> None:
        self.told.append((f, value, fields.get("version", -1)))

    def got(self, value: str, version: int, watch: bool = True) -> None:
        state = SimpleNamespace(mzxid=version)
        self.ears.answered(GetData(KEY, watch or None), (value.encode(), state), 0)

    def looked(self, there: bool) -> None:
        self.ears.answered(Exists(KEY, True), object(), 0 if there else NoNodeError.code)

    def fires(self) -> None:
        self.ears.fired(SimpleNamespace(type=3, path=KEY))


@pytest.fixture
def network() -> Network:
    return Network()


def test_a_fire_is_told_though_another_stream_looks_at_the_same_key(network: Network) -> None:
    network.got("90", 5)
    network.looked(there=True)
    network.fires()
    assert network.told == [("arm", "90", 5), ("fire", None, -1)]


def test_what_a_look_without_a_value_left_is_not_told(network: Network) -> None:
    network.looked(there=True)
    network.got("90", 5, watch=False)
    network.fires()
    assert network.told == [("seen", "90", 5)]
    network.looked(there=False)
    network.fires()
    assert network.told[1:] == [("arm", None, -1), ("fire", None, -1)]


def test_a_look_after_the_fire_leaves_a_watch_of_its_own(network: Network) -> None:
    network.got("90", 5)
    network.fires()
    network.looked(there=True)
    network.fires()
    network.got("91", 6)
    network.fires()
    assert [f for f, _, _ in network.told] == ["arm", "fire", "arm", "fire"]


def test_a_lost_connection_leaves_no_watch(network: Network) -> None:
    network.got("90", 5)
    network.ears.dropped()
    network.looked(there=True)
    network.fires()
    assert [f for f, _, _ in network.told] == ["arm", "disarmed"]
