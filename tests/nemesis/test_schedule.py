"""Schedules: read from text, or planned."""

from pathlib import Path

import pytest

from partita.nemesis.schedule import ScheduleError, Step, check, fault, in_turn, parse, plan


def test_the_form_of_the_manual() -> None:
    steps = parse("65s partition leader-minority; 135s heal")
    assert steps == (Step(65, "partition", "leader-minority"), Step(135, "heal"))


def test_times_may_have_fractions_and_no_unit() -> None:
    assert parse(" 0.5 partition one;2s heal; ") == (Step(0.5, "partition", "one"), Step(2, "heal"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no fault"),
        ("1s heal; 2s heal", "has no fault"),
        ("soon partition one", "cannot read 'soon partition one'"),
        ("1.2.3s heal", "cannot read"),
        ("5s explode one", "no action is called 'explode'"),
        ("5s partition", "needs a target"),
        ("5s partition everything", "needs a target, one of bridge, followers, halves"),
        ("5s heal one", "takes no target"),
        ("9s partition one; 5s heal", "comes before it"),
        ("-5s heal", "cannot read"),
        ("5s delay all ms=5 ms=6", "gives a setting twice"),
    ],
)
def test_a_malformed_schedule_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ScheduleError, match=said) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


def test_planned_faults_take_turns_with_peace_between() -> None:
    steps = plan(["one", "halves"], 10, 60)
    assert [str(step) for step in steps] == [
        "10s partition one",
        "20s heal",
        "30s partition halves",
        "40s heal",
    ]


def test_faults_come_again_while_there_is_time() -> None:
    assert [step.target for step in plan(["one", "link"], 5, 60) if step.target] == [
        *("one", "link", "one", "link", "one")
    ]


def test_a_plan_that_does_not_fit_is_refused_with_what_would() -> None:
    with pytest.raises(ScheduleError, match="give it 65 s"):
        plan(["one", "halves"], 15, 45)
    assert len(plan(["one", "halves"], 15, 65)) == 4


@pytest.mark.parametrize("faults", [1, 2, 3, 7])
@pytest.mark.parametrize("time_limit", [10, 60, 300])
def test_without_an_interval_every_fault_has_its_turn(faults: int, time_limit: float) -> None:
    steps = plan(["one"] * faults, None, time_limit)
    assert len(steps) >= 2 * faults
    assert steps[1].at - steps[0].at <= 15
    assert steps[-1].at < time_limit


def test_no_faults_no_steps() -> None:
    assert plan([], 10, 60) == ()


def test_blanks_around_names_are_nobodys() -> None:
    assert in_turn("kill-leader, pause-one ,, none") == ["kill-leader", "pause-one"]
    assert in_turn(" none") == []


def test_unknown_faults_are_named() -> None:
    with pytest.raises(ScheduleError, match="no nemesis is called 'earthquake'"):
        fault("earthquake")


def test_what_cannot_be_carried_out_is_refused_before_the_run() -> None:
    with pytest.raises(ScheduleError, match="needs 2 nodes, there are 1"):
        check(parse("1s partition halves"), 1, 10, has={"primaries"}.__contains__)
    with pytest.raises(ScheduleError, match="primaries"):
        check(parse("1s partition leader"), 5, 10, has=lambda name: False)
    with pytest.raises(ScheduleError, match="not before --time-limit 10"):
        check(parse("10s partition one"), 5, 10, has={"primaries"}.__contains__)
    with pytest.raises(ScheduleError, match="kill minority needs 3 nodes"):
        check(parse("1s kill minority"), 2, 10, has={"primaries"}.__contains__)
    with pytest.raises(ScheduleError, match=r"no pause\(\)"):
        check(parse("1s pause one"), 3, 10, has={"primaries"}.__contains__)
    check(parse("1s partition leader; 5s heal"), 5, 10, has={"primaries"}.__contains__)


FIVE = ["n1", "n2", "n3", "n4", "n5"]


