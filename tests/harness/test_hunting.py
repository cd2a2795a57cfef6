"""The hunt, with runs that are only said to fail: by chance, by what they have in them."""

import math
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from partita.harness.hunting.hunt import Findings, Hunt, Told
from partita.harness.hunting.novelty import least_tried_first
from partita.harness.hunting.shrinking import (
    ATTEMPTS_MAX,
    Result,
    Shrinker,
    StoppedError,
    Trial,
    attempts,
    fewest,
    last_blocks,
)
from partita.harness.hunting.tries import Budget, Tries
from partita.nemesis.blocks import blocks_of, text_of
from partita.nemesis.schedule import parse

LONG = (
    "2s partition leader; 5s heal; 8s kill one; 9s pause leader; 14s heal; "
    "17s delay all; 20s heal; 22s kill all; 23s heal"
)


def trial(schedule: str = LONG, **options: Any) -> Trial:
    return Trial(blocks_of(parse(schedule)), 30.0, options)


def actions(of: Trial) -> list[str]:
    steps = [step for block in of.blocks for step in block.steps if step.begins]
    return [f"{step.action} {step.target}" for step in steps]


def shrunk(oracle: Callable[[Trial], Result], tries: int = 1, **more: Any) -> Trial:
    asked = {"possible": lambda trial: True, "simpler": (), "told": lambda step: None} | more
    shrinker = Shrinker(trial(), oracle, attempts=tries, **asked)
    shrinker.shrink(None)
    return shrinker.best


def test_a_step_is_tried_as_often_as_finds_it_nineteen_times_of_twenty() -> None:
    assert [attempts(3, 3), attempts(0, 4), attempts(1, 10)] == [1, ATTEMPTS_MAX, ATTEMPTS_MAX]
    for failed in range(6, 10):
        tried = attempts(failed, 10)
        assert (1 - failed / 10) ** tried <= 0.05 < (1 - failed / 10) ** (tried - 1)


@pytest.mark.parametrize("needed", [{3}, {0, 7}, {1, 2, 9}, set(range(10))])
def test_the_fewest_parts_that_fail_are_those_that_are_needed(needed: set[int]) -> None:
    assert set(fewest(range(10), lambda parts: needed <= set(parts))) == needed


def test_fewest_asks_no_more_than_it_has_to() -> None:
    asked = []
    fewest(range(64), lambda parts: asked.append(parts) or 5 in parts)  # type: ignore[func-returns-value]
    assert len(asked) <= 2 * math.log2(64) + 2


def test_all_that_a_failure_does_not_need_is_left_out() -> None:
    best = shrunk(
        lambda tried: Result("pause leader" in actions(tried)),
        simpler=[("keys", [1, 2]), ("concurrency", ["1n"])],
    )
    assert actions(best) == ["pause leader"]
    assert best.time_limit < 8
    assert best.options == {"keys": 1, "concurrency": "1n"}


def test_what_came_after_the_violation_is_left_out_first() -> None:
    asked: list[Trial] = []

    def oracle(tried: Trial) -> Result:
        asked.append(tried)
        return Result("partition leader" in actions(tried), 4.0)

    shrinker = Shrinker(
        trial(), oracle, attempts=1, possible=lambda each: True, simpler=(), told=lambda step: None
    )
    shrinker.shrink(4.0)
    assert actions(asked[0]) == ["partition leader"]
    assert asked[0].time_limit == 7.0


def test_runs_with_fewer_faults_are_short() -> None:
    asked: list[Trial] = []

    def oracle(tried: Trial) -> Result:
        asked.append(tried)
        return Result("partition leader" in actions(tried))

    shrunk(oracle)
    ends = [max((block.end for block in each.blocks), default=6.0) for each in asked]
    assert all(each.time_limit <= end + 2 for each, end in zip(asked, ends, strict=True))


def test_the_last_blocks_before_a_moment_begin_at_once() -> None:
    found = [(text_of(each.blocks), each.time_limit) for each in last_blocks(trial(), 21.0)]
    delay, pause = "1s delay all; 4s heal", "1s kill one; 2s pause leader; 7s heal"
    assert found == [(delay, 6.0), (f"{pause}; 8s delay all; 11s heal", 13.0)]
    [late, *_] = last_blocks(trial(), 22.5)
    assert text_of(late.blocks) == "1s kill all; 2s heal"
    assert not [*last_blocks(trial(), 1.0)] and not [*last_blocks(trial(), None)]


def test_a_time_that_was_a_wrong_hint_does_no_harm() -> None:
    def oracle(tried: Trial) -> Result:
        return Result("kill all" in actions(tried), 0.3)

    shrinker = Shrinker(
        trial(), oracle, attempts=1, possible=lambda each: True, simpler=(), told=lambda step: None
    )
    shrinker.shrink(0.3)
    assert actions(shrinker.best) == ["kill all"]


def test_what_cannot_be_carried_out_is_never_run() -> None:
    def oracle(tried: Trial) -> Result:
        assert len(tried.blocks) != 2
        return Result("kill all" in actions(tried))

    shrunk(oracle, possible=lambda tried: len(tried.blocks) != 2)


