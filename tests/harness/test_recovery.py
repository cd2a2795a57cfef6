"""Who is waited for after the last heal, and what is said of those that do not come back."""

import itertools
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from partita.harness.nodes.cluster import Node
from partita.harness.run import run


class Store:
    """Its nodes serve after so many looks; -1: never, and the process is gone."""

    def __init__(self, looks: dict[str, int]) -> None:
        self._looks = looks
        self._looked = Counter[str]()

    def healthy(self, node: Node) -> bool:
        self._looked[node.name] += 1
        return 0 <= self._looks[node.name] < self._looked[node.name]

    def running(self, node: Node) -> bool:
        return self._looks[node.name] >= 0


NAMES = ("n1", "n2", "n3")
REMOTE: Any = SimpleNamespace(lost=False)
NODES = [Node(name, (), REMOTE) for name in NAMES]
NEVER = 1_000


@pytest.mark.parametrize(
    ("looks", "unless_ended", "lacking"),
    [
        ((0, 3, 0), 2, []),
        ((-1, 3, 0), 2, ["n1"]),  # the others are waited for
        ((-1, -1, NEVER), 2, ["n1", "n2", "n3"]),  # in vain
        ((-1, 3, 0), 1, ["n1", "n2"]),  # where all are needed
    ],
)
def test_those_are_waited_for_that_may_still_come(
    looks: tuple[int, ...], unless_ended: int, lacking: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run.time, "sleep", lambda seconds: None)
    store: Any = Store(dict(zip(NAMES, looks, strict=True)))
    sick = run._await_healthy(store, NODES, 60.0, unless_ended=unless_ended)
    assert [node.name for node in sick] == lacking


def test_whose_process_is_gone_is_told_apart_from_who_was_waited_for() -> None:
    for gone, rest in itertools.product((NODES[:1], []), (NODES[2:], [])):
        said = run._unrecovered([*gone, *rest], gone, 31.4)
        assert said == [
            *["the process of n1 was gone after the last heal"] * bool(gone),
            *["n3 did not recover within 31 s of the last heal"] * bool(rest),
        ]
