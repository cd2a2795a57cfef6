"""`partita check` on histories of transactions: known by what is in them, and told in words."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import Partita

from partita.checker import History
from partita.harness.commands.check import check_command

# What overlaps, so that only what was read orders it: each misses what the other wrote.
SKEW = """\
{:process 0, :type :invoke, :f :txn, :value [[:r :x nil] [:append :y 1]]}
{:process 1, :type :invoke, :f :txn, :value [[:r :y nil] [:append :x 1]]}
{:process 0, :type :ok, :f :txn, :value [[:r :x []] [:append :y 1]]}
{:process 1, :type :ok, :f :txn, :value [[:r :y nil] [:append :x 1]]}
{:process 2, :type :invoke, :f :txn, :value [[:r :x nil] [:r :y nil]]}
{:process 2, :type :ok, :f :txn, :value [[:r :x [1]] [:r :y [1]]]}
"""
# Two kinds of anomalies: of the values alone, and of real time.
TWO = (
    SKEW
    + """\
{:process 3, :type :invoke, :f :txn, :value [[:append :z 7]]}
{:process 3, :type :ok, :f :txn, :value [[:append :z 7]]}
{:process 4, :type :invoke, :f :txn, :value [[:r :z nil]]}
{:process 4, :type :ok, :f :txn, :value [[:r :z []]]}
{:process 4, :type :invoke, :f :txn, :value [[:r :z nil]]}
{:process 4, :type :ok, :f :txn, :value [[:r :z [7]]]}
"""
)


@dataclass(frozen=True, slots=True)
class Done:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


def check(*arguments: str) -> Done:
    """Run `partita check` in this process, which is quicker."""
    found = CliRunner().invoke(check_command, arguments, standalone_mode=False)
    if isinstance(found.exception, Exception):
        raise found.exception
    return Done(found.return_value, found.stdout, found.stderr)


@pytest.fixture
def skew(tmp_path: Path) -> str:
    return written(tmp_path / "skew.edn", SKEW)


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("form", ["edn", "jsonl", "json", "edn-vector", "keyless", "edn-ours"])
def test_every_form_is_known_and_judged_alike(tmp_path: Path, form: str) -> None:
    """Also if it was read and written again: ours as Elle's, and the other way round."""
    source = tmp_path / "skew.edn"
    source.write_text(SKEW)
    events = [{"type": line["type"], "process": line["process"], "f": "txn",
               "value": [[f.removeprefix(":"), key, value] for f, key, value in line["value"]]}
              for line, _ in History.read(source).lines()]  # fmt: skip
    lines = "".join(json.dumps(event) + "\n" for event in events)
    if form == "edn-ours":
        name = str(tmp_path / "ours.edn")
        History.of_events(events).write(Path(name))
        assert "[:append " in Path(name).read_text()  # as Elle wants it
    elif form == "edn":
        name = str(source)
    else:
        text = {
            "jsonl": lines,
            "json": json.dumps(events),
            "edn-vector": f"[{SKEW}]",
            "keyless": SKEW.replace(":f :txn, ", ""),
        }[form]
        name = written(tmp_path / f"given.{form}", text)
    done = check(name, "--json", "--expect", "transactions=serializable")
    assert done.returncode == 1, done.stderr
    row = json.loads(done.stdout)["checks"]["transactions"]
    assert [each["name"] for each in row["figures"]["anomalies"]] == ["G2-item"]
    assert row["holds"] == "strong-snapshot-isolation"
    assert row["counterexample"] == [0, 1]


@pytest.mark.parametrize(
    ("expect", "code"),
    [
        ([], 1),
        (["serializable"], 1),
        (["transactions=PL-2.99"], 1),
        (["strong-1SR"], 1),
        (["si"], 0),
        (["transactions=strong-session-SI"], 0),
        (["rc"], 0),
        (["causal"], 0),
        (["PL-3U"], 2),
    ],
)
def test_models_are_asked_for_by_their_usual_names(skew: str, expect: list[str], code: int) -> None:
    done = check(skew, *(word for each in expect for word in ("--expect", each)))
    assert done.returncode == code, done.stdout + done.stderr


def test_a_model_that_nobody_knows_is_refused_with_those_that_there_are(
    partita: Partita, skew: str
) -> None:
    done = partita("check", skew, "--expect", "transactions=perfect")
    assert done.returncode == 254
    assert "there is no such level" in done.stderr and "snapshot-isolation" in done.stderr