def test_a_failure_by_chance_is_shrunk_too() -> None:
    """A run that fails in three of five: tried often enough, only what it needs is mostly left."""
    found = 0
    for seed in range(100):
        rng = Random(seed)

        def oracle(tried: Trial, rng: Random = rng) -> Result:
            return Result("pause leader" in actions(tried) and rng.random() < 0.6)

        best = shrunk(oracle, tries=attempts(6, 10))
        assert "pause leader" in actions(best)
        found += actions(best) == ["pause leader"]
    assert found > 70


def test_what_was_done_least_so_far_comes_next_and_nothing_is_left_out() -> None:
    storms = {
        1: "1s kill one; 2s heal",
        2: "1s kill one; 2s heal",
        3: "1s pause one; 2s heal",
        4: "1s kill all; 2s pause one; 3s heal",
        5: "1s reset link",
        6: "1s kill one; 2s heal",
        7: "1s slow all; 2s heal; 3s delay one; 4s heal",
    }
    order = list(least_tried_first(storms, lambda seed: trial(storms[seed])))
    assert order[:3] == [4, 5, 7]  # of 7 nobody knows at first
    assert sorted(order) == list(storms)
    same = list(least_tried_first(range(9), lambda seed: trial()))
    assert same == list(range(9))


# --- the whole hunt -----------------------------------------------------------------------


class Runs:
    """Runs that fail as `fails(options)` says: True, False or an exception."""

    def __init__(self, fails: Callable[[dict[str, Any]], Any]) -> None:
        self.fails = fails
        self.done: list[dict[str, Any]] = []

    def __call__(self, options: Any) -> dict[str, Any]:
        self.done.append(dict(options))
        said = self.fails(self.done[-1])
        if isinstance(said, BaseException):
            raise said
        valid = {True: False, False: True}.get(said, said)
        return {
            "valid": valid,
            "passed": valid is True,
            "missed": [],
            "doubts": [],
            "reason": None,
            "run": f"run-{len(self.done)}",
        }


def hunted(
    fails: Callable[[dict[str, Any]], Any],
    *,
    seeds: int = 5,
    budget: float = 1e6,
    by_role: Callable[[Trial, str], Trial] = lambda tried, run: tried,
    shrinks: bool = True,
) -> tuple[Findings, Tries]:
    tries = Tries({"rate": 10}, Runs(fails), Budget(budget), lambda row: None)
    hunt = Hunt(
        tries,
        lambda seed: trial(f"{seed}s kill one; {seed + 1}s heal; 9s pause one; 12s heal"),
        by_role,
        lambda seed, tried: True,
        [("keys", [1])],
        Told(lambda found: None, lambda smaller: None),
        shrinks=shrinks,
    )
    return hunt.run(range(1, seeds + 1)), tries


def test_nothing_is_found_where_nothing_fails() -> None:
    findings, tries = hunted(lambda options: False)
    assert findings.first is None and findings.stopped is None
    assert [row.seed for row in tries.rows] == [1, 2, 3, 4, 5]


def test_unknown_is_shown_and_not_pursued() -> None:
    findings, tries = hunted(lambda options: "unknown")
    assert findings.first is None
    assert [(row.valid, row.failed) for row in tries.rows] == [("unknown", False)] * 5


def test_the_first_that_fails_is_measured_and_shrunk_and_measured_again() -> None:
    findings, tries = hunted(lambda options: options["seed"] == 3 and "pause" in str(options))
    assert findings.first and findings.smallest and findings.stopped is None
    assert [row.seed for row in tries.rows if row.purpose == "look"] == [1, 2, 3]
    assert (findings.first.failed, findings.first.runs) == (3, 3)
    assert actions(findings.smallest.trial) == ["pause one"]
    assert findings.smallest.trial.options == {"keys": 1}
    assert (findings.smallest.failed, findings.smallest.runs) == (10, 10)
    last = tries.options_of(findings.smallest.seed, findings.smallest.trial)
    assert last["nemesis"] is None and last["keys"] == 1 and last["rate"] == 10


