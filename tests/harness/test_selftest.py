"""The proof that the instrument works, in its short form; the long one is `partita selftest`."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from conftest import Partita

from partita.checker.holders.order import RULES as OF_LOCKS
from partita.checker.leases.rules import RULES as OF_LEASES
from partita.checker.watches.violation import RULES as OF_WATCHES
from partita.harness.cli import partita as cli
from partita.harness.commands.selftest import SUITES, _named
from partita.harness.commands.selftest_cases import CASES, RAFT, SHORT, SHOWS
from partita.harness.commands.selftest_suite import Suite
from partita.harness.commands.test import test as command
from partita.harness.run.session import prepare
from partita.harness.systems.raft import BUGS, SOURCES


def test_every_bug_of_the_store_has_an_explanation_and_a_case() -> None:
    code = "import server; print(*server.BUGS)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=SOURCES, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == set(BUGS) == set(CASES)


def test_the_readme_of_the_store_lists_every_bug() -> None:
    text = (SOURCES / "README.md").read_text()
    assert all(f"| `{bug}` |" in text for bug in BUGS)


def test_every_bug_is_marked_in_the_code() -> None:
    code = "".join(path.read_text() for path in SOURCES.glob("*.py"))
    assert [bug for bug in BUGS if f"# BUG {bug}:" not in code] == []


@pytest.mark.parametrize(
    ("suite", "bug"), [(suite, bug) for suite in SUITES for bug in (None, *suite.cases)]
)
def test_every_case_is_a_command_that_can_be_run(suite: Suite, bug: str | None) -> None:
    for short in (True, False):
        words = shlex.split(suite.arguments(bug, short=short))
        options = command.make_context("test", [*words]).params
        _, _, spec = prepare(options["system"], options)
        assert spec.system == words[0]


def test_no_two_mistakes_have_the_same_name() -> None:
    named = [bug for suite in SUITES for bug in suite.cases]
    assert len(named) == len(set(named))
    for suite in SUITES:
        assert set(suite.cases) == set(suite.mistakes) >= {*suite.short, *suite.shows}


def test_a_mistake_counts_as_found_if_the_rule_broke_that_it_breaks() -> None:
    for rules, found in ({"divergence": 2}, True), ({"early": 1}, False), ({}, False):
        outcome = {"valid": False, "checks": {"leases": {"figures": {"violations": rules}}}}
        assert RAFT.as_expected("expire-here", False, _named(outcome)) is found


def test_a_check_that_refuses_is_named_and_one_that_is_not_judged_is_not() -> None:
    outcome = {
        "checks": {
            "linearizability": {"valid": False, "figures": {}},
            "sessions": {"valid": True, "figures": {}},
            "holders": {"valid": "unknown", "figures": {}},
        }
    }
    assert _named(outcome) == ["linearizability"]


@pytest.mark.parametrize("bug", [bug for bug in SHOWS if not bug.startswith("txn-")])
def test_what_must_be_found_of_locks_leases_and_watches_is_a_rule(bug: str) -> None:
    assert {name for names in SHOWS[bug] for name in names} <= {*OF_LOCKS, *OF_LEASES, *OF_WATCHES}


def test_an_unknown_bug_is_refused(partita: Partita) -> None:
    done = partita("selftest", "no-bug")
    assert done.returncode == 254
    assert "choose from stale-follower-read" in done.stderr
    done = partita("test", "raft", "--bug", "no-bug")
    assert done.returncode == 254
    assert "choose from stale-follower-read" in done.stderr


@pytest.mark.cluster
@pytest.mark.slow
@pytest.mark.timeout(420)  # A bug may be missed once; then it is looked for again.
def test_the_short_form_finds_what_it_looks_for(partita: Partita, tmp_path: Path) -> None:
    done = partita("selftest", "--store", "raft", "--short", "--json", timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout)
    assert [result["bug"] for result in results] == [None, *SHORT]
    assert results[0]["verdict"] is True
    assert all(result["verdict"] is False for result in results[1:])
    assert all((tmp_path / result["run"] / "report.html").is_file() for result in results)


def test_short_goes_without_names() -> None:
    with pytest.raises(click.UsageError, match="name none, or leave it out"):
        cli.main(["selftest", "ack-early", "--short"], standalone_mode=False)
