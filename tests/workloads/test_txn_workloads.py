"""The workloads of transactions, over a store in memory: what they ask, and what they answer."""

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from loaded import loaded
from replayed import contradictions
from transactions_in_memory import Database, Memory, always

from partita.checker import History
from partita.workloads.client import Answer, Definite, Indefinite, Mismatch
from partita.workloads.generator import Generator
from partita.workloads.micro_operations import Drawing, FinalReads, carry_out
from partita.workloads.txn_append import TxnAppend
from partita.workloads.txn_register import TxnRegister

APPEND, READ = ["append", "x", 1], ["r", "y", None]


def drawing(prefix: str = "k", **changed: Any) -> Drawing:
    settings = {"keys": 4, "writes_per_key": 50, "length": 4, "read_only": 0.25} | changed
    return Drawing("append", prefix, **settings)


def done(client: Any, *operations: list[Any], guard: str = "all", retries: int = 5) -> Answer:
    return carry_out(client, operations, guard, retries, 1e12)


def test_what_is_drawn_depends_on_the_seed_alone() -> None:
    def drawn(seed: int) -> list[Any]:
        random, draws = Random(seed), drawing()
        return [draws.draw(random, number) for number in range(200)]

    assert drawn(1) == drawn(1) != drawn(2)


def test_values_are_new_and_some_transactions_only_read() -> None:
    random, draws = Random(1), drawing()
    all_drawn = [draws.draw(random, number) for number in range(2000)]
    values = [value for each in all_drawn for f, _, value in each if f == "append"]
    assert len(set(values)) == len(values) > 2000
    only_read = sum(all(f == "r" for f, _, _ in each) for each in all_drawn)
    assert 400 < only_read < 600
    assert max(map(len, all_drawn)) == 4
    assert min(map(len, all_drawn)) == 1


def test_keys_are_replaced_when_they_were_written_often_enough() -> None:
    random, draws = Random(1), drawing()
    written = Counter(
        key for number in range(4000) for f, key, _ in draws.draw(random, number) if f == "append"
    )
    whole = [count for key, count in written.items() if 8 <= int(key[1:]) < len(written) - 8]
    assert len(whole) > 60
    assert 45 < sum(whole) / len(whole) < 55
    # In use at the end: four, and the four whose places they took.
    assert len(draws.last_keys()) == 8
    newest = max(written, key=lambda key: int(key[1:]))
    assert newest in draws.last_keys()


def test_keys_that_were_replaced_are_still_read_at_times() -> None:
    random, draws = Random(1), drawing(keys=1)
    read = Counter[int]()
    for number in range(300):
        operations = draws.draw(random, number)
        places = {key: place for place, key in enumerate(reversed(draws.last_keys()))}
        read.update(places[key] for f, key, _ in operations if f == "r")
    assert 10 < read[1] < read[0] / 4


def test_the_final_reads_are_of_all_keys_in_use_a_few_at_a_time() -> None:
    draws = drawing(keys=50)
    final = FinalReads(draws)
    asked = [[key for _, key, _ in final.next()] for _ in final]
    assert [key for keys in asked for key in keys] == draws.last_keys()
    assert max(map(len, asked)) == 30


def test_registers_are_read_before_they_are_written() -> None:
    for rmw in (True, False):
        workload, random = TxnRegister(rmw=rmw), Random(1)
        asked = [workload.draw(random, number)[2] for number in range(300)]
        blind = [each for each in asked if _writes_blindly(each)]
        assert bool(blind) != rmw


def _writes_blindly(operations: list[Any]) -> bool:
    known: set[str] = set()
    for f, key, _ in operations:
        if f != "r" and key not in known:
            return True
        known.add(key)
    return False


def test_operations_see_what_those_before_them_did_and_writes_of_a_key_become_one() -> None:
    store = Memory()
    done(store, ["append", "x", 0])
    answer = done(
        store, ["r", "x", None], ["append", "x", 1], ["r", "x", None], READ, [*APPEND[:2], 2]
    )
    assert answer.value == [
        ["r", "x", [0]], ["append", "x", 1], ["r", "x", [0, 1]], READ, ["append", "x", 2],
    ]  # fmt: skip
    assert answer.version == 2
    # y was never written, and what it read of its own has the version of the commit.
    assert answer.fields == {"versions": [1, 2, 2, None, 2], "folded": 1, "retries": 0}
    assert store.values["x"].value == "[0,1,2]"
    answer = done(store, ["w", "z", 3], ["w", "z", 4], ["r", "z", None])
    assert answer.value == [["w", "z", 3], ["w", "z", 4], ["r", "z", 4]]