def test_the_terminal_tells_what_happened_and_what_is_left(skew: str) -> None:
    told = check(skew).stdout
    assert "INVALID" in told
    assert "anomalies: G2-item (1 found)" in told
    assert "ruled out: repeatable-read, and all that is stronger" in told
    assert "still hold: strong-snapshot-isolation" in " ".join(told.split())
    assert "\n  T2 read :y as nothing, without the 1 that T1 appended.\n" in told
    assert "\n  So T1 came before T2 and T2 before T1: that cannot be.\n" in told
    prose, _, _ = told.partition("    process 0 ")
    assert max(map(len, prose.replace(skew, "skew.edn").splitlines())) <= 80


def test_all_anomalies_are_told_on_demand(tmp_path: Path) -> None:
    name = written(tmp_path / "two.edn", TWO)
    told = " ".join(check(name, "--anomalies").stdout.split())
    assert "G2-item (write skew), 1 found. T1" in told
    assert (
        "G-single-realtime (read skew, the order of real time is part of it), 1 found. T1" in told
    )
    assert told.count("that cannot be") == 2
    assert "G-single-realtime (read skew, the" not in " ".join(check(name).stdout.split())


def test_there_must_be_transactions_to_tell_their_anomalies(tmp_path: Path) -> None:
    register = '{"process":0,"type":"invoke","f":"write","value":1}\n'
    name = written(tmp_path / "register.jsonl", register + register.replace("invoke", "ok"))
    done = check(name, "--anomalies")
    assert done.returncode == 254
    assert f"{name}: --anomalies tells those of transactions: there are none" in done.stderr


def test_a_limit_while_reading_is_no_lack_of_transactions(skew: str) -> None:
    done = check(skew, "--time-limit", "0.000001", "--anomalies")
    assert done.returncode == 2
    assert "time limit reached while reading" in done.stdout


def test_what_is_not_known_to_hold_is_not_said_not_to_hold(tmp_path: Path) -> None:
    nothing_read = "\n".join(SKEW.splitlines()[:1]) + "\n"
    done = check(written(tmp_path / "h.edn", nothing_read))
    assert done.returncode == 2
    assert "transactions: no level is known to hold" in done.stdout


def test_completions_alone_are_asked_for_serializability(tmp_path: Path) -> None:
    text = """\
[{:type :ok, :f :txn, :value [[:append :a 10] [:r :b [20]]]}
 {:type :ok, :f :txn, :value [[:append :b 20] [:r :a [10]]]}
 {:type :ok, :value [[:r :a [10]] [:r :b [20]]]}]
"""
    name = written(tmp_path / "completions.edn", text)
    told = " ".join(check(name).stdout.split())
    assert "read-uncommitted holds, serializable expected" in told
    assert "G1c (circular flow of information)" in told
    assert "nothing is known of their order" in told
    assert "the strongest that can still hold: read-uncommitted" in told


def test_without_processes_what_is_invoked_is_completed_next(tmp_path: Path) -> None:
    text = """\
{:type :invoke, :value [[:append :x 1]]}
{:type :ok, :value [[:append :x 1]]}
{:type :info, :f :kill, :value nil}
{:type :invoke, :value [[:r :x nil]]}
{:type :ok, :value [[:r :x []]]}
{:type :invoke, :value [[:r :x nil]]}
{:type :ok, :value [[:r :x [1]]]}
"""
    done = check(written(tmp_path / "pairs.edn", text))
    told = " ".join(done.stdout.split())
    assert done.returncode == 1
    assert "G-single-realtime (read skew" in told
    assert "no event names a process: each invocation is completed by the event after it" in told


def txn(type_: str, value: Any, process: int | None = 0) -> dict[str, Any]:
    named = {} if process is None else {"process": process}
    return {"type": type_, **named, "f": "txn", "value": value}


def done_txn(value: Any, process: int = 0) -> list[dict[str, Any]]:
    return [txn("invoke", value, process), txn("ok", value, process)]


