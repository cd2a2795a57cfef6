"""Who may be taken out and in: rules, and a store in memory on which the fault keeps to them."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from partita.nemesis import faults
from partita.nemesis.fault import Asked, Scene
from partita.nemesis.faults import members as fault_file
from partita.nemesis.faults.members import Members
from partita.nemesis.membership import (
    against_addition,
    against_removal,
    agreed,
    untouched,
)
from partita.nemesis.schedule import ScheduleError, check, parse
from partita.nemesis.targets import Scope

FIVE = ["n1", "n2", "n3", "n4", "n5"]
FOUR = FIVE[:4]


def test_a_view_is_what_a_majority_of_those_in_it_reports() -> None:
    assert agreed(dict.fromkeys(FIVE, FIVE)) == set(FIVE)
    assert agreed({"n1": FIVE, "n2": FIVE, "n3": FIVE, "n4": None}) == set(FIVE)
    assert agreed({"n1": FIVE, "n2": FIVE, "n3": None}) is None
    assert agreed({}) is None
    # Who was taken out does not know it, and who lags neither.
    assert agreed({"n1": FOUR, "n2": FOUR, "n3": FOUR, "n4": FIVE, "n5": FIVE}) == set(FOUR)
    assert agreed({"n1": FOUR, "n2": FOUR, "n4": FIVE, "n5": FIVE}) is None
    # A node is no witness for voters that it is not among.
    assert agreed({"n1": FOUR, "n2": FOUR, "n5": FOUR}) is None


def test_the_living_are_a_majority_before_and_after() -> None:
    assert against_removal(FIVE, FIVE, "n5", 3) is None
    assert against_removal(FIVE, ["n1", "n2", "n3"], "n5", 3) is None
    assert against_removal(FIVE, ["n1", "n2", "n3"], "n3", 3) == (
        "only 2 of the 4 that would be left live"
    )
    assert against_removal(FIVE, ["n1", "n2"], "n5", 3) == "only 2 of 5 voters live"
    # Those that live but do not vote are not counted.
    assert against_removal(FIVE, ["n1", "n2", "n6"], "n5", 3) == "only 2 of 5 voters live"
    assert against_removal(["n1", "n2", "n3"], FIVE, "n3", 3) == (
        "2 voters would be left, and 3 must be"
    )
    assert against_removal(["n1", "n2", "n3"], FIVE, "n3", 2) is None
    assert against_removal(FOUR, FIVE, "n5", 3) == "n5 is no voter"


def test_who_is_taken_in_may_not_start() -> None:
    assert against_addition(FOUR, FOUR, "n5") is None
    assert against_addition(FOUR, ["n1", "n2", "n3"], "n5") is None
    assert against_addition(FOUR, ["n1", "n2"], "n5") == "only 2 of 5 voters would live"


def test_who_is_cut_off_from_a_majority_does_not_count_as_living() -> None:
    assert untouched(FIVE, []) == set(FIVE)
    assert untouched(FIVE, [Scope(("n1", "n4"))]) == {"n2", "n3", "n5"}
    halves = {n: ("n3", "n4", "n5") if n in ("n1", "n2") else ("n1", "n2") for n in FIVE}
    assert untouched(FIVE, [Scope(grudge=halves)]) == {"n3", "n4", "n5"}
    assert untouched(FIVE, [Scope(grudge={"n1": ("n2",)})]) == set(FIVE)
    assert untouched(FIVE, [Scope(grudge=halves), Scope(("n3",))]) == {"n4", "n5"}


class Cluster:
    """A store in memory. What it is asked for it does at once, but for what a test changes."""

    def __init__(self) -> None:
        self.voters = list(FIVE)
        self.down: set[str] = set()
        self.did: list[tuple[str, ...]] = []
        self.answers: list[Asked] = []  # in place of the true ones, without doing it
        self.lost = False  # the answers are lost, but it is done
        self.deaf = False  # nothing is done, and nobody knows

    def do(self, method: str, node: str, *more: Any) -> Any:
        self.did.append((method, node))
        if method == "data":
            return f"/data/{node}"
        self.down.add(node)
        return None

    def start(self, node: str) -> None:
        self.did.append(("start", node))
        self.down.discard(node)

    def serves(self, node: str) -> bool:
        return node not in self.down and node in self.voters

    def members(self, node: str) -> list[str] | None:
        return None if node in self.down else list(self.voters)

    def change(self, what: str, node: str, asked: str) -> Asked:
        assert asked not in self.down
        assert asked != node
        self.did.append((what, node))
        if self.answers:
            return self.answers.pop(0)
        if self.deaf:
            return Asked(None, "timeout")
        if what == "remove":
            self.voters = [each for each in self.voters if each != node]
        elif node not in self.voters:
            self.voters.append(node)
        return Asked(None, "timeout") if self.lost else Asked(True)

    @property
    def changes(self) -> list[tuple[str, ...]]:
        return [each for each in self.did if each[0] in ("add", "remove")]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("REMOVAL_S", 0.3), ("AGAIN_S", 0.05), ("VIEW_S", 0.1)):
        monkeypatch.setattr(fault_file, name, seconds)
    monkeypatch.setattr(fault_file, "_LOOK_S", 0.01)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    yield Cluster()


def scene_of(cluster: Cluster, *silent: Scope, held: tuple[str, ...] = ()) -> Scene:
    def host(name: str) -> Any:
        def run(command: list[str], **more: Any) -> None:
            cluster.did.append(("empty", name, command[-1]))

        return SimpleNamespace(name=name, lost=False, run=run)

    hosts = [host(name) for name in FIVE]
    return Scene(hosts, cluster, held=held, silent=silent)  # type: ignore[arg-type]


def test_one_after_another_out_and_in_again(cluster: Cluster) -> None:
    fault, scene, scope = Members(), scene_of(cluster), Scope(("n2", "n4"))
    fault.begin(scene, scope)
    assert cluster.voters == ["n1", "n3", "n5"]
    proof = fault.prove(scene, scope)
    assert proof["bit"] is True
    assert proof["voters"] == ["n1", "n3", "n5"]
    assert not [each for each in cluster.did if each[0] in ("kill", "empty")], "its data are kept"
    last = fault.lasted(scene, scope)
    assert not last.gone
    assert last.figures == {"members_removed": 2}
    cluster.did.clear()
    fault.end(scene, scope)
    assert set(cluster.voters) == set(FIVE)
    assert [each for each in cluster.did if each[1] == "n2"] == [
        ("data", "n2"),
        ("kill", "n2"),
        ("empty", "n2", "/data/n2"),
        ("add", "n2"),
        ("start", "n2"),
    ]
    assert cluster.changes == [("add", "n2"), ("add", "n4")]


def test_a_lost_answer_is_pending_until_a_majority_shows_the_change(cluster: Cluster) -> None:
    cluster.lost = True
    fault, scene, scope = Members(), scene_of(cluster), Scope(("n2", "n4"))
    fault.begin(scene, scope)
    assert cluster.changes == [("remove", "n2"), ("remove", "n4")]
    assert fault.prove(scene, scope)["bit"] is True
    fault.end(scene, scope)
    assert set(cluster.voters) == set(FIVE)


def test_nothing_else_is_asked_for_while_a_change_is_pending(cluster: Cluster) -> None:
    cluster.deaf = True
    fault, scene, scope = Members(), scene_of(cluster), Scope(("n2", "n4"))
    fault.begin(scene, scope)
    assert set(cluster.changes) == {("remove", "n2")}
    proof = fault.prove(scene, scope)
    assert proof["bit"] is False
    assert proof["kept"] == {"n2": "timeout"}
    cluster.did.clear()
    fault.end(scene, scope)
    assert not [each for each in cluster.did if each[0] == "empty"], "it may be a voter for ever"


def test_a_removal_that_comes_late_is_seen_and_undone(cluster: Cluster) -> None:
    cluster.deaf = True
    fault, scene, scope = Members(), scene_of(cluster), Scope(("n2",))
    fault.begin(scene, scope)
    cluster.voters.remove("n2")
    cluster.deaf = False
    fault.end(scene, scope)
    assert set(cluster.voters) == set(FIVE)
    assert ("empty", "n2", "/data/n2") in cluster.did


def test_what_is_refused_is_asked_again_and_leaves_nothing_pending(cluster: Cluster) -> None:
    cluster.answers = [Asked(False, "unhealthy cluster")]
    fault, scene, scope = Members(), scene_of(cluster), Scope(("n2",))
    fault.begin(scene, scope)
    assert cluster.changes == [("remove", "n2")] * 2
    assert fault.prove(scene, scope)["bit"] is True


def test_what_is_always_refused_did_not_bite_and_needs_no_end(cluster: Cluster) -> None:
    cluster.answers = [Asked(False, "no")] * 100
    fault, scene, scope = Members(), scene_of(cluster), Scope(("n2",))
    fault.begin(scene, scope)
    proof = fault.prove(scene, scope)
    assert proof["bit"] is False
    assert proof["kept"] == {"n2": "no"}
    assert fault.lasted(scene, scope).figures == {"members_removed": 0}
    cluster.did.clear()
    fault.end(scene, scope)
    assert cluster.did == []


@pytest.mark.parametrize("silent", [Scope(("n1", "n3")), Scope(grudge={"n1": tuple(FIVE[1:])})])
def test_what_our_faults_strike_does_not_live(cluster: Cluster, silent: Scope) -> None:
    fault, scope = Members(), Scope(("n2",))
    scene = scene_of(cluster, silent, Scope(("n3",)))
    fault.begin(scene, scope)
    assert cluster.changes == [], "two of the four that would be left live"
    assert "only 2 of the 4" in fault.prove(scene, scope)["kept"]["n2"]
    # Without care all are asked, for one that is cut off may believe that it leads.
    Members(reckless=True).begin(scene, scope)
    assert cluster.changes == [("remove", "n2")] * 4


def test_who_does_not_answer_does_not_live(cluster: Cluster) -> None:
    cluster.down = {"n4", "n5"}
    Members().begin(scene_of(cluster), Scope(("n1",)))
    assert cluster.changes == []
    Members().begin(scene_of(cluster), Scope(("n4",)))
    assert cluster.changes == [("remove", "n4")]


def test_an_end_that_takes_too_long_says_so_and_never_empties_twice(cluster: Cluster) -> None:
    fault, scene, scope = Members(patience=1), scene_of(cluster), Scope(("n2",))
    fault.begin(scene, scope)
    cluster.answers = [Asked(False, "not now")] * 100
    with pytest.raises(RuntimeError, match="n2 does not vote and serve again: not now, for 1 s"):
        fault.end(scene, scope)
    cluster.answers = []
    fault.end(scene, scope)
    assert set(cluster.voters) == set(FIVE)
    assert [each[0] for each in cluster.did].count("empty") == 1


@pytest.mark.parametrize("answer", [Asked(False, "unhealthy cluster"), Asked(None, "timeout")])
def test_who_is_not_known_to_be_taken_in_is_not_started(cluster: Cluster, answer: Asked) -> None:
    fault, scene, scope = Members(), scene_of(cluster), Scope(("n2",))
    fault.begin(scene, scope)
    cluster.answers = [answer]
    cluster.did.clear()
    fault.end(scene, scope)
    assert [each[0] for each in cluster.did][-3:] == ["add", "add", "start"]


def test_who_is_kept_down_by_another_fault_is_not_taken_in(cluster: Cluster) -> None:
    fault, scope = Members(), Scope(("n2",))
    fault.begin(scene_of(cluster), scope)
    with pytest.raises(RuntimeError, match="another fault keeps it down"):
        fault.end(scene_of(cluster, held=("n2",)), scope)
    assert cluster.changes == [("remove", "n2")]


def test_who_is_taken_in_by_another_hand_was_not_out(cluster: Cluster) -> None:
    fault, scene, scope = Members(), scene_of(cluster), Scope(("n2",))
    fault.begin(scene, scope)
    cluster.voters.append("n2")
    assert fault.lasted(scene, scope).gone == {"voters_again": ["n2"]}


@pytest.mark.parametrize(
    ("schedule", "nodes", "complaint"),
    [
        ("1s members one", 5, None),
        ("1s members minority", 5, None),
        ("1s members majority", 5, "3 of 5 nodes cannot be taken out, for 3 voters must be left"),
        ("1s members majority", 7, None),
        ("1s members one", 3, "1 of 3 nodes cannot be taken out"),
        ("1s members one members_min=2", 3, None),
        ("1s members n1,n2,n3", 5, "3 of 5 nodes cannot be taken out"),
        ("1s members one reckless=yes", 3, None),
        ("1s members n1; 2s members n2", 5, "needs a heal of members before it"),
    ],
)
def test_what_cannot_be_done_is_refused_before(
    schedule: str, nodes: int, complaint: str | None
) -> None:
    steps = parse(schedule, FIVE)
    if complaint is None:
        check(steps, nodes, 10, has=lambda name: True)
        return
    with pytest.raises(ScheduleError, match=complaint):
        check(steps, nodes, 10, has=lambda name: True)


def test_a_system_without_members_is_refused_and_all_is_no_target() -> None:
    with pytest.raises(ScheduleError, match=r"with members\(\) and add\(\) and remove\(\)"):
        check(parse("1s members one"), 5, 10, has=lambda name: name == "data")
    assert "all" not in faults.targets_of("members")
    assert faults.parse_name("members") == ("members", "one")
