"""The command line's tables: every command is there, and every error is one."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from test_check import STALE

from partita.checker import History
from partita.harness.cli import COMMANDS, ERRORS, partita


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_found_and_explains_itself(name: str) -> None:
    command = partita.get_command(click.Context(partita), name)
    assert command is not None
    assert command.help
    assert command.get_short_help_str(200) == COMMANDS[name][1]


def test_help_is_quick() -> None:
    script = "import time, partita.harness.cli as c\ntry: c.partita.main(['--help'])\n"
    script += "except SystemExit: print(time.process_time())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert float(done.stdout.splitlines()[-1]) < 0.3


@pytest.mark.parametrize(
    ("asked", "said"), [("bash_source", "_partita_completion"), ("bash_complete", "plain,etcd\n")]
)
def test_a_shell_is_answered_and_nothing_is_spilled_over_the_line(asked: str, said: str) -> None:
    line = {"COMP_WORDS": "partita test et", "COMP_CWORD": "2", "_PARTITA_COMPLETE": asked}
    script = "import sys; sys.argv[0] = 'partita'; from partita.harness.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | line, capture_output=True, text=True
    )
    assert said in done.stdout
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_is_where_the_table_says(name: str) -> None:
    module, _, error = name.rpartition(".")
    found = getattr(import_module(module), error)
    assert issubclass(found, Exception)
    assert found.__module__ == module


def test_checking_imports_nothing_that_draws_or_speaks_ssh() -> None:
    script = "import sys, partita.harness.cli, partita.harness.commands.check; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "partita.checker" in loaded
    assert not loaded & {"matplotlib", "networkx", "paramiko", "kazoo", "plotly", "uvicorn"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("partita test etc", "etcd"),
        ("partita test etcd --workload cou", "counter"),
        ("partita test etcd --nemesis kill-le", "kill-leader"),
        ("partita test etcd --nemesis leader-minority,kill-le", "leader-minority,kill-leader"),
        ("partita test etcd --rea", "--reads"),
        ("partita test etcd --reads ser", "serializable"),
        ("partita test etcd --workload queue --enq", "--enqueues"),
        ("partita test-all --systems etcd,zoo", "etcd,zookeeper"),
    ],
)
def test_a_shell_completes_what_the_line_may_go_on_with(line: str, said: str) -> None:
    place = str(len(line.split()) - 1)
    asked = {"COMP_WORDS": line, "COMP_CWORD": place, "_PARTITA_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'partita'; "
         "from partita.harness.cli import main; main()"],
        env=os.environ | asked, capture_output=True, text=True,
    )  # fmt: skip
    assert f"plain,{said}" in done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("line", [["--help"], ["list", "faults"], ["check", "h.jsonl"]])
def test_whoever_stops_reading_is_told_nothing(tmp_path: Path, line: list[str]) -> None:
    History.of_events(STALE).write(tmp_path / "h.jsonl")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "partita", *line],
        cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    os.close(writer)
    assert (done.stderr, done.returncode) == ("", 255)
