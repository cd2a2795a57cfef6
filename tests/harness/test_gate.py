"""The gate: thresholds, exit codes, and what a CI job is told."""

import json
import shutil
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Any

import click
import pytest
import xmlschema
from conftest import Partita

from partita.harness.cli import partita as partita_group
from partita.harness.commands import test as test_command
from partita.harness.commands.announce import tell_github, write_reports
from partita.harness.nodes.local import LocalError
from partita.harness.run import series
from partita.harness.run.gate import Thresholds, exit_code, judge, thresholds, worst
from partita.harness.systems import StoreError
from partita.reports import RunError

STORES = Path(__file__).parents[1] / "stores.py"


def outcome(**changes: Any) -> dict[str, Any]:
    fault = {"fault": 1, "action": "partition", "target": "one", "ok": 40, "heal": 20.0}
    fault |= {"seconds_to_recover": 3.0, "recover_by_node": {"n1": 3.0}}
    return {
        "valid": True,
        "reason": None,
        "doubts": [],
        "system": "zookeeper",
        "workload": "register",
        "ok": 120,
        "load_ok": {"write": 30, "read": 70},
        "availability": 0.8,
        "longest_unavailability": 12.0,
        "faults": [fault],
        "seed": 7,
        "seconds": 60.0,
        "run": "runs/x",
        **changes,
    }


@pytest.mark.parametrize(
    ("limits", "missed"),
    [
        (Thresholds(min_availability=0.8), None),
        (Thresholds(min_availability=0.81), "availability 0.8 is below --min-availability 0.81"),
        (Thresholds(max_unavailability=12), None),
        (Thresholds(max_unavailability=11), "nothing was acknowledged for 12.0 s"),
        (Thresholds(max_recovery=3), None),
        (Thresholds(max_recovery=2.9), "recovery from fault 1 took 3.0 s"),
        (Thresholds(min_ok={"": 100}), None),
        (Thresholds(min_ok={"": 101}), "100 operations succeeded, --min-ok asks for 101"),
        (Thresholds(min_ok={"write": 31}), "30 operations of write succeeded"),
        (Thresholds(min_ok={"cas": 1}), "0 operations of cas succeeded"),
        (Thresholds(min_ok={"faults": 41}), "40 operations during fault 1 succeeded"),
    ],
)
def test_each_threshold(limits: Thresholds, missed: str | None) -> None:
    judged = judge(outcome(), limits)
    assert judged["passed"] is (missed is None)
    assert len(judged["missed"]) == (missed is not None)
    if missed:
        assert judged["missed"][0].startswith(missed)
        assert exit_code(outcome(**judged)) == 1


def test_a_node_that_never_recovered_misses_any_limit() -> None:
    fault = outcome()["faults"][0] | {"seconds_to_recover": None, "recover_by_node": {"n1": None}}
    judged = judge(outcome(faults=[fault]), Thresholds(max_recovery=1000))
    assert judged["missed"] == ["not every node recovered from fault 1"]


def test_what_was_never_measured_passes_no_threshold() -> None:
    nothing = outcome(availability=None, longest_unavailability=None)
    assert not judge(nothing, Thresholds(min_availability=0.0))["passed"]
    assert not judge(nothing, Thresholds(max_unavailability=99))["passed"]


@pytest.mark.parametrize(
    ("valid", "unknown_passes", "code", "code_if_missed"),
    [
        (True, False, 0, 1),
        (False, False, 1, 1),
        (False, True, 1, 1),
        ("unknown", False, 2, 1),
        ("unknown", True, 0, 1),
    ],
)
def test_verdicts_become_exit_codes(
    valid: Any, unknown_passes: bool, code: int, code_if_missed: int
) -> None:
    run = outcome(valid=valid)
    assert exit_code(run | judge(run, Thresholds(unknown_passes=unknown_passes))) == code
    strict = Thresholds(unknown_passes=unknown_passes, min_availability=0.9)
    assert exit_code(run | judge(run, strict)) == code_if_missed


def test_a_store_that_does_not_come_back_fails_though_all_else_is_in_doubt() -> None:
    doubts = ["n2 did not recover within 90 s of the last heal"]
    run = outcome(valid="unknown", doubts=doubts, down={"n2": "no snapshot"})
    asked = judge(run, Thresholds(require_recovery=True))
    assert asked["missed"] == ["n2 did not come back, which --require-recovery asks for"]
    assert exit_code(run | asked) == 1
    assert exit_code(run | judge(run, Thresholds())) == 2
    back = outcome(down={})
    assert exit_code(back | judge(back, Thresholds(require_recovery=True))) == 0


def test_figures_of_a_run_in_doubt_show_nothing_of_the_store() -> None:
    run = outcome(valid="unknown", doubts=["fault 1 (partition one) did not bite"])
    assert exit_code(run | judge(run, Thresholds(min_availability=0.9))) == 2


