"""The append engine against the oracle, and what it says of elements."""

from collections import Counter
from random import Random

import numpy as np
import pytest
from histories import Event, append_events, keyed
from oracle import contradicts, rows_by_key

from partita.checker import History, Limits, check, load_model, vacuous
from partita.checker.linearizability.append import append
from partita.checker.linearizability.append_columns import Columns
from partita.checker.linearizability.check import counting
from partita.checker.linearizability.reference import linearizable

HISTORIES = 20_000
BATCH = 1_000


def draw(seed: int) -> list[Event]:
    random = Random(seed)
    return append_events(random, random.randrange(2, 9))


def test_agrees_with_the_oracle() -> None:
    model = load_model("append")
    answers: Counter[tuple[object, bool]] = Counter()
    for first in range(0, HISTORIES, BATCH):
        history = History.of_events(keyed(map(draw, range(first, first + BATCH))))
        for rows in rows_by_key(history, counting(history, model, "observe")):
            found = append(history, rows, model, Limits(), "observe")
            seed = first + history.key[rows[0]]
            assert found is not None
            expected = linearizable(history, rows, model)
            answers[found.valid, expected] += 1
            if found.valid != "unknown":
                assert found.valid == expected, f"seed {seed}: {found}"
            if found.valid is False:
                assert contradicts(history, rows, model, found), f"seed {seed}: {found}"
                assert len(found.operations) <= 4
    assert answers[True, True] > HISTORIES / 5
    assert answers[False, False] > HISTORIES / 10


@pytest.mark.parametrize("elements", [list(range(60)), [f"{each}, ]" for each in range(60)]])
def test_lists_of_numbers_and_of_text_go_the_short_way(elements: list[object]) -> None:
    read = {"process": 1, "f": "read"}
    events: list[Event] = []
    for count, element in enumerate(elements, 1):
        events += _add(0, element, "ok")
        events += [read | {"type": "invoke"}, read | {"type": "ok", "value": elements[:count]}]
    history = History.of_events(events)
    assert Columns.of(history, np.arange(len(history)), Limits()) is not None
    verdict = check(history, "append")
    assert (verdict.valid, verdict.details["ok"]) == (True, len(elements))
    events[7]["value"] = [elements[1], elements[0]]
    history = History.of_events(events)
    assert Columns.of(history, np.arange(len(history)), Limits()) is None
    assert check(history, "append").valid is False


def test_what_became_of_the_elements() -> None:
    history = History.of_events(
        [
            *_add(0, 1, "ok"),
            *_add(1, 2, "info"),
            *_add(2, 3, "ok"),
            *_add(3, 4, "info"),
            *_add(4, 5, "fail"),
            {"process": 5, "type": "invoke", "f": "read", "value": None},
            {"process": 5, "type": "ok", "f": "read", "value": [1, 2, 5, 9]},
        ]
    )
    verdict = check(history, "append")
    assert verdict.valid is False
    assert verdict.details == {
        "attempted": 4,
        "acknowledged": 2,
        "ok": 2,
        "lost": 1,
        "recovered": 1,
        "unexpected": 2,
        "duplicated": 0,
        "elements": {
            "acknowledged": "1 3",
            "ok": "1..2",
            "lost": "3",
            "recovered": "2",
            "unexpected": "5 9",
            "duplicated": "",
        },
    }


def test_where_nothing_was_read_every_order_fits() -> None:
    history = History.of_events(_add(0, 1, "ok"))
    assert check(history, "append").valid is True
    assert check(history, "append", engine="search").valid is True
    assert vacuous(history) == "nothing was ever read"


def _add(process: int, value: int, outcome: str) -> list[dict[str, object]]:
    return [
        {"process": process, "type": type_, "f": "add", "value": value}
        for type_ in ("invoke", outcome)
    ]
