"""What was struck by chance is said by its role where it was the leader, and else left alone."""

from partita.checker.events import Event
from partita.nemesis.roles import by_role
from partita.nemesis.schedule import parse

SCHEDULE = (
    "1s kill one; 2s heal; 3s partition one; 4s heal; 5s partition random-halves; 6s heal; "
    "7s pause minority; 8s heal; 9s kill leader; 10s heal"
)
GRUDGE = {"n1": ["n3"], "n2": ["n3"], "n3": ["n1", "n2", "n4", "n5"], "n4": ["n3"], "n5": ["n3"]}
HALVES = {"n1": ["n3", "n4", "n5"], "n2": ["n3", "n4", "n5"]} | {
    each: ["n1", "n2"] for each in ("n3", "n4", "n5")
}


def leads(*nodes: str) -> Event:
    return Event(0, 0, "monitor", "info", "leader", list(nodes))


def strikes(number: int, f: str, **value: object) -> Event:
    return Event(0, 0, "nemesis", "invoke", f, {"fault": number, **value})


def named(*others: Event) -> list[str]:
    steps = by_role(parse(SCHEDULE), others)
    return [f"{step.action} {step.target}" for step in steps if step.begins]


def test_the_leader_is_named_where_it_was_met() -> None:
    met = [
        leads("n3"),
        strikes(1, "kill", nodes=["n3"]),
        strikes(3, "partition", grudge=GRUDGE),
        leads("n2"),
        strikes(5, "partition", grudge=HALVES),
        strikes(7, "pause", nodes=["n2", "n5"]),
    ]
    assert named(*met) == [
        "kill leader",
        "partition leader",
        "partition leader-minority",
        "pause leader-minority",
        "kill leader",
    ]


def test_who_did_not_lead_is_nobody() -> None:
    plain = ["kill one", "partition one", "partition random-halves", "pause minority"]
    missed = [
        strikes(1, "kill", nodes=["n3"]),  # nobody knew then who leads
        leads("n1"),
        strikes(3, "partition", grudge=GRUDGE),
        leads("n4"),  # on the larger side
        strikes(5, "partition", grudge=HALVES),
        leads(),
        strikes(7, "pause", nodes=["n4", "n5"]),
    ]
    assert named(*missed) == [*plain, "kill leader"]
    assert named() == [*plain, "kill leader"]