def test_availability_is_judged_to_the_last_digit() -> None:
    assert not judge(outcome(availability=0.99996), Thresholds(min_availability=1))["passed"]


def test_a_threshold_that_measured_nothing_is_missed() -> None:
    fault = outcome()["faults"][0] | {"seconds_to_recover": None, "recover_by_node": {}}
    spared, healed_never = outcome(faults=[fault]), outcome(faults=[fault | {"heal": None}])
    (missed,) = judge(spared, Thresholds(max_recovery=99))["missed"]
    assert "measured nothing" in missed
    (missed,) = judge(healed_never, Thresholds(max_recovery=99))["missed"]
    assert "not every node recovered from fault 1" in missed
    (missed,) = judge(outcome(faults=[]), Thresholds(min_ok={"faults": 1}))["missed"]
    assert "no fault was injected" in missed


def test_the_worst_code_counts() -> None:
    assert worst([]) == 2, "no run shows nothing"
    assert worst([0, 2, 255, 1]) == 1
    assert worst([0, 2, 255]) == 255
    assert worst([0, 2]) == 2
    assert worst([0]) == 0


def given(**options: Any) -> dict[str, Any]:
    none = dict.fromkeys(("min_availability", "max_unavailability", "max_recovery", "schedule"))
    return {**none, "min_ok": (), "unknown": "fail", "nemesis": "one", **options}


def test_least_counts_are_read() -> None:
    limits = thresholds(given(min_ok=("5", "write=3", "faults=2"), unknown="pass"), ["write"])
    assert limits.min_ok == {"": 5, "write": 3, "faults": 2}
    assert limits.unknown_passes


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"min_ok": ("write=many",)}, "not 'write=many'"),
        ({"min_ok": ("²",)}, "not '²'"),
        ({"min_ok": ("wrte=5",)}, "choose from write, faults"),
        ({"min_ok": ("write=5", "write=1")}, "--min-ok write=N is given twice"),
        ({"min_ok": ("9" * 5000,)}, "is a number"),
        ({"min_ok": ("faults=5",), "nemesis": "none"}, "need a run with faults"),
        ({"max_recovery": 5.0, "nemesis": None}, "need a run with faults"),
    ],
)
def test_a_threshold_that_no_run_could_miss_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(click.UsageError, match=said):
        thresholds(given(**options), ["write"])


def test_a_run_that_showed_nothing_is_never_let_pass() -> None:
    run = outcome(valid="unknown", doubts=["fault 1 (partition one) did not bite"])
    assert not judge(run, Thresholds(unknown_passes=True))["passed"]


RUNS = [
    outcome(passed=True, missed=[]),
    outcome(valid=False, passed=False, missed=[], reason="process 3 read <17> & more\x1b[1m\0"),
    outcome(valid="unknown", passed=False, missed=[], reason="nothing was read"),
    outcome(passed=False, missed=["availability 0.8 is below --min-availability 0.9"]),
    {
        **{"valid": "unknown", "passed": False, "error": "n1: gone", "reason": "n1: gone"},
        **{"system": "etcd", "workload": "append", "seed": 1, "run": None},
    },
]


NAMED = {f"zookeeper register, one ({number})": run for number, run in enumerate(RUNS)}
SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))


def test_junit_tells_violations_from_what_is_not_known(tmp_path: Path) -> None:
    write_reports(NAMED, junit=tmp_path / "junit.xml", summary=None)
    SCHEMA.validate(tmp_path / "junit.xml")
    (suite,) = xml.parse(tmp_path / "junit.xml").getroot()
    assert [suite.get(name) for name in ("tests", "failures", "errors")] == ["5", "2", "2"]
    cases = suite.findall("testcase")
    kinds = [[child.tag for child in case] for case in cases]
    assert kinds == [[], ["failure"], ["error"], ["failure"], ["error"]]
    assert cases[1][0].text == "process 3 read <17> & more"
    assert cases[4][0].get("type") == "harness failure"
    assert [child.tag for child in suite if child.tag != "testcase"] == [
        *("properties", "system-out", "system-err")
    ]


def test_the_summary_is_a_table(tmp_path: Path) -> None:
    write_reports(NAMED, junit=None, summary=tmp_path / "summary.md")
    rows = (tmp_path / "summary.md").read_text().splitlines()
    assert rows[4].startswith("| valid | zookeeper register, one (0) | 7 | 80.0 % |")
    assert len(rows) == 4 + len(RUNS)


