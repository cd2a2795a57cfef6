"""Events that are no operations, as columns and one by one."""

from random import Random
from typing import Any

import numpy as np

from partita.checker import History
from partita.checker.others import Others
from partita.checker.values import ABSENT, NULL


def _mixed(random: Random, count: int) -> list[dict[str, Any]]:
    """Return events of everybody, with and without what they may have."""
    found: list[dict[str, Any]] = []
    for time in range(count):
        client = random.random() < 0.7
        line: dict[str, Any] = {
            "time": time,
            "type": "event" if client else "info",
            "process": random.randrange(3) if client else random.choice(["nemesis", "monitor"]),
            "f": random.choice(["event", "resume", "told"]),
            "value": random.choice([None, 7, "x", [1, 2], [1, 2, 3], {"a": None}]),
        }
        optional = {"version": time, "key": "k", "node": "n1", "error": "e", "stream": None,
                    "batch": random.choice([4, 4.5, "4", 2**70])}  # fmt: skip
        found.append(line | {name: optional[name] for name in optional if random.random() < 0.5})
    return found


def test_each_event_is_what_stands_in_the_file() -> None:
    lines = _mixed(Random(1), 500)
    history = History.of_events(lines)
    assert [line for line, _ in history.lines()] == lines
    assert [history.others[at] for at in range(500)] == list(history.others)
    assert history.others[-2:] == [history.others[498], history.others[499]]


def test_rows_are_those_of_the_events_that_are_meant() -> None:
    others = History.of_events(_mixed(Random(2), 500)).others
    events = list(others)
    for wanted in (("event",), ("told", "resume"), ("nothing",)):
        expected = [at for at, each in enumerate(events) if each.f in wanted]
        assert others.rows(*wanted).tolist() == expected
        told = [at for at in expected if events[at].type == "event"]
        assert others.rows(*wanted, type="event").tolist() == told
        assert list(others.of(*wanted)) == [events[at] for at in expected]
    by = [at for at, each in enumerate(events) if each.process == "nemesis"]
    assert others.by("nemesis").tolist() == by
    having = [at for at, each in enumerate(events)
              if each.type == "event" and "batch" in each.fields]  # fmt: skip
    assert others.having("batch").tolist() == having


def test_further_fields_as_columns() -> None:
    others = History.of_events(_mixed(Random(3), 500)).others
    rows = np.arange(0, 500, 3)
    fields = [others[row].fields for row in rows.tolist()]
    number, whole = others.numbers("batch", rows)
    assert whole.tolist() == [each.get("batch") == 4 for each in fields]
    assert set(number[whole].tolist()) == {4}
    stream = others.field("stream", rows)
    assert stream.tolist() == [NULL if "stream" in each else ABSENT for each in fields]
    assert (others.labels("stream", rows) == NULL).all()
    assert (others.field("unheard of", rows) == ABSENT).all()


def test_of_a_field_that_an_event_has_twice_the_last_counts() -> None:
    history = History.of_events([{"type": "event", "process": 1, "f": "x", "value": 1, "a": 1}])
    extras = history.extras
    twice = type(extras)(
        extras.rank.repeat(2), extras.name.repeat(2),
        np.array([ABSENT, 0], dtype=np.int32), extras.names, extras.values,
    )  # fmt: skip
    assert twice.column("a", history.others.rank).tolist() == [0]


def test_an_event_of_nobody_is_not_that_of_who_spoke_before() -> None:
    history = History.of_events(
        [
            {"type": "info", "process": "nemesis", "f": "cut", "value": None},
            {"type": "info", "f": "marker", "value": None},
        ]
    )
    assert [event.process for event in history.others] == ["nemesis", ""]


def test_times_count_from_the_first_event_where_clocks_begin_late() -> None:
    late = 10**18
    history = History.of_events(
        [
            {"time": late - 5, "type": "info", "process": "monitor", "f": "leader", "value": []},
            {"type": "event", "process": 4, "f": "told", "value": None},
            {"time": late, "type": "invoke", "process": 0, "f": "read", "value": None},
            {"time": late + 9, "type": "ok", "process": 0, "f": "read", "value": 1},
        ]
    )
    assert [event.time for event in history.others] == [0, -1]
    assert history.end == 14


def test_there_are_none() -> None:
    assert list(Others.empty()) == [] and Others.empty() == Others.empty()
    assert not len(Others.empty().rows("event", type="event"))


def test_values_decoded_together_are_those_decoded_one_by_one() -> None:
    values = History.of_events(_mixed(Random(4), 300)).values
    numbers = np.array([Random(5).randrange(len(values)) for _ in range(200)])
    assert values.several(numbers) == [values.decoded(each) for each in numbers.tolist()]
    assert values.several(numbers[:0]) == []
