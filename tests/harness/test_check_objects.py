"""`partita check` on queues, sets, counters, keys: what is odd in a file, planted mistakes."""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import Partita
from test_benchmark import BENCHMARKS

from partita.checker import History, check

sys.path.insert(1, str(BENCHMARKS))

from kinds import KINDS
from simulated import events

Event = dict[str, Any]
_SAME = object()


def op(process: int, f: str, asked: Any, answer: Any = _SAME) -> list[Event]:
    event = {"process": process, "f": f}
    answered = asked if answer is _SAME else answer
    return [event | {"type": "invoke", "value": asked}, event | {"type": "ok", "value": answered}]


def written(path: Path, operations: Iterable[list[Event]]) -> str:
    lines = [json.dumps(event) for each in operations for event in each]
    path.write_text("\n".join(lines) + "\n")
    return path.name


@pytest.mark.parametrize(
    ("model", "operations", "note"),
    [
        (
            "fifo-queue",
            [op(0, "enqueue", 1), op(0, "enqueue", 1), op(1, "dequeue", None, 1)],
            "1 was put in more than once, as by process 0's enqueue 1 (event 3 to 4), so that the",
        ),
        (
            "unordered-queue",
            [op(0, "enqueue", "a"), op(0, "enqueue", "a"), op(1, "dequeue", None, "a")],
            '"a" was put in more than once',
        ),
        (
            "counter",
            [op(0, "add", 1), op(0, "add", 2), op(1, "read", None, 3)],
            "add different amounts, so that the search decided",
        ),
        (
            "kv",
            [op(0, "put", "a"), op(0, "put", "a"), op(1, "get", None, "a")],
            "had been put more than once",
        ),
        (
            "fifo-queue",
            [op(0, "enqueue", None), op(1, "dequeue", None, None)],
            "null was put in, which an empty queue answers too",
        ),
    ],
)
def test_a_note_says_why_the_search_takes_over(
    partita: Partita, tmp_path: Path, model: str, operations: list[list[Event]], note: str
) -> None:
    name = written(tmp_path / "h.jsonl", operations)
    done = partita("check", name, "--model", model)
    assert done.returncode == 0
    assert "engine search" in done.stdout
    assert note in re.sub(r"\s+", " ", done.stdout)
    told = json.loads(partita("check", name, "--model", model, "--json").stdout)
    assert any(note in each for each in told["notes"])


ODD = [1, "1", [1, {"a": 2}], True, 1.5, "", "ß", 2**60, -1]


@pytest.mark.parametrize(
    ("model", "operations", "engine"),
    [
        ("fifo-queue", [op(0, "enqueue", each) for each in ODD if each is not True], "queue"),
        ("unordered-queue", [op(0, "enqueue", each) for each in ODD if each is not True], "queue"),
        ("set", [op(0, "add", each) for each in ODD], "growing-set"),
    ],
)
def test_elements_may_be_of_different_types(
    partita: Partita, tmp_path: Path, model: str, operations: list[list[Event]], engine: str
) -> None:
    values = [each[0]["value"] for each in operations]
    if model == "set":
        held = [each for each in values if each is not True]  # true is 1, as Python has it
        answers = [op(1, "read", None, held)]
    else:
        answers = [op(1, "dequeue", None, each) for each in values]
    for wrong in (False, True):
        if wrong and model == "set":
            answers[0][1]["value"] = ["1", [1, {"a": 2}]]
        elif wrong:
            answers[0][1]["value"], answers[1][1]["value"] = "nobody's", 1
        name = written(tmp_path / "h.jsonl", [*operations, *answers])
        done = partita("check", name, "--model", model)
        assert done.returncode == int(wrong), done.stdout + done.stderr
        assert f"engine {engine}" in done.stdout


@pytest.mark.parametrize("model", ["fifo-queue", "unordered-queue"])
def test_what_was_never_put_in_is_named_with_who_took_it(
    partita: Partita, tmp_path: Path, model: str
) -> None:
    name = written(tmp_path / "h.jsonl", [op(0, "enqueue", 1), op(1, "dequeue", None, 7)])
    done = partita("check", name, "--model", model)
    assert done.returncode == 1
    said = "Nobody ever put in 7, but process 1's dequeue that returned 7 (event 3 to 4) took it."
    assert said in re.sub(r"\s+", " ", done.stdout)


