"""Grudges: who drops whom, for any cluster size."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partita.nemesis.grudges import GRUDGES, NODES_MIN, cut_pairs, describe, split

FIVE = ["n1", "n2", "n3", "n4", "n5"]


def grudge(name: str, nodes: list[str] = FIVE, leaders: tuple[str, ...] = ("n1",), seed: int = 1):
    return dict(GRUDGES[name](nodes, leaders, Random(seed)))


def talks(grudge, a: str, b: str) -> bool:
    return b not in grudge[a] and a not in grudge[b]


def components(grudge) -> list[int]:
    """Sizes of the groups in which everyone can reach everyone, if need be through others."""
    left, sizes = set(grudge), []
    while left:
        group, todo = set(), [min(left)]
        while todo:
            node = todo.pop()
            if node not in group:
                group.add(node)
                todo += [other for other in grudge if other != node and talks(grudge, node, other)]
        sizes.append(len(group))
        left -= group
    return sorted(sizes)


def test_leader_minority_is_the_cut_of_the_original_experiment() -> None:
    assert describe(grudge("leader-minority")) == "n1 n2 | n3 n4 n5"


@pytest.mark.parametrize("name", ["halves", "random-halves", "leader-minority"])
def test_a_majority_stays_on_one_side(name: str) -> None:
    assert components(grudge(name)) == [2, 3]


@pytest.mark.parametrize("name", ["one", "leader"])
def test_one_node_is_alone(name: str) -> None:
    assert components(grudge(name)) == [1, 4]


def test_the_leader_is_the_one_cut_off() -> None:
    assert describe(grudge("leader", leaders=("n4", "n2"))) == "n4 | n1 n2 n3 n5"


def test_a_bridge_talks_to_everyone_and_the_halves_only_to_it() -> None:
    cut = grudge("bridge")
    middle = [node for node in FIVE if not cut[node]]
    assert len(middle) == 1
    without = {node: dropped for node, dropped in cut.items() if node not in middle}
    assert components(without) == [2, 2]


@given(st.integers(4, 9), st.integers())
def test_in_a_ring_everyone_sees_a_majority_but_no_two_the_same(count: int, seed: int) -> None:
    nodes = [f"n{i}" for i in range(count)]
    cut = grudge("majorities-ring", nodes, seed=seed)
    views = {frozenset(other for other in nodes if other not in cut[node]) for node in nodes}
    assert all(len(view) > count // 2 for view in views)
    if count > 4:
        assert len(views) == count


def test_one_way_drops_in_one_direction_only() -> None:
    cut = grudge("one-way")
    assert sum(map(len, cut.values())) == 2 * 3
    assert all(node not in cut[other] for node, dropped in cut.items() for other in dropped)


def test_a_link_is_one_pair_with_the_leader() -> None:
    pairs = cut_pairs(grudge("link", leaders=("n3",)))
    assert len(pairs) == 1
    assert "n3" in pairs[0]


@given(st.sampled_from(sorted(GRUDGES)), st.integers(4, 9), st.integers())
def test_every_grudge_cuts_something_and_no_node_from_itself(
    name: str, count: int, seed: int
) -> None:
    nodes = [f"n{i}" for i in range(count)]
    cut = grudge(name, nodes, ("n0",), seed)
    assert set(cut) == set(nodes)
    assert cut_pairs(cut)
    assert all(node not in dropped for node, dropped in cut.items())
    assert cut == grudge(name, nodes, ("n0",), seed), "the same seed gives the same grudge"


def test_smallest_clusters() -> None:
    for name in GRUDGES:
        nodes = FIVE[: NODES_MIN.get(name, 2)]
        assert cut_pairs(grudge(name, nodes)), name


def test_descriptions() -> None:
    assert describe(split(FIVE, ["n5"])) == "n5 | n1 n2 n3 n4"
    assert describe({"a": ("b",), "b": (), "c": ()}) == "a drops b"
