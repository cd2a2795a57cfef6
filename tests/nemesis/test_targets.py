"""Targets: whom a fault strikes, for any cluster size."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partita.checker import plugins
from partita.nemesis.grudges import cut_pairs, describe, split
from partita.nemesis.targets import Scope, Target, TargetError, scope_of

FIVE = ["n1", "n2", "n3", "n4", "n5"]
TARGETS: dict[str, Target[Any]] = {
    name: plugins.find("targets", name) for name in plugins.names("targets")
}


def grudge(name: str, nodes: list[str] = FIVE, leaders: tuple[str, ...] = ("n1",), seed: int = 1):
    return dict(TARGETS[name].scope("links", nodes, leaders, Random(seed)).grudge)


def struck(
    name: str, nodes: list[str] = FIVE, leaders: tuple[str, ...] = ("n4", "n2"), seed: int = 1
):
    return TARGETS[name].scope("nodes", nodes, leaders, Random(seed)).nodes


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


@given(st.sampled_from(sorted(TARGETS)), st.integers(4, 9), st.integers())
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
    for name, target in TARGETS.items():
        nodes = FIVE[: target.nodes_min("links")]
        assert cut_pairs(grudge(name, nodes)), name
        with pytest.raises(TargetError, match=f"{len(nodes)} nodes are needed"):
            grudge(name, nodes[:-1])


def test_descriptions() -> None:
    assert describe(split(FIVE, ["n5"])) == "n5 | n1 n2 n3 n4"
    assert describe({"a": ("b",), "b": (), "c": ()}) == "a drops b"
    assert describe(grudge("all")) == "n1 | n2 | n3 | n4 | n5"


@pytest.mark.parametrize(
    ("target", "size"),
    [("one", 1), ("leader", 1), ("minority", 2), ("majority", 3), ("all", 5), ("followers", 2)],
)
def test_a_target_is_as_large_as_it_says(target: str, size: int) -> None:
    for seed in range(20):
        chosen = struck(target, seed=seed)
        assert len(set(chosen)) == size
        assert set(chosen) <= set(FIVE)
    if target == "leader":
        assert list(chosen) == ["n4"]


def test_a_majority_of_an_even_number_is_more_than_half() -> None:
    assert len(struck("majority", FIVE[:4])) == 3
    assert len(struck("minority", FIVE[:4])) == 1


@given(st.integers(3, 9), st.integers())
def test_without_the_followers_that_are_struck_the_leader_has_a_majority(
    count: int, seed: int
) -> None:
    nodes = [f"n{i}" for i in range(count)]
    down = struck("followers", nodes, ("n1",), seed)
    assert down
    assert "n1" not in down
    assert 2 * (count - len(down)) > count
    cut = grudge("followers", nodes, ("n1",), seed)
    assert max(components(cut)) == count - len(down)


def test_targets_of_links_are_not_for_faults_of_nodes() -> None:
    assert not TARGETS["bridge"].suits("nodes")
    assert TARGETS["bridge"].suits("links")
    assert TARGETS["one"].suits("links")


def test_a_leader_that_nobody_knows_cannot_be_struck() -> None:
    with pytest.raises(TargetError, match="no node says that it leads"):
        struck("leader", leaders=())


def test_named_nodes_are_themselves_or_their_links() -> None:
    assert scope_of("nodes", FIVE, ["n3", "n2"]) == Scope(("n2", "n3"))
    assert str(scope_of("links", FIVE, ["n3", "n2"])) == "n2 n3 | n1 n4 n5"
    assert str(scope_of("links", FIVE, FIVE)) == "n1 | n2 | n3 | n4 | n5"
