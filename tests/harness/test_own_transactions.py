"""Transactions by a client program of the user's, and what it may say that is wrong."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from partita.harness.nodes.cluster import Node
from partita.harness.systems.commands import read_store
from partita.harness.systems.program import ProgramClient
from partita.harness.systems.program_transactions import GuardedTransactions, WholeTransactions
from partita.workloads.capabilities.transactions import HasExecute, Seen, Snapshot, Transactions
from partita.workloads.client import Answer, Definite, Indefinite, Mismatch
from partita.workloads.micro_operations import carry_out

# A store in the program's own memory. What is said of a key called "say" is what stands behind it.
STORE = """
import json, sys
state, version = {}, 0
def step(f, key, value):
    if f == "append":
        state[key] = state.get(key, []) + [value]
    elif f == "w":
        state[key] = value
    return [f, key, state.get(key) if f == "r" else value]
for line in sys.stdin:
    request = json.loads(line)
    f, value = request["f"], request["value"]
    assert request["key"] is None
    answer = {"type": "ok"}
    if f == "txn" and value[0][0] == "say" or f == "snapshot" and value[0] == "say":
        answer = json.loads(value[0][1] if f == "txn" else value[1])
    elif f == "txn":
        version += 1
        done = [step(*each) for each in value]
        answer |= {"value": done, "version": version, "versions": [version] * len(value)}
    elif f == "snapshot":
        answer |= {"value": [state.get(key, [None, None]) for key in value], "version": version}
    elif any(state.get(key, [None, None]) != seen for key, *seen in value["guards"]):
        answer = {"type": "fail", "error": "mismatch"}
    else:
        version += 1
        state |= {key: [text, version] for key, text in value["writes"]}
        answer |= {"version": version}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def program(tmp_path: Path) -> ProgramClient:
    (tmp_path / "client.py").write_text(STORE)
    return ProgramClient([sys.executable, "client.py"], tmp_path, {}, 5.0)


def test_whole_transactions(program: ProgramClient) -> None:
    client = WholeTransactions(program)
    assert client.execute([["append", "x", 1], ["r", "x", None], ["r", "y", None]]) == Answer(
        [["append", "x", 1], ["r", "x", [1]], ["r", "y", None]], 1, {"versions": [1, 1, 1]}
    )
    answer = carry_out(client, [["w", "z", 7], ["r", "z", None]], "store", 5, 1e12)
    assert answer.value == [["w", "z", 7], ["r", "z", 7]]
    client.close()


def test_guarded_transactions(program: ProgramClient) -> None:
    client = GuardedTransactions(program)
    assert client.snapshot(["x", "y"]) == Snapshot([Seen(None), Seen(None)], 0)
    assert client.commit([("x", Seen(None)), ("y", Seen(None))], [("x", "1")]).version == 1
    with pytest.raises(Mismatch):
        client.commit([("x", Seen(None))], [("x", "2")])
    assert client.snapshot(["x"]).seen == [Seen("1", 1)]
    answer = carry_out(client, [["append", "l", 7], ["r", "l", None]], "store", 5, 1e12)
    assert answer.value == [["append", "l", 7], ["r", "l", [7]]]
    assert client.snapshot(["l"]).seen == [Seen("[7]", 2)]
    client.close()


@pytest.mark.parametrize(
    "said",
    [
        {"type": "ok"},
        {"type": "ok", "value": []},
        {"type": "ok", "value": [["append", "x", 1]]},
        {"type": "ok", "value": "x"},
    ],
)
def test_another_transaction_than_was_asked_for_leaves_it_open(
    program: ProgramClient, said: dict[str, Any]
) -> None:
    with pytest.raises(Indefinite, match=re.escape("the client program was asked for [['say'")):
        WholeTransactions(program).execute([["say", json.dumps(said), 2]])


@pytest.mark.parametrize(
    "value", [None, [], [["1", 2]], [["1", 2], [3, 4]], [["1", 2], ["1"]], [["1", 2], ["1", "2"]]]
)
def test_a_snapshot_that_is_none_changed_nothing(program: ProgramClient, value: Any) -> None:
    said = json.dumps({"type": "ok", "value": value})
    with pytest.raises(Definite, match=r"which is no \[value, version\] a key"):
        GuardedTransactions(program).snapshot(["say", said])


def test_a_snapshot_may_say_that_it_is_of_no_one_moment(program: ProgramClient) -> None:
    said = json.dumps({"type": "ok", "value": [["1", 2], [None, None]], "settled": False})
    snapshot = GuardedTransactions(program).snapshot(["say", said])
    assert snapshot == Snapshot([Seen("1", 2), Seen(None)], settled=False)


@pytest.mark.parametrize(
    ("said", "protocol"), [("whole", HasExecute), ("guarded", Transactions), (None, None)]
)
def test_a_store_offers_what_its_program_can_do(
    tmp_path: Path, said: str | None, protocol: Any
) -> None:
    (tmp_path / "client.py").write_text(STORE)
    keys = {"start": "true", "health": "true", "client": f"{sys.executable} client.py"}
    keys |= {"transactions": said} if said else {}
    path = tmp_path / "store.toml"
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items()))
    offers = read_store(path).offers
    assert {"registers", "queues", "sets"} <= offers.keys()
    assert ("transactions" in offers) == bool(said)
    if protocol:
        client = offers["transactions"](Node("n1", ("127.0.0.1",), None), 5.0)  # type: ignore[arg-type]
        assert isinstance(client, protocol)
        client.close()
