"""`partita check --order`: what it writes, and where it cannot."""

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from conftest import Partita
from histories import keyed, run_events
from small_objects import KINDS, long_events, plant
from test_check import STALE, endless
from test_check_asked import BACK

from partita.checker import History, load_model, replay

MODEL_OF_KIND = {"kv-append": "kv", "kv-mixed": "kv", "members": "set"}


def stored(path: Path, events: list[dict[str, Any]]) -> str:
    History.of_events(events).write(path)
    return path.name


def operations(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_writes_is_replayed(partita: Partita, tmp_path: Path, kind: str) -> None:
    model = MODEL_OF_KIND.get(kind, kind)
    name = stored(tmp_path / "h.jsonl", long_events(Random(3), kind, 300, 5, 0.05))
    done = partita("check", name, "--model", model, "--order", "order.txt")
    assert (done.returncode, done.stderr) == (0, "")
    rows = operations((tmp_path / "order.txt").read_text())
    assert [row[0] for row in rows] == [str(place) for place in range(1, len(rows) + 1)]
    order = [int(row[1]) for row in rows]
    assert replay(History.read(tmp_path / name), load_model(model), order) is None


def test_each_line_tells_the_operation(partita: Partita, tmp_path: Path) -> None:
    name = stored(tmp_path / "h.jsonl", [*keyed([run_events(Random(2), 30, 3, unique=True)])])
    done = partita("check", name, "--order", "-")
    assert done.stdout.startswith("VALID")
    history = History.read(tmp_path / name)
    for _, index, process, f, key, value in operations(done.stdout[done.stdout.index("\n#") + 1 :]):
        op = history[int(index)]
        assert (process, f, json.loads(key)) == (str(op.process), op.f, op.key)
        expected = op.output if op.f == "read" else op.input
        assert json.loads(value.removesuffix(" → mismatch")) == expected


def test_an_invalid_history_is_put_in_order_as_far_as_it_goes(
    partita: Partita, tmp_path: Path
) -> None:
    late = [{"process": 9, "type": type_, "f": "write", "value": 9} for type_ in ("invoke", "ok")]
    name = stored(tmp_path / "h.jsonl", [*STALE, *late])
    done = partita("check", name, "--order", "-")
    assert done.returncode == 1
    told = done.stdout[done.stdout.index("# Not linearizable") :]
    assert told.splitlines()[0].startswith("# Not linearizable: 2 operations in an order of the")
    assert "first 5 events" in told
    assert [row[0:2] for row in operations(told)] == [["1", "0"], ["2", "1"], ["-", "2"]]
    assert '# At event 6 this was over, and cannot follow:\n-\t2\t1\tread\t"stale"\t1\n' in told


def test_keys_are_put_into_one_order(partita: Partita, tmp_path: Path) -> None:
    events = [*keyed([run_events(Random(seed), 40, 3, unique=True) for seed in (2, 4, 6)])]
    Random(1).shuffle(keys := [event["key"] for event in events])
    queues = {key: [each for each in events if each["key"] == key] for key in set(keys)}
    name = stored(tmp_path / "h.jsonl", [queues[key].pop(0) for key in keys])
    done = partita("check", name, "--order", "order.txt")
    assert done.returncode == 0, done.stdout
    rows = operations((tmp_path / "order.txt").read_text())
    history = History.read(tmp_path / name)
    order = np.array([int(row[1]) for row in rows])
    assert not (
        history.completed_rank[order] < np.maximum.accumulate(history.invoked_rank[order])
    ).any()
    for key in set(keys):
        own = order[[json.loads(row[4]) == key for row in rows]]
        counting = np.flatnonzero((history.key == history.key[own[0]]) & (history.outcome != 1))
        counting = np.union1d(counting, own)
        assert replay(history, load_model("cas-register"), own, counting) is None


def test_a_verdict_that_is_unknown_has_none(partita: Partita, tmp_path: Path) -> None:
    name = stored(tmp_path / "h.jsonl", endless(0))
    done = partita("check", name, "--time-limit", "0.5", "--order", "order.txt")
    assert done.returncode == 2
    assert (tmp_path / "order.txt").read_text().startswith("# No order is known: time limit")


def test_a_level_that_was_asked_for_does_not_hide_it(partita: Partita, tmp_path: Path) -> None:
    name = stored(tmp_path / "h.jsonl", BACK)
    partita("check", name, "--expect", "linearizable", "--order", "order.txt")
    assert "# Not linearizable" in (tmp_path / "order.txt").read_text()
    partita("check", name, "--expect", "sessions=sequential", "--order", "order.txt")
    assert "nobody asked whether it is linearizable" in (tmp_path / "order.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--order", "nowhere/order.txt", "h.jsonl"], "cannot write nowhere/order.txt: nowhere is"),
        (["--order", ".", "h.jsonl"], "is a directory"),
        (["--order", "h.jsonl/x", "h.jsonl"], "cannot write h.jsonl/x"),
        (["--order", "-", "--json", "h.jsonl"], "both want standard output"),
        (["--order", "order.txt", "h.jsonl", "h.jsonl"], "--order tells the order of one FILE"),
        (["--order", "order.txt", "--recover", "run"], "not with --order"),
    ],
)
def test_where_it_cannot_be_written_is_one_line(
    partita: Partita, tmp_path: Path, arguments: list[str], message: str
) -> None:
    stored(tmp_path / "h.jsonl", STALE)
    done = partita("check", *arguments)
    assert (done.returncode, done.stdout) == (254, "")
    assert message in done.stderr
    assert done.stderr.startswith("partita: ") and done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(partita: Partita, tmp_path: Path) -> None:
    done = partita("check", stored(tmp_path / "h.jsonl", STALE), "--order", "/dev/full")
    assert done.returncode == 254
    assert done.stderr == "partita: cannot write /dev/full: No space left on device\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_shows_where_the_order_ends(partita: Partita, tmp_path: Path, kind: str) -> None:
    events = long_events(Random(3), kind, 300, 5, 0.02)
    plant(kind, events)
    name = stored(tmp_path / "h.jsonl", events)
    model = MODEL_OF_KIND.get(kind, kind)
    done = partita("check", name, "--model", model, "--html", "page.html")
    assert done.returncode == 1, done.stdout
    page = (tmp_path / "page.html").read_text()
    table = page[page.index("can be explained by an order") :]
    table = table[: table.index("</table>")]
    assert table.count("<tr>") <= 7
    assert table.count('<tr class="contradicts"><td>cannot follow</td>') == 1