BAD: dict[str, tuple[list[dict[str, Any]], str]] = {
    "written twice": (
        [*done_txn([["append", "x", 1]]), *done_txn([["append", "x", 1]], 1)],
        'events 2 and 4: 1 is written twice to "x", so that nothing can be inferred',
    ),
    "a list and a register": (
        [*done_txn([["append", "x", 1]]), *done_txn([["w", "x", 2]])],
        'events 2 and 4: the key "x" holds a list and a register',
    ),
    "an unknown micro-operation": (
        [*done_txn([["append", "x", 1]]), *done_txn([["incr", "x", 2]])],
        'event 4: unknown micro-operation ["incr","x",2]: these are',
    ),
    "a nested list": (
        [*done_txn([["append", "x", 1]]), *done_txn([["r", "x", [[1]]]])],
        "event 4: a list was read that holds another list",
    ),
    "no list of micro-operations": (
        [*done_txn([["append", "x", 1]]), *done_txn([["r", "x", [1]]]), *done_txn(7)],
        "event 6: a transaction is a list of micro-operations, and this is 7",
    ),
    "another answer than question": (
        [txn("invoke", [["append", "x", 1]]), txn("ok", [["append", "x", 2]])],
        "event 2: the completion does not do what was invoked, which was",
    ),
    "a longer answer": (
        [txn("invoke", [["r", "x", None]]), txn("ok", [["r", "x", []], ["append", "x", 2]])],
        "event 2: the completion does more than was invoked",
    ),
    "another key": (
        [txn("invoke", [["r", "x", None], ["r", "x", None], ["r", "x", None]]),
         txn("ok", [["r", "x", []], ["r", "y", []], ["r", "x", []]])],
        'event 2: the completion does not do what was invoked, which was ["r","x",null]',
    ),
    "two at once": (
        [txn("invoke", [["r", "x", None]]), txn("invoke", [["r", "x", None]])],
        "line 2: process 0 invokes txn while its txn is still under way",
    ),
    "two at once without processes": (
        [txn("invoke", [["r", "x", None]], None), txn("invoke", [["r", "x", None]], None)],
        "line 2: no event names a process, and txn is still under way",
    ),
    "only some with processes": (
        [txn("invoke", [["r", "x", None]]), txn("ok", [["r", "x", []]]),
         txn("invoke", [["r", "x", None]], None)],
        "line 3: the event names no process",
    ),
    "processes later": (
        [txn("ok", [["r", "x", []]], None), txn("invoke", [["r", "x", None]])],
        "line 2: the event names a process, which those before it do not",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    events, words = BAD[name]
    file = written(tmp_path / "bad.jsonl", "".join(json.dumps(each) + "\n" for each in events))
    done = check(file)
    assert done.returncode == 254, done.stdout
    assert words in done.stderr and done.stderr.startswith(f"partita: {file}")
    assert len(done.stderr.splitlines()) == 1


def test_what_was_never_completed_and_a_cut_line_are_no_mistakes(skew: str, tmp_path: Path) -> None:
    cut = SKEW + "{:process 5, :type :invoke, :f :txn, :value [[:append :x 2]]}\n{:process 5, :ty"
    done = check(written(tmp_path / "cut.edn", cut), "--expect", "si")
    assert done.returncode == 0, done.stderr


def test_registers_whose_values_come_back_are_searched(tmp_path: Path) -> None:
    events = [*done_txn([["w", "x", 1]]), *done_txn([["w", "x", 1]]), *done_txn([["r", "x", 1]])]
    text = "".join(json.dumps(each) + "\n" for each in events)
    done = check(written(tmp_path / "again.jsonl", text))
    assert done.returncode == 0 and "model multi-register" in done.stdout


def test_a_setting_of_the_check_is_an_option(tmp_path: Path) -> None:
    """Taken to be linearizable, the register shows in which order its values stood."""
    events = [*done_txn([["w", "x", 1]]), *done_txn([["w", "x", 2]]), *done_txn([["r", "x", 1]])]
    name = written(tmp_path / "old.jsonl", "".join(json.dumps(each) + "\n" for each in events))
    assert check(name).returncode == 0
    assert check(name, "--linearizable-keys").returncode == 1


def test_a_setting_that_the_model_does_not_have_is_refused(tmp_path: Path) -> None:
    write = '{"process":0,"type":"invoke","f":"write","value":1}\n'
    name = written(tmp_path / "register.jsonl", write)
    done = check(name, "--linearizable-keys")
    assert done.returncode == 254
    assert "model cas-register: it has no setting --linearizable-keys" in done.stderr
