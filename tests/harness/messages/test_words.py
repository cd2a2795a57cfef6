"""Command lines of Maelstrom's are understood, and what means nothing here is said."""

import click
import pytest
from click.testing import CliRunner

from partita.harness.cli import partita
from partita.harness.systems.maelstrom_words import in_ours


def test_a_line_of_maelstroms_is_one_of_ours() -> None:
    theirs = "maelstrom -w lin-kv --bin ./node --node-count 5 --rate 100 --nemesis partition"
    ours = "maelstrom --workload register --binary ./node --local 5 --rate 100"
    assert in_ours(theirs.split()) == [*ours.split(), "--nemesis", "random-halves"]
    theirs = "maelstrom --workload=txn-list-append --consistency-models serializable"
    theirs += " --availability total --max-txn-length 3 -- --flag 'a"
    ours = "maelstrom --workload txn-append --expect serializable --min-availability 1"
    expected = [*f"{ours} --txn-length 3 --server-args".split(), "--flag ''\"'\"'a'"]
    assert in_ours(theirs.split()) == expected


@pytest.mark.parametrize(
    "line",
    [
        "maelstrom --binary ./node --workload g-set --nemesis kill-one,pause-all",
        "maelstrom --binary=./node --min-availability 0.9 --expect eventual",
    ],
)
def test_lines_of_ours_stay_what_they_are(line: str) -> None:
    assert " ".join(in_ours(line.split())).replace(" ", "=") == line.replace(" ", "=")


def test_what_means_nothing_here_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert in_ours(["--log-stderr", "--rate", "5"]) == ["--rate", "5"]
    assert "partita: --log-stderr means nothing here" in capsys.readouterr().err


def test_several_models_are_refused() -> None:
    with pytest.raises(click.UsageError, match="here it takes one"):
        in_ours(["--consistency-models", "serializable,read-committed"])


def test_the_command_understands_them_for_this_system_alone() -> None:
    def said(*line: str) -> str:
        return CliRunner().invoke(partita, ["test", *line]).output

    assert "/nowhere/node" in said("maelstrom", "--bin", "/nowhere/node", "-w", "lin-kv")
    assert "no such option: --bin" in said("etcd", "--bin", "/nowhere/node")