def test_a_refused_commit_begins_again_and_not_for_ever() -> None:
    store = Memory(*always(Mismatch, 2))
    assert done(store, APPEND).fields["retries"] == 2
    assert store.calls == ["snapshot", "commit"] * 3
    store = Memory(*always(Mismatch, 9))
    with pytest.raises(Mismatch) as mismatch:
        done(store, APPEND, retries=3)
    assert mismatch.value.fields == {"retries": 3}
    assert store.calls == ["snapshot", "commit"] * 4
    with pytest.raises(Mismatch) as mismatch:
        carry_out(Memory(*always(Mismatch, 9)), [APPEND], "all", 5, until=0.0)
    assert mismatch.value.fields == {"retries": 0}


def test_a_commit_without_an_answer_is_never_sent_again() -> None:
    for trouble in (Indefinite("lost"), ConnectionError("gone")):
        store = Memory(None, trouble)
        with pytest.raises(type(trouble)):
            done(store, APPEND)
        assert store.calls == ["snapshot", "commit"]
    database = Database(Indefinite("lost"))
    with pytest.raises(Indefinite):
        done(database, APPEND, guard="store")
    assert database.calls == ["execute"]


def test_what_only_reads_had_no_effect() -> None:
    with pytest.raises(Definite, match="could not read first: lost"):
        done(Memory(Indefinite("lost")), APPEND)
    with pytest.raises(Definite, match="could not check what it had read: lost"):
        done(Memory(None, Indefinite("lost"), settled=False), READ)


def test_what_was_not_read_at_one_moment_is_checked() -> None:
    store = Memory()
    assert done(store, READ).version == 0
    assert store.calls == ["snapshot"]
    store = Memory(settled=False)
    done(store, READ)
    assert store.calls == ["snapshot", "commit"]
    store = Memory(settled=False)
    done(store, READ, guard="writes")  # asked to compare nothing but what it writes
    assert store.calls == ["snapshot"]


def test_whole_transactions_are_used_where_they_are_unless_guards_are_asked_for() -> None:
    store = Database()
    assert done(store, APPEND, READ, guard="store") == Answer([APPEND, READ], 7, {"retries": 0})
    assert done(Database(Mismatch()), APPEND, guard="store").fields == {"retries": 1}
    store.calls.clear()
    done(store, APPEND)
    assert store.calls == ["snapshot", "commit"]


@pytest.mark.parametrize("workload", [TxnAppend, TxnRegister])
@pytest.mark.parametrize("settled", [True, False])
def test_what_is_guarded_happens_at_one_point(tmp_path: Path, workload: Any, settled: bool) -> None:
    store = Memory(settled=settled, slow=0.001)
    history = load(workload(keys=2, writes_per_key=20), store, tmp_path)
    assert contradictions(history) == []
    assert {op.outcome for op in history} <= {"ok", "fail"}
    # Those that failed say how often they were refused, too.
    assert len(history.extra("retries")) == len(history)
    assert sum(history.extra("retries").values()) > 10


@pytest.mark.parametrize("workload", [TxnAppend, TxnRegister])
def test_guards_on_what_is_written_let_write_skew_in(tmp_path: Path, workload: Any) -> None:
    """Which is snapshot isolation: the instrument must see that it is that, and no more."""
    asked = workload(keys=2, writes_per_key=20, guard="writes")
    history = load(asked, Memory(slow=0.002), tmp_path)
    assert {op.version for op in history} == {-1}
    (check,) = asked.checks
    judgement = check.judge(history, check.levels)
    assert judgement.levels["serializable"] is False
    assert judgement.levels["snapshot-isolation"] is True
    assert "G2-item" in {each["name"] for each in judgement.figures["anomalies"]}


def load(workload: Any, store: Memory, path: Path) -> History:
    return loaded(workload, [lambda: store], path / "history.jsonl", seconds=0.7, workers=4)


def test_a_generator_draws_transactions() -> None:
    workload = TxnAppend()
    generator = Generator(workload.draw, place=0, places=1, rate=0, time_limit=60, seed=1)
    request = generator.next(0)
    assert request is not None
    assert (request.f, request.key) == ("txn", None)
    assert workload.prepare("txn", None, request.input) is request.input
