"""What a run's checks say, against what was asked of them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from partita.checker import Counterexample, History
from partita.checker.checks import Judgement
from partita.harness.run.expectations import promised
from partita.harness.run.judging import deciding, judged, notes
from partita.harness.run.levels import expected

EMPTY = History.of_events([])
BAD = Counterexample((0,), "This cannot be.")


@dataclass
class Check:
    """Answers as it is told."""

    name: str
    levels: tuple[str, ...] = ("strong", "weak")
    default: str | None = "strong"
    answers: dict[str, Any] = field(default_factory=dict)
    applies: bool = True

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        found = {level: BAD for level, answer in self.answers.items() if answer is False}
        why = None if self.applies else "the clients return no versions"
        return Judgement(self.name, self.answers, found, reason=why, applies=self.applies)


class Broken(Check):
    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        raise ValueError("a mistake of the check's own")


class Numpy(Check):
    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        figures = {"count": np.int64(3), "ages": np.arange(2), "of": Path("x")}
        return Judgement(self.name, {"strong": True}, figures=figures)


@dataclass
class Workload:
    checks: list[Check]
    name: str = "w"
    capability: str = "registers"


class Promising:
    def promises(self, capability: str) -> dict[str, str | None]:
        return {"a": "weak", "b": None, "elsewhere": "strong"}


HALF = {"strong": False, "weak": True}


def rows(*checks: Check, **run: Any) -> dict[str, Any]:
    return judged(EMPTY, checks, run)


def test_the_checks_own_level_is_asked_for_where_nobody_says() -> None:
    found = rows(Check("a", answers=HALF))
    assert (found["a"]["expected"], found["a"]["asked"]) == ("strong", "check")
    assert (found["a"]["valid"], found["a"]["holds"]) == (False, "weak")
    assert deciding(found)["explanation"] == "This cannot be."
    assert notes(found) == []


def test_a_promise_is_asked_for_and_what_does_not_hold_is_told() -> None:
    found = rows(Check("a", answers=HALF), promised={"a": "weak"})
    assert deciding(found)["valid"] is True
    assert notes(found) == ["not strong, which is not promised: This cannot be."]


def test_what_is_expected_overrides_the_promise() -> None:
    found = rows(Check("a", answers=HALF), promised={"a": "weak"}, expect={"a": "strong"})
    assert (deciding(found)["valid"], found["a"]["asked"]) == (False, "expect")


def test_a_level_of_which_nothing_is_promised_is_not_judged() -> None:
    fine = Check("b", answers={"strong": True})
    found = rows(Check("a", answers=HALF), fine, promised={"a": None})
    assert found["a"]["valid"] is None
    assert deciding(found)["check"] == "b"


def test_a_run_of_which_nothing_was_asked_is_not_valid() -> None:
    assert deciding(rows(Check("a", answers=HALF), promised={"a": None}))["valid"] is None


def test_one_that_fails_decides_before_one_that_does_not_know() -> None:
    found = rows(
        Check("a", answers={"strong": True}),
        Check("b", answers={"strong": "unknown"}),
        Check("c", answers={"strong": False}),
    )
    assert deciding(found)["check"] == "c"
    del found["c"]
    assert deciding(found)["check"] == "b"


def test_a_check_that_breaks_is_unknown_and_spares_the_others() -> None:
    found = rows(Broken("a"), Check("b", answers={"strong": True}))
    assert found["a"]["valid"] == "unknown"
    assert "the check a failed: ValueError: a mistake of the check's own" in found["a"]["reason"]
    assert found["b"]["valid"] is True


def test_figures_are_what_json_has() -> None:
    assert rows(Numpy("a"))["a"]["figures"] == {"count": 3, "ages": [0, 1], "of": "x"}


def test_a_check_that_does_not_apply_is_judged_only_where_it_was_asked_for() -> None:
    silent = Check("a", applies=False)
    assert rows(silent)["a"]["valid"] is None
    assert rows(silent, promised={"a": "weak"})["a"]["valid"] is None
    assert rows(silent, expect={"a": "weak"})["a"]["valid"] == "unknown"
    assert notes(rows(silent)) == ["a was not judged: the clients return no versions"]


def test_a_level_alone_is_that_of_every_check_that_has_it() -> None:
    both = Workload([Check("a"), Check("b", levels=("strong",)), Check("c", levels=("other",))])
    assert expected(["strong"], both.checks, "w") == {"a": "strong", "b": "strong"}
    assert expected(["a=weak", "other"], both.checks, "w") == {"a": "weak", "c": "other"}


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["strnog"], "there is no such level: choose from a=strong|weak"),
        (["z=strong"], "workload w is not judged by 'z', but by a"),
        (["a=strnog"], "there is no such level"),
        (["a=weak", "strong"], "says two things of a"),
    ],
)
def test_what_cannot_be_expected_is_refused(texts: list[str], said: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        expected(texts, [Check("a")], "workload w")
    assert said in caught.value.message


def test_only_promises_about_the_workloads_checks_count() -> None:
    assert promised(Promising(), Workload([Check("a"), Check("b")])) == {"a": "weak", "b": None}
    assert promised(object(), Workload([Check("a")])) == {}
