"""Rows of known failures: how their files are read, how they are looked for, what is said."""

import json
import re
import shlex
import xml.etree.ElementTree as xml
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from conftest import Partita

from partita.harness.cli import code_of
from partita.harness.cli import partita as cli
from partita.harness.commands import regress as command
from partita.harness.commands import regress_output as output
from partita.harness.commands.announce import write_cases
from partita.harness.regress.finding import FOLDER, FindingError, Row, read, rows
from partita.harness.regress.looking import Result, Try, evidence, look_for
from partita.harness.run import session

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))
ROW = """
title = "raft: half of a transaction is seen"
software = "raft"
version = "--bug txn-split"
kind = "defect"
promise = "A transaction happens at one moment."
source = "examples/raft/README.md"
command = "partita test raft --bug txn-split {run}"
time_limit = 20
runs = 1

[shows]
verdict = "invalid"
check = "transactions"

[control]
what = "the same without the mistake"
command = "partita test raft {run}"
"""
RUN = "--workload txn-append --local 1 --rate 0 --concurrency 6n --time-limit 1.5"


def row_in(folder: Path, text: str = ROW, name: str = "half-a-transaction") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text.replace("{run}", RUN))
    return path


def violated(said: str = "r0 was lost", check: str = "linearizability", **figures: Any) -> Any:
    row = {"valid": False, "explanation": said, "figures": figures}
    return {"valid": False, "passed": False, "missed": [], "doubts": [], "checks": {check: row},
            "reason": said, "run": "runs/bad"}  # fmt: skip


def passed() -> dict[str, Any]:
    return {"valid": True, "passed": True, "missed": [], "doubts": [], "checks": {},
            "reason": None, "run": "runs/good"}  # fmt: skip


def unknown(why: str = "a fault did not bite") -> dict[str, Any]:
    return passed() | {"valid": "unknown", "passed": False, "doubts": [why], "reason": why}


def finding(folder: Path, **changes: Any) -> Row:
    text = ROW
    for key, value in changes.items():
        text = text.replace(f"{key} = ", f"{key} = {value} # ")
    return Row("row", folder / "row.toml", read(row_in(folder, text)))


class Runs:
    """Runs that were made up: what comes of each failing run, and of each control."""

    def __init__(self, failing: Sequence[Any], control: Sequence[Any] = (), takes: float = 1):
        self._left = {True: list(failing), False: list(control)}
        self.asked: list[tuple[bool, int]] = []
        self.takes = takes
        self.now = 0.0

    def conduct(self, words: str, seed: int) -> Mapping[str, Any]:
        failing = "--bug" in words
        self.asked.append((failing, seed))
        self.now += self.takes
        left = self._left[failing]
        outcome: Mapping[str, Any] = left.pop(0) if left else passed()
        return outcome

    def look(self, row: Row, times: int = 1) -> Result:
        told: list[Try] = []
        result = look_for(
            row, self.conduct, times=times, seed=7, told=told.append, clock=lambda: self.now
        )
        assert told == result.tries
        return result


def test_it_is_run_until_it_is_found_and_then_its_control_as_often(tmp_path: Path) -> None:
    runs = Runs([passed(), unknown(), violated(check="transactions")], takes=4)
    result = runs.look(finding(tmp_path))
    assert result.as_expected
    assert runs.asked == [(True, 7), (True, 8), (True, 9), (False, 7), (False, 8), (False, 9)]
    assert (result.searches, result.seconds_to_find) == ([12.0], 12.0)
    assert result.found and result.found.said == "r0 was lost" and result.found.seed == 9


def test_what_was_lost_is_told_in_numbers(tmp_path: Path) -> None:
    counted = violated("a was lost.", "transactions") | {"acknowledged": 141, "lost": 129}
    result = Runs([counted]).look(finding(tmp_path))
    assert result.found
    assert result.found.said == "a was lost. 129 of 141 acknowledged elements were lost."


def test_each_search_ends_at_its_time_limit_and_what_is_unknown_is_not_found(
    tmp_path: Path,
) -> None:
    bad = violated(check="transactions")
    runs = Runs([bad, unknown(), unknown(), bad], takes=10)
    result = runs.look(finding(tmp_path), times=3)
    assert result.searches == [10.0, None, 10.0]
    assert not result.as_expected
    assert result.problem == (
        "found in 2 of 3 searches, each of which had 20 s; "
        "a run said: unknown: a fault did not bite"
    )


