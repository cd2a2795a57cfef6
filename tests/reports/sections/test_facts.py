"""What was run, and how to run it again."""

from pathlib import Path

import pytest

from partita.reports.facts import facts_of
from partita.reports.sections.facts import repetition


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("partita test raft", "partita test raft --seed 4"),
        ("partita test raft --seed 4", "partita test raft --seed 4"),
        ("partita test raft --test-count 3 --seed 3", "partita test --repeat runs/raft-append/1"),
        ("partita selftest", "partita test --repeat runs/raft-append/1"),
        ("", ""),
    ],
)
def test_what_repeats_this_run_alone(tmp_path: Path, command: str, said: str) -> None:
    run = tmp_path / "runs" / "raft-append" / "1"
    assert repetition({"command": command, "seed": 4}, run) == said


def test_settings_are_shown_with_their_owners() -> None:
    schedule = [
        {"at": 2, "action": "delay", "target": "one", "settings": {"ms": 50}},
        {"at": 5, "action": "heal", "target": ""},
    ]
    options = {
        "system": {"reads": "local", "server_args": ["-x", "1"], "binary": None, "fast": False},
        "workload": {"keys": 3},
        "faults": {"delay": {"ms": 50}},
    }
    spec = {"system": "s", "workload": "w", "timeout": 5, "options": options, "schedule": schedule}
    assert facts_of(spec) == [
        ("system", "s"),
        ("reads", "local"),
        ("server args", "-x 1"),
        ("fast", "no"),
        ("workload", "w"),
        ("keys", "3"),
        ("time-out", "5 s"),
        ("faults", "2s delay one ms=50; 5s heal"),
        ("delay: ms", "50"),
    ]


def test_older_runs_said_less_of_whose_a_setting_was() -> None:
    spec = {"system": "s", "timeout": 5, "reads": "sync", "arguments": {"bug": "stale"}}
    assert facts_of(spec)[:3] == [("system", "s"), ("bug", "stale"), ("reads", "sync")]
