"""The services' answers, without a router."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from partita.harness.messages.services import LinKv, LwwKv, Map, SeqKv, Timestamps, answered

ALL: list[Callable[[], Map]] = [LinKv, lambda: SeqKv(Random(1)), lambda: LwwKv(Random(1))]


def ask(store: Map, client: str = "n1", /, **body: Any) -> Any:
    answer = answered(store, client, body)
    return answer["code"] if answer["type"] == "error" else answer.get("value", answer["type"])


def test_a_linearizable_map() -> None:
    store = LinKv()
    assert ask(store, type="read", key=1) == 20
    assert ask(store, type="cas", key=1, **{"from": 0, "to": 1}) == 20
    assert ask(store, type="write", key=1, value=[2]) == "write_ok"
    assert ask(store, "n2", type="read", key=1) == [2]
    assert ask(store, type="cas", key=1, **{"from": [1], "to": 3}) == 22
    assert ask(store, type="cas", key=1, **{"from": [2], "to": 3}) == "cas_ok"
    assert ask(store, type="read", key=1) == 3


@pytest.mark.parametrize("make", ALL)
def test_a_missing_key_is_made_if_that_was_asked_for(make: Callable[[], Map]) -> None:
    asked = {"from": 0, "to": 1, "create_if_not_exists": True}
    assert ask(make(), type="cas", key=["a", 1], **asked) == "cas_ok"


@pytest.mark.parametrize("make", ALL)
def test_what_is_no_request_is_told(make: Callable[[], Map]) -> None:
    assert ask(make(), type="read") == 12
    assert ask(make(), type="write", key=1) == 12
    assert ask(make(), type="delete", key=1) == 10


def test_a_sequential_map_shows_old_values_but_never_goes_back() -> None:
    store = SeqKv(Random(5))
    seen: dict[str, list[int]] = {"n1": [], "n2": []}
    for value in range(1000, 1400):
        ask(store, "writer", type="write", key="x", value=value)
        for client, values in seen.items():
            if (found := ask(store, client, type="read", key="x")) != 20:
                values.append(found)
        assert ask(store, "writer", type="read", key="x") == value, "it sees its own write"
    for values in seen.values():
        assert values == sorted(values)
        assert len(set(values)) < len(values), "what was read is old sometimes"


def test_a_change_of_a_sequential_map_compares_with_the_newest() -> None:
    store = SeqKv(Random(1))
    ask(store, "n1", type="write", key="x", value=1)
    assert ask(store, "n2", type="cas", key="x", **{"from": 1, "to": 2}) == "cas_ok"
    assert ask(store, "n2", type="read", key="x") == 2


def test_the_last_write_wins_and_comes_through_in_the_end() -> None:
    store = LwwKv(Random(2))
    ask(store, type="write", key="x", value=1)
    found = [ask(store, type="read", key="x") for _ in range(200)]
    assert 20 in found, "a replica that has not heard of it"
    assert set(found[-50:]) == {1}


def test_timestamps_grow() -> None:
    oracle = Timestamps()
    assert [oracle("n1", {"type": "ts"})["ts"] for _ in range(3)] == [0, 1, 2]
    assert oracle("n1", {"type": "time"})["code"] == 10
