"""Final reads go on until all nodes show the same, or until nothing has changed for long."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from partita.workloads import settling
from partita.workloads.settling import Settling

QUIET_S = 0.3


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("PAUSE_S", 0.01), ("LEAST_S", 0.1), ("MARGIN_S", 0.05)):
        monkeypatch.setattr(settling, name, seconds)


def read(*nodes: Callable[[float], Any], whole: Callable[[Any], bool]) -> tuple[float, list[int]]:
    """Read each node, which shows what it does after so many seconds; how long, how often."""
    both, begun = Settling(QUIET_S, whole), time.monotonic()
    counts = [0] * len(nodes)

    def reader(place: int) -> None:
        for _ in both.reads("read", None):
            counts[place] += 1
            both.saw(nodes[place](time.monotonic() - begun))

    threads = [threading.Thread(target=reader, args=(place,)) for place in range(len(nodes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - begun, counts


def test_nodes_that_are_the_same_are_not_read_for_long() -> None:
    took, counts = read(lambda now: 5, lambda now: 5, whole=lambda shown: True)
    assert took < QUIET_S + 0.2
    assert min(counts) >= 2


@pytest.mark.parametrize(
    "nodes",
    [
        (lambda now: 5, lambda now: 6),  # they differ
        (lambda now: 4, lambda now: 4),  # they are the same, but something is missing
    ],
)
def test_others_are_read_until_nothing_has_changed_for_long(nodes: Any) -> None:
    took, _ = read(*nodes, whole=lambda shown: shown != 4)
    assert took > QUIET_S


def test_a_node_that_catches_up_late_is_waited_for() -> None:
    took, _ = read(lambda now: 5, lambda now: int(now / 0.1) if now < 0.5 else 5,
                   whole=lambda shown: True)  # fmt: skip
    assert took >= 0.5


def test_nodes_that_never_come_to_rest_end_it_too() -> None:
    took, _ = read(lambda now: now, lambda now: -now, whole=lambda shown: True)
    assert settling.PATIENCE * QUIET_S <= took < 10 * settling.PATIENCE * QUIET_S


def test_reads_during_the_load_are_of_no_account() -> None:
    Settling(QUIET_S, lambda shown: True).saw(3)
