"""Upgrades: brought before the load, one node after another, and back; on nodes that are none."""

import threading
import time
from typing import Any, cast

import pytest

from partita.harness.nodes.cluster import Node
from partita.harness.systems.raft import SOURCES, Raft
from partita.harness.systems.system import StoreError
from partita.nemesis.driver import Driver
from partita.nemesis.faults.restart import Downgrade, Upgrade
from partita.nemesis.ground import InOneProcess
from partita.nemesis.schedule import ScheduleError, check, parse

NODES = ["n1", "n2", "n3"]


class Host:
    """A host on which nothing has to be run."""

    addresses = ("192.0.2.1",)
    port = 22
    lost = False

    def __init__(self, name: str) -> None:
        self.name = name

    def give_up(self) -> None:
        self.lost = True

    def run(self, command: Any, **more: Any) -> Any:
        raise AssertionError("nothing has to be run there")


class Releases:
    """A store of three releases, which notes what is done to it."""

    def __init__(self) -> None:
        self.releases = ("1", "2", "3")
        self.did: list[tuple[str, str]] = []
        self.brought: set[tuple[str, str]] = set()
        self.chosen = dict.fromkeys(NODES, "1")
        self.running = dict.fromkeys(NODES, "1")
        self.down_most = 0
        self._lock = threading.Lock()

    def do(self, method: str, node: str, *more: Any) -> Any:
        with self._lock:
            found = getattr(self, method)
            return found(node, *more) if callable(found) else found

    def bring(self, node: str, release: str) -> None:
        self.did.append(("bring", release))
        self.brought.add((node, release))

    def choose(self, node: str, release: str) -> None:
        assert (node, release) in self.brought
        self.chosen[node] = release

    def versions(self, node: str) -> str:
        return self.chosen[node]

    def stop(self, node: str) -> None:
        self.did.append(("stop", node))
        del self.running[node]
        self.down_most = max(self.down_most, len(NODES) - len(self.running))

    def start(self, node: str) -> None:
        self.running[node] = self.chosen[node]

    def serves(self, node: str) -> bool:
        return node in self.running


def carried_out(store: Releases, schedule: str) -> list[tuple[str, str, Any]]:
    """Carry a schedule out; what the history says of it."""
    events: list[tuple[str, str, Any]] = []
    steps = parse(schedule, NODES)
    driver = Driver(
        [Host(name) for name in NODES],
        steps,
        1,
        lambda kind, f, value, error: events.append((kind, f, value)),
        lambda: ["n1"],
        store,
        ground=InOneProcess({}),
    )
    driver.prepare()
    assert {did for did, _ in store.did} == {"bring"}, "before the load, and nothing else"
    driver.start(time.monotonic())
    deadline = time.monotonic() + 30
    while [f for _, f, _ in events].count("probe") < len(steps):
        assert time.monotonic() < deadline, events
        time.sleep(0.01)
    driver.finish()
    assert driver.failure is None
    return [value for _, f, value in events if f == "probe"]


def test_all_nodes_come_to_the_newest_release_one_after_another_and_back() -> None:
    store = Releases()
    up, down = carried_out(store, "0s upgrade all; 0.1s downgrade n1,n2")
    assert (up["bit"], down["bit"]) == (True, True)
    assert up["versions"] == {"n1": "3", "n2": "3", "n3": "3"}
    assert up["serves_again_after_s"].keys() == set(NODES)
    assert store.running == {"n1": "1", "n2": "1", "n3": "3"}
    assert store.down_most == 1
    assert sorted(store.brought) == [(node, release) for node in NODES for release in ("1", "3")]


def test_a_release_can_be_named() -> None:
    store = Releases()
    (probe,) = carried_out(store, "0s upgrade n2 to=2")
    assert probe["versions"] == {"n2": "2"}
    assert store.running == {"n1": "1", "n2": "2", "n3": "1"}


def test_a_system_with_one_release_is_refused() -> None:
    steps = parse("1s upgrade all; 2s downgrade all")
    with pytest.raises(ScheduleError, match=r"needs a system with releases\(\) and bring\(\)"):
        check(steps, 5, 10, has=lambda name: hasattr(Raft(), name))
    other = Raft(next_release=SOURCES)
    check(steps, 5, 10, has=lambda name: hasattr(other, name))
    assert list(other.releases) == ["this", "next"]


def test_a_release_that_there_is_not_is_refused_before_anything_is_started() -> None:
    system = Raft(next_release=SOURCES)
    for fault in Upgrade(to="9.9"), Downgrade(to="9.9"):
        said = fault.misses(system, cast("Node", None))
        assert said == "there is no release to=9.9: choose from this, next"
    assert Upgrade().misses(system, cast("Node", None)) is None
    assert Upgrade(to="next").misses(system, cast("Node", None)) is None


def test_a_next_release_that_is_none_is_refused() -> None:
    with pytest.raises(StoreError, match=r"no server\.py in .*--next-release takes its folder"):
        Raft(next_release=SOURCES.parent).fetch()
    Raft(next_release=SOURCES).fetch()


def test_a_client_node_is_told_of_it_as_a_text_and_needs_no_sources() -> None:
    assert list(Raft(next_release="/no/such/folder").releases) == ["this", "next"]  # type: ignore[arg-type]
