"""Schedules: read from text, or planned."""

import pytest

from partita.nemesis.schedule import ScheduleError, Step, check, fault, parse, plan


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
