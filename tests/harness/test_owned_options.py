"""Options belong to their owner: the line decides which there are."""

import json
from pathlib import Path

import pytest
from conftest import Partita

from partita.checker.holders.holders import Holders
from partita.checker.leases.leases import Leases
from partita.checker.watches.watches import Watches
from partita.harness.run.gate import Thresholds, judge
from partita.harness.run.owners import check_owners, limits_given

OWN = """
from typing import Annotated, Literal
from partita.checker.settings import Setting

class Store:
    name = "mine"
    def __init__(
        self, depth: Annotated[int, Setting("How deep.", least=1)] = 3, loud: bool = False
    ):
        raise ValueError(f"depth {depth} loud {loud}")

class Clashing:
    def __init__(self, rate: int = 1): ...

class Odd:
    def __init__(self, table: dict): ...
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    (tmp_path / "own.py").write_text(OWN)
    return "own.py:Store"


def test_help_shows_the_options_of_what_the_line_names(partita: Partita, own: str) -> None:
    every = partita("test", "--help").stdout
    assert "Options of every run:" in every
    assert "--keys" in every  # of the workload that is taken if none is named
    assert "--reads" not in every
    etcd = partita("test", "etcd", "--help").stdout
    assert "Options of system etcd:" in etcd
    assert "linearizable|serializable" in etcd
    mine = partita("test", own, "-w", "append", "--help").stdout
    assert "How deep." in mine
    assert "Lists." in mine
    assert "Options of system own.py:Store:" in mine


def test_an_option_may_stand_before_its_system(partita: Partita, own: str) -> None:
    for line in ((own, "--depth", "7"), ("--depth", "7", own), ("--depth=7", own)):
        assert "depth 7" in partita("test", *line).stderr
    assert "depth 3 loud True" in partita("test", own, "--loud").stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("--depth", "0"), "--depth: must be at least 1, not 0"),
        (("--depth", "deep"), "--depth: 'deep' is no whole number"),
        (("--reads", "sync"), "no such option: --reads: it is none of every run's, nor of system"),
    ],
)
def test_what_does_not_fit_is_one_line(
    partita: Partita, own: str, line: tuple[str, ...], said: str
) -> None:
    done = partita("test", own, *line)
    assert (done.returncode, done.stderr.count("\n")) == (254, 1), done.stderr
    assert said in done.stderr


def test_a_thing_may_not_take_an_option_of_every_run(partita: Partita, own: str) -> None:
    done = partita("test", "own.py:Clashing")
    assert (done.returncode, done.stderr.count("\n")) == (254, 1), done.stderr
    assert "takes 'rate', which is an option of every run" in done.stderr


def test_a_constructor_that_no_option_can_serve_is_one_line(partita: Partita, own: str) -> None:
    done = partita("test", "own.py:Odd")
    assert (done.returncode, done.stderr.count("\n")) == (254, 1), done.stderr
    assert "Odd takes 'table', which no option can give" in done.stderr


def test_what_there_is_is_listed(partita: Partita) -> None:
    done = partita("list", "systems")
    assert done.returncode == 0
    for name in ("consul", "etcd", "raft", "zookeeper"):
        assert f"\n  {name} " in done.stdout
    rows = json.loads(partita("list", "--json").stdout)
    assert {"systems", "workloads", "checks", "models"} <= {row["kind"] for row in rows}
    assert all(row["source"] == "partita" and row["problem"] is None for row in rows)
    assert partita("list", "dragons").returncode == 254


MEASURED = """
from typing import Annotated
from partita.checker.checks import Judgement
from partita.checker.settings import Setting
from partita.workloads.register import Register

class Thresholds:
    def __init__(
        self, max_odd: Annotated[float | None, Setting("Most odd values.", least=0)] = None
    ):
        self.most = max_odd
    def missed(self, figures):
        return [f"{figures['odd']} odd"] if figures["odd"] > self.most else []

class Odd:
    name, levels, default, thresholds = "odd", ("even",), None, Thresholds
    def judge(self, history, levels):
        return Judgement("odd", {"even": True}, figures={"odd": len(history)})

class Mine(Register):
    name = "mine"
    checks = (*Register.checks, Odd())
"""


def test_a_check_brings_its_thresholds_along(partita: Partita, tmp_path: Path) -> None:
    (tmp_path / "measured.py").write_text(MEASURED)
    line = ("test", "etcd", "--workload", "measured.py:Mine")
    shown = partita(*line, "--help").stdout
    assert "Options of check odd:" in shown
    assert "Most odd values." in shown
    assert "--max-odd: must be at least 0, not -1" in partita(*line, "--max-odd", "-1").stderr
    assert "no such option: --max-odd" in partita("test", "etcd", "--max-odd", "1").stderr


def test_only_elections_may_limit_the_time_without_a_leader(partita: Partita) -> None:
    done = partita("test", "raft", "--workload", "lock", "--max-leaderless", "5")
    assert (done.returncode, done.stderr.count("\n")) == (254, 1), done.stderr
    assert "no such option: --max-leaderless" in done.stderr
    (of_locks,), (of_elections,) = check_owners("lock"), check_owners("election")
    assert [each.name for each in of_locks.parameters()] == ["max_overlap"]
    limits = of_elections.make(max_overlap=1, max_leaderless=2)
    assert limits.missed({"longest_overlap_s": 0.5, "longest_leaderless_s": 2.5}) == [
        "nobody led for 2.5 s, --max-leaderless is 2"
    ]
    assert limits.missed({"longest_overlap_s": 0.5, "longest_leaderless_s": None}) == [
        "nobody led, --max-leaderless is 2"
    ]


def test_the_thresholds_of_checks_are_judged_by_their_figures(tmp_path: Path) -> None:
    checks = (Holders(), Watches())
    limits = limits_given(checks, {"max_overlap": "0", "max_leaderless": None})
    assert set(limits) == {"holders"}
    figures = {"longest_overlap_s": 1.5, "belief": "told"}
    run = {
        "checks": {"holders": {"figures": figures}}, "valid": True, "doubts": [],
        "availability": 1.0, "longest_unavailability": 0.0, "faults": [], "load_ok": {},
    }  # fmt: skip
    judged = judge(run, Thresholds(of_checks=limits))
    assert judged["missed"] == [
        "two believed to hold one lock for 1.5 s (by the rule told), --max-overlap is 0"
    ]
    assert not judged["passed"]
    figures["longest_overlap_s"] = 0.0
    assert judge(run, Thresholds(of_checks=limits))["passed"]
    run["checks"] = {}
    assert judge(run, Thresholds(of_checks=limits))["missed"] == [
        "no belief was measured, --max-overlap is 0"
    ]
    lag = limits_given(checks, {"max_watch_lag": "2"})["watches"]
    assert lag.missed({"lag_s": {"most": 2.5}}) == [
        "a change was delivered to a watch 2.5 s after it was known, --max-watch-lag is 2"
    ]
    assert lag.missed({"lag_s": {"most": 2.0}}) == []
    late = limits_given((Leases(),), {"max_late": "1"})["leases"]
    assert late.missed({"latest_s": 1.0}) == []
    assert late.missed({"latest_s": 1.5})[0].startswith("an entry was still there 1.5 s after")