def test_a_run_that_could_not_be_made_ends_its_search(tmp_path: Path) -> None:
    broken = {"valid": "unknown", "error": "n1 has no etcd", "run": None}
    runs = Runs([broken, violated(check="transactions")])
    result = runs.look(finding(tmp_path))
    assert len(result.failing) == 1 and result.searches == [None]
    assert "unknown: n1 has no etcd" in str(result.problem)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (violated("it broke"), "valid in 0 of 1 runs; a run said: invalid: it broke"),
        (unknown("nobody knows"), "valid in 0 of 1 runs; a run said: unknown: nobody knows"),
        (passed() | {"passed": False, "missed": ["2 s is too long"]}, "valid: 2 s is too long"),
    ],
)
def test_a_control_that_does_not_pass_is_not_as_expected(
    outcome: Any, said: str, tmp_path: Path
) -> None:
    result = Runs([violated(check="transactions")], [outcome]).look(finding(tmp_path))
    assert result.found and not result.as_expected
    assert said in str(result.problem)


def test_what_comes_out_must_be_what_the_row_says(tmp_path: Path) -> None:
    def shown(outcome: Any, **changes: str) -> str | None:
        return evidence(finding(tmp_path, **changes).finding.shows, outcome)

    bad = violated("a was lost", "transactions", anomalies=[{"name": "G1c"}], violations={})
    assert shown(bad) == "a was lost"
    assert shown(violated("a was lost", "sessions")) is None
    assert shown(passed()) is None and shown(unknown()) is None
    words = '"transactions"\nwords = ["was lost", "{}"]'
    assert shown(bad, check=words.format("a")) == "a was lost"
    assert shown(bad, check=words.format("b was")) is None
    assert shown(bad, check='"transactions"\nrule = "G1c"') == "a was lost"
    assert shown(bad, check='"transactions"\nrule = "G1a"') is None
    # Of several checks that are violated, the one that is meant counts.
    both = bad | {"checks": violated("gone")["checks"] | bad["checks"]}
    assert shown(both) == "a was lost"


def test_a_threshold_that_was_missed_with_the_last_words_of_who_did_not_come_back(
    tmp_path: Path,
) -> None:
    shows = finding(tmp_path, verdict='"missed"\nwords = ["come back", "No snapshot"]')
    down = {"n1": "INFO\nERROR No snapshot found\nbye"}
    missed = unknown() | {"missed": ["n1 did not come back"], "certain": ["n1"], "down": down}
    said = "n1 did not come back; n1 said last: ERROR No snapshot found"
    assert evidence(shows.finding.shows, missed) == said
    # A threshold of a run that is in doubt says nothing, but for what is certain.
    assert evidence(shows.finding.shows, missed | {"certain": []}) is None
    assert evidence(shows.finding.shows, missed | {"down": {}}) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("runs = 1", "runs = "), "is no TOML: Invalid value"),
        (("runs = 1", "runs = 0"), "half-a-transaction.toml: runs: Expected `int` >= 1"),
        (("title", "titel"), "half-a-transaction.toml: "),
        (('verdict = "invalid"', 'verdict = "bad"'), "shows.verdict: Invalid enum value 'bad'"),
        (('check = "transactions"', "check = 3"), "shows.check: Expected `str"),
        (('what = "the same', 'wat = "the same'), "control: Object contains unknown field `wat`"),
        (("partita test raft {run}", "rm -rf x"), "control.command: a command begins with"),
        (("partita test raft --bug", "partita test raft --seed 3 --bug"), "command: --seed is for"),
        (("partita test raft --bug", "partita test 'raft --bug"), "command: no command"),
        (("partita test raft --bug", "partita test --help --bug"), "command: --help has no place"),
        (("time_limit = ", "time_limit = inf #"), "time_limit: Expected `float` <= 1000000"),
    ],
)
def test_a_row_that_is_wrong_is_one_line_with_file_and_key(
    change: tuple[str, str], said: str, tmp_path: Path
) -> None:
    path = row_in(tmp_path, ROW.replace(*change, 1))
    with pytest.raises(FindingError) as refused:
        rows([str(path)])
    assert said in str(refused.value) and str(path) in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
    assert code_of(refused.value) == 254


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("raft --bug txn-split", "raft --bug no-bug"), "command: raft has no --bug no-bug"),
        (("raft {run}", "raff"), "control.command: no system is called 'raff'"),
        (("raft {run}", "raft --loca 3"), "control.command: no such option: --loca"),
        (("raft {run}", "raft -n h1"), "control.command: a row runs on a local cluster"),
        (('check = "transactions"', 'check = "x"'), "shows.check: .* has no check x: choose from"),
    ],
)
def test_a_command_that_cannot_be_run_is_said_before_anything_is_run(
    change: tuple[str, str], said: str, tmp_path: Path
) -> None:
    path = row_in(tmp_path, ROW.replace(*change, 1))
    with pytest.raises(FindingError, match=said):
        cli.main(["regress", str(path)], standalone_mode=False)


