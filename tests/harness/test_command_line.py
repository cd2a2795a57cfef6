"""A command for people is read as what it was made from."""

import os
import shlex
import threading
from pathlib import Path

import pytest

from partita.harness.commands.command_line import command_line
from partita.harness.commands.test import test as command
from partita.harness.run.session import node_names

LINES = [
    "raft",
    "raft --bug ack-early --keys 3 --rate 12.5 --seed 4 --schedule '2s kill n1,n2; 3s heal'",
    "etcd --require-recovery --min-ok write=3 --min-ok 10 --local 3 --server-args '--a b'",
    "raft --node a --node b --no-strict-host-key-checking --ssh-port 2222 --workload append",
]


@pytest.mark.parametrize("line", LINES)
def test_what_is_said_of_a_run_makes_the_same_run(line: str) -> None:
    def read(text: str):  # type: ignore[no-untyped-def]
        return command.make_context("test", shlex.split(text))

    context = read(line)
    defaults = read(context.params["system"]).params
    parameters = command.get_params(context)
    said = command_line(context.params["system"], context.params, parameters, defaults)
    assert said.startswith("partita test ")
    assert read(said.removeprefix("partita test ")).params == context.params
    assert len(shlex.split(said)) == len(shlex.split(line)) + 2


def test_the_nodes_may_come_out_of_a_pipe_which_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "nodes"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_text, args=["h1\nh2\n"], daemon=True).start()
    options = command.make_context("test", ["raft", "--nodes-file", str(pipe)]).params
    assert [node_names(options) for _ in range(3)] == [["h1", "h2"]] * 3
