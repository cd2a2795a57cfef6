"""What terminal, JUnit and Markdown say of each check of a run."""

import json
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Any

import click
import pytest
import xmlschema
from judged_run import found, write_judged

from partita.harness.commands.announce import write_reports
from partita.harness.commands.summary import WIDTH, summary

SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))
STALE = "a read returned a value that was gone | \x1b[1m" + "long " * 30


def outcome(directory: Path, **asked: Any) -> dict[str, Any]:
    judgements = [
        found("linearizability", {"linearizable": False}, STALE),
        found("sessions", {"linearizable": False, "sequential": True}, STALE),
    ]
    run = write_judged(directory, judgements, **asked)
    results = json.loads((run / "results.json").read_text())
    missing = dict.fromkeys(("acknowledged", "lost", "recovered", "unexpected"))
    return missing | results | {"seed": 3, "missed": [], "doubts": [], "passed": results["valid"]}


@pytest.fixture
def weaker(tmp_path: Path) -> dict[str, Any]:
    promised = {"linearizability": None, "sessions": "sequential"}
    return outcome(tmp_path / "weaker", promised=promised)


@pytest.fixture
def broken(tmp_path: Path) -> dict[str, Any]:
    return outcome(tmp_path / "broken", expect={"linearizability": "linearizable"})


def test_the_terminal_shows_each_check_within_its_width(weaker: dict[str, Any]) -> None:
    lines = click.unstyle(summary(weaker)).splitlines()
    assert lines[0].startswith("VALID")
    assert "  linearizability: not linearizable, which is not promised: a read returned" in lines[1]
    assert "  sessions: sequential holds, as promised" in lines
    assert all(len(line) <= WIDTH for line in lines if "report.html" not in line)


def test_the_terminal_says_once_why_a_run_is_invalid(broken: dict[str, Any]) -> None:
    text = " ".join(summary(broken).split())
    assert text.count("a read returned a value") == 1
    assert "linearizability: not linearizable, though that is asked for with --expect" in text


def test_the_terminal_says_where_messages_waited_for_us(weaker: dict[str, Any]) -> None:
    told = {"delivered": 9000, "router_share": 0.1, "slowed": {}}
    assert "9000" not in summary(weaker | {"messages": told})
    busy = summary(weaker | {"messages": told | {"router_share": 0.62}})
    assert "  messages     9000; passing them on took 62.0 % of the time" in busy.splitlines()
    flood = summary(weaker | {"messages": told | {"slowed": {"n1": 3}}})
    assert "n1 sent more than may wait, and was held up" in flood


def test_junit_and_markdown_show_each_check(
    tmp_path: Path, weaker: dict[str, Any], broken: dict[str, Any]
) -> None:
    outcomes = {"one": weaker, "two": broken}
    write_reports(outcomes, junit=tmp_path / "junit.xml", summary=tmp_path / "summary.md")
    SCHEMA.validate(tmp_path / "junit.xml")
    suite = xml.parse(tmp_path / "junit.xml").getroot()[0]
    assert suite.get("tests") == "2"
    told = suite.findtext("system-out") or ""
    assert "one: sessions: sequential holds, as promised" in told
    assert "not linearizable, though that is asked for" in (suite.findtext(".//failure") or "")
    row = (tmp_path / "summary.md").read_text().splitlines()[4]
    assert "| linearizability: not linearizable (not promised); sessions: sequential |" in row