def test_names_files_and_folders_of_rows(tmp_path: Path) -> None:
    row_in(tmp_path)
    assert [row.name for row in rows([str(tmp_path)])] == ["half-a-transaction"]
    ours = rows([])
    assert len(ours) == len(list(FOLDER.glob("*.toml"))) > 10
    assert rows(["etcd-missed-delete"])[0].finding.software == "etcd"
    with pytest.raises(FindingError, match="no row is called 'x': choose from consul-"):
        rows(["x"])
    with pytest.raises(FindingError, match="no row in this folder"):
        rows([str(DOCS)])
    with pytest.raises(FindingError, match=r"no\.toml: No such file"):
        rows([f"{tmp_path}/no.toml"])
    other = tmp_path / "other"
    other.mkdir()
    row_in(other)
    with pytest.raises(FindingError, match="a row is called so already"):
        rows([str(tmp_path), str(other)])


@pytest.mark.parametrize("row", rows([]), ids=lambda row: row.name)
def test_every_row_of_ours_can_be_run_and_has_its_page(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_fetch", lambda store: None)  # nothing has to be here yet
    command._require(row)
    assert row.finding.page and (DOCS / "findings" / row.finding.page).is_file()
    page = (DOCS / "findings" / row.finding.page).read_text()
    assert re.search(rf"partita regress( [\w-]+)* {row.name}\b", page)
    assert row.finding.source.startswith("https://")


def test_what_is_said_of_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = finding(tmp_path)
    good = Runs([violated(check="transactions")], takes=3).look(row)
    bad = Runs([passed()] * 9, takes=30).look(row)
    telling = output.Telling(as_json=False)
    for result in (good, bad):
        telling.begins(result.row)
        for each in result.tries:
            telling.tried(each)
        telling.ended(result)
    told = capsys.readouterr().out
    assert "found     INVALID     3 s  seed 7" in told
    assert "found 1 of 1 in 3 s; control valid 1 of 1" in told
    assert "not as expected: found in 0 of 1 searches" in told
    assert output.total([good, bad]).splitlines()[-1] == "1 of 2 as their files say"

    said = output.document(good, lambda run: {"raft": run})
    assert json.loads(json.dumps(said))["row"] == "row"
    figures = {"as_expected": True, "searches": 1, "found": 1, "seconds_to_find": 3.0,
               "control_valid": 1, "control_runs": 1, "explanation": "r0 was lost"}  # fmt: skip
    assert figures.items() <= said.items()
    assert said["versions"] == {"raft": "runs/bad"}
    assert said["control_versions"] == {"raft": "runs/good"}
    said = output.document(bad, lambda run: {"raft": run})
    assert (said["found"], said["report"], said["seconds_to_find"]) == (0, None, None)


def test_a_test_case_for_each_row(tmp_path: Path) -> None:
    row = finding(tmp_path)
    good = Runs([violated(check="transactions")]).look(row)
    bad = Runs([passed()], takes=30).look(row)
    cases = [output.case(good), output.case(bad), output.not_looked_for(row)]
    write_cases(tmp_path / "junit.xml", cases)
    SCHEMA.validate(tmp_path / "junit.xml")
    (suite,) = xml.parse(tmp_path / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    kinds = [[child.tag for child in case] for case in suite.iter("testcase")]
    assert kinds == [[], ["failure"], ["error"]]
    assert "r0 was lost" in str(suite.findtext("system-out"))


def test_the_list_of_rows_and_bad_names(partita: Partita) -> None:
    done = partita("regress", "--list", "--json")
    assert done.returncode == 0
    assert [row["row"] for row in json.loads(done.stdout)] == [row.name for row in rows([])]
    done = partita("regress", "no-row")
    assert done.returncode == 254
    assert done.stderr.startswith("partita: no row is called 'no-row': choose from")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.cluster
def test_a_row_of_ones_own_is_looked_for(partita: Partita, tmp_path: Path) -> None:
    path = row_in(tmp_path)
    done = partita("regress", str(path), "--json", "--junit", "junit.xml", timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = json.loads(done.stdout)
    assert row["as_expected"] and row["found"] == 1
    assert row["control_valid"] == row["control_runs"] == row["runs_of_failing"]
    assert (tmp_path / row["report"]).is_file()
    assert [each["control"] for each in row["tries"]] == [
        *[False] * row["runs_of_failing"],
        *[True] * row["runs_of_failing"],
    ]
    assert shlex.split(row["command"])[:3] == ["partita", "test", "raft"]
    SCHEMA.validate(tmp_path / "junit.xml")