def test_github_is_told_where_it_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page"))
    bad = {"name": outcome(valid=False, passed=False, missed=[], reason="100 %\nof it")}
    tell_github(bad)
    assert "100 %25%0Aof it" in capsys.readouterr().err
    assert "| invalid |" in (tmp_path / "page").read_text()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "not" / "there"))
    tell_github(bad)
    assert "cannot write" in capsys.readouterr().err


class Series:
    """A series of runs whose outcomes are invented; `done` counts those that were begun."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *outcomes: Any) -> None:
        self.outcomes, self.done = outcomes, 0
        monkeypatch.setattr(test_command, "prepare", lambda system, options: None)
        monkeypatch.setattr(series, "conduct", self.conduct)

    def conduct(self, *_: Any) -> dict[str, Any]:
        made = self.outcomes[self.done]
        self.done += 1
        if isinstance(made, BaseException):
            raise made
        return made

    def run(self, folder: Path, *more: str) -> tuple[int, list[str | None]]:
        """Return the exit code, and what the JUnit file says of each run: its problem's type."""
        count = ["--test-count", str(len(self.outcomes))]
        reports = ["--junit", str(folder / "junit.xml"), "--summary", str(folder / "summary.md")]
        words = ["zookeeper", *count, *reports, *more]
        code = test_command.test.main(words, standalone_mode=False)
        SCHEMA.validate(folder / "junit.xml")
        cases = xml.parse(folder / "junit.xml").getroot()[0].findall("testcase")
        return code, [case[0].get("type") if len(case) else None for case in cases]


PASSED = outcome(passed=True, missed=[])
INVALID = outcome(valid=False, passed=False, missed=[], reason="process 3 read 17")


@pytest.mark.parametrize(
    ("broken", "said", "done"),
    [
        (StoreError("n1 does not serve"), "harness failure", 4),
        (RuntimeError("nobody thought of this"), "harness failure", 3),
        (SystemExit(0), "harness failure", 3),
        (KeyboardInterrupt(), "unknown", 3),
        (outcome(valid="unknown", passed=False, missed=[], interrupted=True), "unknown", 3),
    ],
)
def test_a_series_that_breaks_off_is_reported_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: Any, said: str, done: int
) -> None:
    last = None if done == 4 else "unknown"
    made = Series(monkeypatch, PASSED, PASSED, broken, PASSED)
    code = 255 if said == "harness failure" else 2
    assert made.run(tmp_path) == (code, [None, None, said, last])
    assert made.done == done
    assert ("not run: " in (tmp_path / "summary.md").read_text()) is (done == 3)
    assert Series(monkeypatch, INVALID, broken).run(tmp_path) == (1, ["invalid", said])


def test_a_series_that_the_machine_cannot_do_has_the_code_of_a_single_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Series(monkeypatch, LocalError("no root"), LocalError("no root"))
    assert refused.run(tmp_path) == (254, ["harness failure"] * 2)


def test_the_names_of_runs_are_the_same_in_every_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Series(monkeypatch, PASSED, StoreError("gone")).run(tmp_path, "--nemesis", "one")
    cases = xml.parse(tmp_path / "junit.xml").getroot()[0].findall("testcase")
    first = "zookeeper register, one"
    assert [case.get("name") for case in cases] == [first, f"{first} (2)"]


def test_what_is_refused_leaves_no_report_of_a_pass(partita: Partita, tmp_path: Path) -> None:
    write_reports({"a run": PASSED}, junit=tmp_path / "junit.xml", summary=None)
    done = partita("test", "raft", "--junit", "junit.xml", "--min-ok", "bogus")
    assert done.returncode == 254
    assert 'errors="1"' in (tmp_path / "junit.xml").read_text()
    done = partita("test", "raft", "--junit", "one", "--summary", "one")
    assert (done.returncode, done.stderr.count("\n")) == (254, 1)


def test_reports_that_cannot_be_written_are_refused_before_the_first_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Series(monkeypatch, PASSED)
    with pytest.raises(click.ClickException, match=r"cannot write .*No such file"):
        made.run(tmp_path / "nowhere")
    assert made.done == 0


def test_reports_that_cannot_be_written_any_more_do_not_hide_a_violation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def vanish(*_: Any) -> dict[str, Any]:
        shutil.rmtree(tmp_path / "gone")
        return next(made)

    monkeypatch.setattr(test_command, "prepare", lambda system, options: None)
    monkeypatch.setattr(series, "conduct", vanish)
    made = iter([INVALID | {"acknowledged": None}, PASSED | {"acknowledged": None}])
    for code in (1, 255):
        (tmp_path / "gone").mkdir()
        words = ["zookeeper", "--junit", str(tmp_path / "gone" / "junit.xml"), "--json"]
        assert test_command.test.main(words, standalone_mode=False) == code
        assert "cannot write" in capsys.readouterr().err