@pytest.mark.parametrize(
    ("model", "broken", "message"),
    [
        ("set", op(1, "read", None, 7), "answer 7, which is no list"),
        ("set", op(1, "read", None, "abc"), 'answer "abc", which is no list'),
        ("set", op(1, "read", None, {"a": 1}), 'answer {"a":1}, which is no list'),
        ("set", op(1, "contains", 1, 7), "answer 7, which is neither true nor false"),
        ("set", op(1, "contains", 1, None), "with value 1, which is neither true nor false"),
        ("append", op(1, "read", None, 7), "answer 7, which is no list"),
        ("unordered-queue", op(1, "drain", None, 7), "answer 7, which is no list"),
        ("counter", op(1, "read", None, "x"), 'answer "x", which is no number'),
        ("counter", op(1, "read", None, [1]), "answer [1], which is no number"),
        ("counter", op(1, "read", None, True), "answer true, which is no number"),
        ("counter", op(1, "read", None, None), "with value null, which is no number"),
        ("counter", op(1, "add", "x"), 'with value "x", which is no number'),
        ("kv", op(1, "append", 1), "with value 1, which is no text"),
    ],
)
def test_a_broken_answer_is_one_line_that_names_the_operation(
    partita: Partita, tmp_path: Path, model: str, broken: list[Event], message: str
) -> None:
    f = {"kv": "append", "append": "append", "set": "add", "counter": "add"}.get(model, "enqueue")
    first = op(0, f, "x" if model == "kv" else 1)
    name = written(tmp_path / "h.jsonl", [first, broken])
    done = partita("check", name, "--model", model)
    assert (done.returncode, done.stdout) == (254, "")
    begin = f"partita: model {model} does not fit the history: operation 1 (event 3) is"
    assert done.stderr.startswith(begin) and done.stderr.endswith(f"{message}\n"), done.stderr
    assert done.stderr.count("\n") == 1


def planted(kind: str, history: list[Event], seed: int) -> None:
    """Make a valid history invalid: swap two dequeues, drop an element, read one too many."""
    reads = {"dequeue", "read", "get", "contains"}
    answers = [each for each in history if each["type"] == "ok" and each["f"] in reads]
    answers = [each for each in answers if each["value"] not in (None, "", [])]
    late = answers[(len(answers) * 3 // 4 + seed) % len(answers)]
    early = answers[(len(answers) // 2 + seed) % len(answers)]
    if kind in ("fifo-queue", "kv", "register"):
        early["value"], late["value"] = late["value"], early["value"]
    elif kind == "unordered-queue":
        late["value"] = early["value"]
    elif kind == "set":
        lost = answers[0]["value"][0]
        answers[-1]["value"] = [each for each in answers[-1]["value"] if each != lost]
    elif kind == "counter":
        late["value"] += 1 + 10  # no more additions than processes are under way


@pytest.mark.parametrize("crash", [0, 0.02])
@pytest.mark.parametrize(
    "kind", ["counter", "fifo-queue", "kv", "register", "set", "unordered-queue"]
)
def test_a_planted_violation_is_found_and_told_in_two_sentences(kind: str, crash: float) -> None:
    for seed in range(1, 6):
        drawn = list(events(kind, 3_000, 5, crash, seed))
        assert check(History.of_events(drawn), KINDS[kind].model).valid is True
        planted(kind, drawn, seed)
        verdict = check(History.of_events(drawn), KINDS[kind].model)
        assert verdict.valid is False, f"seed {seed}"
        assert verdict.counterexample is not None
        told = verdict.counterexample.explanation
        assert told.endswith(".") and len(re.findall(r"\.(?= [A-Z]|$)", told)) <= 2, told


def test_one_more_than_was_added_is_too_many() -> None:
    random = Random(1)
    drawn = list(events("counter", 1_000, 1, 0, 1))
    reads = [each for each in drawn if each["type"] == "ok" and each["f"] == "read"]
    random.choice(reads)["value"] += 1
    assert check(History.of_events(drawn), "counter").valid is False