@pytest.mark.parametrize("violated_s", [10.0, 8.0])
def test_the_last_faults_before_the_violation_are_tried_alone(
    violated_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partita.harness.hunting.tries._violated_s", lambda outcome: violated_s)
    findings, tries = hunted(
        lambda options: "9s pause" in str(options) or "1s pause" in str(options)
    )
    assert findings.first and findings.smallest
    assert (findings.first.seed, findings.smallest.seed) == (1, 1)
    assert actions(findings.smallest.trial) == ["pause one"]
    times = [row.time_limit for row in tries.rows if row.purpose == "rate"]
    if violated_s == 10.0:  # a run of 6 s says it all
        assert times[:3] == [6.0] * 3 and findings.first.runs == 1
        assert findings.steps[0].what == "only the last faults before the violation"
    else:  # the hint was wrong: the whole is measured
        assert times[:4] == [4.0, 4.0, 30.0, 30.0] and findings.first.runs == 3


def test_without_shrinking_the_first_that_fails_is_the_end() -> None:
    findings, tries = hunted(lambda options: options["seed"] == 3, shrinks=False)
    assert findings.first and findings.first == findings.smallest
    assert [row.purpose for row in tries.rows] == ["look"] * 3


def test_a_short_run_that_fails_too_seldom_is_given_up_for_a_longer_one() -> None:
    """With two faults it always fails, with one of them in one of three."""
    count = 0

    def fails(options: dict[str, Any]) -> bool:
        nonlocal count
        count += 1
        both = all(word in str(options["schedule"]) for word in ("kill", "pause"))
        return both or ("pause" in str(options["schedule"]) and count % 3 == 0)

    for _ in range(3):
        count += 1
        findings, _ = hunted(fails)
        assert findings.smallest is not None
        assert findings.smallest.rate >= 0.7
        assert actions(findings.smallest.trial) == ["kill one", "pause one"]


def test_a_failure_that_never_comes_again_is_told_with_its_rate() -> None:
    again = iter([True])
    findings, _ = hunted(lambda options: next(again, False))
    assert findings.first and findings.smallest
    assert (findings.smallest.failed, findings.smallest.runs) == (1, 10)
    assert findings.smallest.seed == 1


def test_what_fails_seldom_is_left_for_a_later_seed_that_fails_often() -> None:
    again = iter([True])
    findings, tries = hunted(
        lambda options: next(again, False) if options["seed"] == 1 else options["seed"] == 4
    )
    assert findings.first and findings.smallest
    assert [row.seed for row in tries.rows if row.purpose == "look"] == [1, 2, 3, 4]
    assert (findings.first.seed, findings.smallest.seed) == (1, 4)
    assert findings.smallest.rate == 1.0


def test_what_fails_only_with_the_leader_is_said_so() -> None:
    """One of five nodes is the leader; as soon as the schedule names it, it fails every time."""
    count = 0

    def fails(options: dict[str, Any]) -> bool:
        nonlocal count
        count += 1
        return count == 1 or "pause leader" in str(options["schedule"])

    def by_role(tried: Trial, run: str) -> Trial:
        assert run == "run-1"
        named = text_of(tried.blocks).replace("pause one", "pause leader")
        return Trial(blocks_of(parse(named)), tried.time_limit)

    findings, tries = hunted(fails, by_role=by_role)
    assert findings.first and findings.smallest
    assert [row.seed for row in tries.rows if row.purpose == "look"] == [1]
    assert findings.steps[0].what == "the leader named where chance had met it"
    assert actions(findings.smallest.trial) == ["pause leader"]
    assert (findings.smallest.failed, findings.smallest.runs) == (10, 10)


@pytest.mark.parametrize("when", [1, 3, 5, 6, 8, 12])
def test_ctrl_c_keeps_the_best_so_far(when: int) -> None:
    count = 0

    def fails(options: dict[str, Any]) -> Any:
        nonlocal count
        count += 1
        return KeyboardInterrupt() if count == when else options["seed"] == 2

    findings, tries = hunted(fails)
    assert findings.stopped == "interrupted"
    assert len(tries.rows) == when - 1
    assert bool(findings.first) == bool(findings.smallest) == (when > 2)


def test_a_run_that_failed_before_ctrl_c_counts_and_is_the_last() -> None:
    tries = Tries({}, lambda options: Runs(lambda each: True)(options) | {"interrupted": True},
                  Budget(1e6), lambda row: None)  # fmt: skip
    hunt = Hunt(
        tries,
        lambda seed: trial(),
        lambda tried, run: tried,
        lambda seed, tried: True,
        [],
        Told(lambda found: None, lambda smaller: None),
    )
    findings = hunt.run(range(5))
    assert findings.stopped == "interrupted"
    assert findings.first and findings.smallest and len(tries.rows) == 1


def test_a_run_that_would_end_after_the_budget_is_not_begun() -> None:
    findings, tries = hunted(lambda options: False, budget=20)
    assert len(tries.rows) == 1  # one is always made
    assert findings.stopped == "the budget of 20 s is used up"


def test_a_run_that_cannot_be_made_is_told_and_several_in_a_row_end_it() -> None:
    from partita.harness.systems.system import StoreError

    broken = iter([StoreError("n1 does not serve")])
    _, tries = hunted(lambda options: next(broken, False))
    assert tries.rows[0].reason == "n1 does not serve" and tries.rows[0].valid == "unknown"
    assert len(tries.rows) == 5
    with pytest.raises(StoreError):
        hunted(lambda options: StoreError("n1 does not serve"))


def test_the_end_of_shrinking_leaves_what_was_reached() -> None:
    count = 0

    def oracle(tried: Trial) -> Result:
        nonlocal count
        count += 1
        if count == 4:
            raise StoppedError("enough")
        return Result("kill all" in actions(tried))

    shrinker = Shrinker(
        trial(), oracle, attempts=1, possible=lambda each: True, simpler=(), told=lambda step: None
    )
    with pytest.raises(StoppedError):
        shrinker.shrink(None)
    assert shrinker.taken[-1].trial == shrinker.best
    assert len(shrinker.best.blocks) < 4