def test_a_controller_that_is_killed_leaves_no_report_of_a_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        SCHEMA.validate(junit)
        assert xml.parse(junit).getroot()[0].get("errors") == "1"
        raise StoreError("looked")

    junit = tmp_path / "junit.xml"
    write_reports({"a run": PASSED}, junit=junit, summary=None)
    monkeypatch.setattr(test_command, "prepare", lambda system, options: None)
    monkeypatch.setattr(series, "conduct", killed)
    with pytest.raises(StoreError, match="looked"):
        test_command.test.main(["zookeeper", "--junit", str(junit)], standalone_mode=False)


@pytest.mark.cluster
def test_several_runs_thresholds_and_reports(partita: Partita, tmp_path: Path) -> None:
    done = partita(
        *("test-all", "--systems", f"{STORES}:Good,{STORES}:Stale", "--workloads", "register"),
        *("--nemeses", "none", "--local", "3", "--time-limit", "5", "--rate", "60", "--json"),
        *("--min-ok", "write=10", "--junit", "junit.xml", "--summary", "summary.md", "--seed", "3"),
    )
    assert done.returncode == 1, done.stdout + done.stderr
    together = json.loads(done.stdout)
    assert (together["valid"], together["passed"]) == (False, False)
    assert [run["valid"] for run in together["runs"]] == [True, False]
    assert [run["seed"] for run in together["runs"]] == [3, 4]
    SCHEMA.validate(tmp_path / "junit.xml")
    assert xml.parse(tmp_path / "junit.xml").getroot()[0].get("failures") == "1"
    assert "| invalid |" in (tmp_path / "summary.md").read_text()
    first = json.loads((tmp_path / together["runs"][0]["run"] / "run.json").read_text())
    again = partita("test", "--repeat", together["runs"][0]["run"], "--json", "--min-ok", "9999")
    assert again.returncode == 1
    results = json.loads(again.stdout)
    assert (results["valid"], results["passed"]) == (True, False)
    assert results["missed"][0].endswith("--min-ok asks for 9999")
    second = json.loads((tmp_path / results["run"] / "run.json").read_text())
    for name in ("seed", "rate", "time_limit", "workload", "nodes", "options", "schedule"):
        assert first[name] == second[name], name


def test_what_is_no_run_cannot_be_repeated(partita: Partita, tmp_path: Path) -> None:
    ours = {"system": "raft", "nodes": ["n1"], "timeout": 5, "seed": 1, "versions": {}}
    arguments = {"system": "raft", "rate": 50.0}
    for content, said in (
        ({"system": "zookeeper"}, "run.json is foreign: Object missing required field `nodes`"),
        (ours | {"format": 3}, "was written by a newer Partita"),
        (ours | {"format": "3"}, "run.json is foreign: Expected `int`"),
        (ours, "its run.json has no arguments"),
        (ours | {"arguments": arguments | {"rate": "fast"}}, "'fast' is not a valid float"),
        (ours | {"arguments": arguments | {"nodes_file": 7}}, "nodes_file 7 is foreign"),
        # What ran on this machine may be repeated on others.
        (ours | {"arguments": arguments | {"local_count": 3}}, "127.0.0.1 (127.0.0.1:1)"),
    ):
        (tmp_path / "run.json").write_text(json.dumps(content))
        done = partita("test", "--repeat", ".", "--nodes", "127.0.0.1", "--ssh-port", "1")
        assert (done.returncode, done.stderr.count("\n")) == (254, 1), done.stderr
        assert said in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, {"x": 1}) for name in ("system", "workload", "nemesis", "schedule", "rate")),
        *((name, {"x": 1}) for name in ("strict", "require_recovery", "as_json", "bug", "keys")),
        *((name, {"x": 1}) for name in ("next_release", "server_args", "single")),
        *((name, 7) for name in ("system", "workload", "nemesis", "as_json", "leave_running")),
        *((name, 7) for name in ("bug", "next_release", "server_args", "single")),
        ("server_args", [7]),
        ("keys", 1.5),
        ("keys", True),
        ("rate", True),
        ("min_ok", [7]),
    ],
)
def test_a_run_with_foreign_arguments_is_not_repeated(
    tmp_path: Path, name: str, value: Any
) -> None:
    ours = {"system": "raft", "nodes": ["n1"], "timeout": 5, "seed": 1, "versions": {}}
    arguments = {"system": "raft", "local_count": 0, name: value}  # no run could be made anyway
    (tmp_path / "run.json").write_text(json.dumps(ours | {"arguments": arguments}))
    with pytest.raises((click.UsageError, RunError)) as refused:
        partita_group.main(["test", "--repeat", str(tmp_path)], standalone_mode=False)
    said = getattr(refused.value, "message", str(refused.value))
    assert name.replace("_", "-") in said.replace("_", "-") and "\n" not in said
    assert "--local" not in said