@pytest.mark.parametrize(
    "text",
    [
        "8s partition leader-minority; 20s kill n2,n3; 24s heal partition; 26s start n3; 30s heal",
        "5s kill followers; 9s heal kill",
        "5s partition n1; 6s pause one; 7s heal pause,partition",
    ],
)
def test_a_schedule_is_written_as_it_is_read(text: str) -> None:
    steps = parse(text, FIVE)
    assert "; ".join(map(str, steps)) == text
    check(steps, 5, 60, has=lambda name: True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5s kill n9", r"or nodes' names \(n1, n2, n3, n4, n5\), not 'n9'"),
        ("5s kill n1 n2", "joined by commas"),
        ("5s kill n1; 6s start", "start takes nodes' names"),
        ("5s kill n1; 6s start one", "start takes nodes' names"),
        ("5s kill n1; 6s heal n1", 'ends with "start n1"'),
        ("5s kill n1; 6s heal ms=5", "heal takes no settings"),
        ("5s kill one ms=5", "fault kill has no setting 'ms': it has none"),
        ("5s bridge one", "no action is called 'bridge'"),
        ("5s kill bridge", "kill needs a target"),
        ("5s partition all", "partition needs a target"),
        ("5s nowhere.py:Fault one", "there is no file nowhere.py"),
    ],
)
def test_steps_that_end_or_name_something_say_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ScheduleError, match=said) as caught:
        parse(text, FIVE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5s kill n1; 6s heal partition", "no partition is in force then"),
        ("5s kill n1; 6s heal; 7s start n1", "no fault is in force on a node then"),
        ("5s partition n1; 7s start n1", "no fault is in force on a node then"),
    ],
)
def test_what_ends_nothing_is_refused(text: str, said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        check(parse(text, FIVE), 5, 60, has=lambda name: True)


OWN = """
from partita.nemesis.fault import Traits

class {name}:
    name = "{name}"
    traits = Traits(strikes="nodes", stacks="alone", needs=("members",))

    def __init__(self, {parameter}):
        self.seconds = seconds

    def lacks(self, host): return None
    def begin(self, scene, scope): pass
    def prove(self, scene, scope): return {{}}
    def lasted(self, scene, scope): return None
    def end(self, scene, scope): pass
"""


def own(folder: Path, name: str, parameter: str = "seconds: float = 2") -> str:
    (folder / "own.py").write_text(OWN.format(name=name, parameter=parameter))
    return f"{folder}/own.py:{name}"


def test_a_fault_from_a_file_goes_wherever_a_name_goes(tmp_path: Path) -> None:
    """Its settings come from the step, else from what is given for the run, else its own."""
    path = own(tmp_path, "Members")
    assert fault(f"{path}-leader") == (path, "leader")
    steps = parse(f"1s {path} n1 seconds=9; 2s heal Members; 3s {path} one", FIVE)
    assert str(steps[0]) == f"1s {path} n1 seconds=9.0"
    assert [step.settings for step in steps] == [{"seconds": 9.0}, {}, {}]
    given = parse(f"1s {path} n1 seconds=9; 3s {path} one", FIVE, lambda name: {"seconds": 4.0})
    assert [step.settings["seconds"] for step in given] == [9.0, 4.0]
    (begins, _) = plan([f"{path}-one"], 10, 30, lambda name: {"seconds": 5.0})
    assert begins.settings == {"seconds": 5.0}
    check(steps, 5, 60, has=lambda name: True)


def test_what_a_fault_needs_of_its_system_is_said(tmp_path: Path) -> None:
    steps = parse(f"1s {own(tmp_path, 'Members')} one", FIVE)
    with pytest.raises(ScheduleError, match=r"needs a system with members\(\)"):
        check(steps, 5, 60, has=lambda name: False)


def test_a_fault_that_is_alone_has_no_second_one_beside_it(tmp_path: Path) -> None:
    path = own(tmp_path, "Members")
    with pytest.raises(ScheduleError, match="needs a heal of Members before it"):
        check(parse(f"1s {path} n1; 2s {path} n2", FIVE), 5, 60, has=lambda name: True)
    check(parse(f"1s {path} n1; 2s heal; 3s {path} n2", FIVE), 5, 60, has=lambda name: True)


def test_a_setting_that_must_be_given_is_asked_for(tmp_path: Path) -> None:
    path = own(tmp_path, "Members", "seconds: float")
    with pytest.raises(ScheduleError, match="needs seconds"):
        parse(f"1s {path} one", FIVE)
    assert parse(f"1s {path} one seconds=3", FIVE)[0].settings == {"seconds": 3.0}
