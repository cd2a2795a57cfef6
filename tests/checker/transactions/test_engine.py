"""The engine for transactions, against the reference and against the raw history."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from seeds import how_many
from transaction_histories import Kind, random_history
from transactions_told import concurrent, history, sequential

from partita.checker import History, HistoryError
from partita.checker.transactions.analysis import Edge
from partita.checker.transactions.engine import analyse
from partita.checker.transactions.isolation import closure, named
from partita.checker.transactions.reference import Order, allowed

# A million takes hours: PARTITA_HISTORIES=1000000.
HISTORIES = how_many(1_000)
ORDERS: tuple[Order, ...] = ("strong", "strong-session", "")


@pytest.mark.parametrize("kind", ["append", "register"])
def test_it_agrees_with_the_reference(kind: Kind) -> None:
    """Where a list's last state is read, nothing is open: then both must say the same."""
    for seed in range(HISTORIES):
        given = History.of_events(random_history(Random(seed), kind, final=seed % 2 == 0))
        analysis = analyse(given)
        if not analysis.decided:
            continue
        violated = closure(analysis.violated)
        exact = kind == "append" and seed % 2 == 0
        for model in ("serializable", "snapshot-isolation"):
            for order in ORDERS:
                name = named(f"{order}-{model}".removeprefix("-"))
                holds = allowed(given, model, order)
                assert not (holds and name in violated), (seed, name)
                assert holds or not exact or name in violated, (seed, name)
        for model in ("read-committed", "read-atomic"):
            assert not (model in violated and allowed(given, model)), (seed, model)


@pytest.mark.parametrize("kind", ["append", "register"])
def test_each_edge_of_an_example_stands_in_the_history(kind: Kind) -> None:
    checked = 0
    for seed in range(HISTORIES):
        given = History.of_events(random_history(Random(seed), kind, final=seed % 2 == 0))
        for anomaly in analyse(given).anomalies.values():
            for example in anomaly.examples:
                following = [*example.edges[1:], *example.edges[:1]]
                for edge, after in zip(example.edges, following, strict=True):
                    assert edge.target == after.source, seed
                    assert _stands(given, edge), (seed, edge)
                    checked += 1
    assert checked > HISTORIES / 10


def _stands(given: History, edge: Edge) -> bool:
    source, target = given[edge.source], given[edge.target]
    if edge.relation == "realtime":
        return bool(given.completed_rank[edge.source] < given.invoked_rank[edge.target])
    if edge.relation == "process":
        return source.process == target.process and edge.source < edge.target
    wrote = {"ww": (source, edge.before), "wr": (source, edge.before)}.get(edge.relation)
    read = {"wr": (target, edge.before), "rw": (source, edge.before)}.get(edge.relation)
    overwrote = None if edge.relation == "wr" else (target, edge.after)
    return (
        (wrote is None or _wrote(wrote[0], edge.key, wrote[1]))
        and (overwrote is None or _wrote(overwrote[0], edge.key, overwrote[1]))
        and (read is None or _read(read[0], edge.key, read[1]))
    )


def _wrote(op: Any, key: Any, value: Any) -> bool:
    return any(f != "r" and (k, v) == (key, value) for f, k, v in op.input)


def _read(op: Any, key: Any, value: Any) -> bool:
    first = next((f, v) for f, k, v in op.output if k == key)
    last = (first[1][-1] if first[1] else None) if isinstance(first[1], list) else first[1]
    return first[0] == "r" and last == value


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        ([concurrent("ax1 ay1", "ax2 ay2", "rx12 ry21")], {"G0"}),
        ([concurrent("fail:ax1", "rx1")], {"G1a"}),
        ([concurrent("ax1 ax2", "rx1", "rx12")], {"G1b", "G-single"}),
        ([concurrent("ax1 ry1", "ay1 rx1")], {"G1c"}),
        ([concurrent("ax1 ay1", "rx1 ry_", "ry1")], {"G-single"}),
        ([concurrent("rx_ ay1", "ry_ ax1", "rx1 ry1")], {"G2-item"}),
        ([concurrent("info:ax1 ay1", "rx1 ry_")], {"G-single"}),
        ([concurrent("ax1 ax2", "rx21")], {"G1b", "incompatible-order"}),
        ([concurrent("ax1", "ay1", "rx1 ry_", "rx_ ry1")], {"G-nonadjacent"}),
        ([concurrent("rx_ ax1", "rx_ ax2", "rx12")], {"lost-update", "G-single"}),
        ([sequential("ax1"), sequential("rx_", process=1)], {"lost-append", "G-single-realtime"}),
        ([sequential("ax1", "rx_"), sequential("rx1", process=1)], {"G-single-process"}),
        ([concurrent("ax1", "rx11")], {"duplicate-elements"}),
        ([concurrent("ax1", "ax2", "rx12", "rx21")], {"incompatible-order"}),
        ([concurrent("ax1 rx_", "rx1")], {"internal"}),
        ([concurrent("rx1 ax1")], {"future-read"}),
        ([concurrent("rx7", "ax1")], {"garbage-read"}),
        ([concurrent("fail:ax1", "ax2", "rx12")], {"G1a", "dirty-update"}),
    ],
)
def test_each_anomaly_has_its_name(parts: list[Any], names: set[str]) -> None:
    assert set(analyse(history(*parts)).anomalies) == names


def _told(parts: list[Any], versions: list[int]) -> History:
    events = [event for part in parts for event in part]
    left = iter(versions)
    return History.of_events(
        {**event, "version": next(left)} if event["type"] == "ok" else event for event in events
    )


def test_revisions_that_explain_all_are_a_proof() -> None:
    analysis = analyse(_told([sequential("wx1", "wx2", "rx2")], [5, 7, 9]))
    assert (analysis.decided_by, analysis.violated, analysis.anomalies) == (
        "revisions",
        frozenset(),
        {},
    )


def test_revisions_that_contradict_what_was_read_are_a_finding_and_decide_nothing() -> None:
    analysis = analyse(_told([sequential("ax1", "ax2", "rx12")], [7, 5, 9]))
    assert set(analysis.anomalies) == {"revision-mismatch"}
    assert (analysis.decided_by, analysis.violated) == ("values", frozenset())


def test_revisions_that_real_time_contradicts_are_no_proof() -> None:
    analysis = analyse(_told([sequential("wx1", "wy1", "rx1 ry1")], [7, 5, 9]))
    assert (analysis.decided_by, analysis.anomalies) == ("values", {})
    assert analysis.figures["revisions"] == "stale"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([sequential("ax1", "ax1")], "events 2 and 4: 1 is written twice"),
        ([sequential("ax1", "wx2", register=False)], "a list and a register"),
    ],
)
def test_nothing_is_inferred_from_bad_input(parts: list[Any], words: str) -> None:
    with pytest.raises(HistoryError, match=words):
        analyse(history(*parts))


def test_a_history_without_reads_is_undecided() -> None:
    assert not analyse(history(sequential("ax1", "ay1"))).decided


def test_rules_that_contradict_each_other_are_named() -> None:
    parts = [sequential("wx1", "wx2"), sequential("rx1", process=1, register=True)]
    assert not analyse(history(*parts)).anomalies
    found = analyse(history(*parts), linearizable_keys=True).anomalies["cyclic-versions"]
    assert found.examples[0].facts["rules"] == ("linearizable-keys", "linearizable-keys")


def test_what_a_process_saw_in_turn_stands_in_that_order_if_that_is_asked() -> None:
    parts = [sequential("wx1", "wx2"), sequential("rx2", "rx1", process=1, register=True)]
    assert not analyse(history(*parts)).anomalies
    found = analyse(history(*parts), sequential_keys=True).anomalies["cyclic-versions"]
    assert found.examples[0].facts["rules"] == ("sequential-keys", "sequential-keys")


def test_one_stale_read_is_found_without_much_search() -> None:
    """Most edges that a cycle could begin with lead where none can be."""
    valid = analyse(History.of_events(_updates(stale_at=-1)))
    assert not valid.anomalies
    analysis = analyse(History.of_events(_updates(stale_at=1_000)))
    assert {"G-single", "G-nonadjacent", "G2-item"} <= set(analysis.anomalies)
    assert analysis.figures["largest"] > 100
    assert analysis.figures["visits"] < analysis.figures["edges"]


@pytest.mark.parametrize("count", [2_000, 35_000])  # the longer one is looked at by two threads
def test_what_is_wrong_first_is_said(count: int) -> None:
    events = list(_updates(stale_at=-1, count=count))
    ends = [at for at, event in enumerate(events) if event["type"] == "ok"]
    twice, differs = ends[count // 2], ends[count // 4]
    events[twice]["value"][2] = events[ends[0]]["value"][2]
    with pytest.raises(HistoryError, match="is written twice"):
        analyse(History.of_events(events))
    events[differs]["value"][1][1] = 99
    with pytest.raises(HistoryError, match=f"event {differs + 1:,}: .* not do what was invoked"):
        analyse(History.of_events(events))


def test_long_histories_show_what_short_ones_do() -> None:
    events = list(_updates(stale_at=1_000, count=35_000))
    values = analyse(History.of_events(events))
    assert {"G-single", "G-nonadjacent", "G2-item"} <= set(values.anomalies)
    for revision, event in enumerate(each for each in events if each["type"] == "ok"):
        event["version"] = revision + 1
    told = analyse(History.of_events(events))
    assert set(told.anomalies) - set(values.anomalies) == {"revision-mismatch"}


def _updates(stale_at: int, count: int = 2_000) -> Iterator[dict[str, Any]]:
    """Yield transactions that read two registers and write one, some under way together.

    One reads what was there a while ago.
    """
    random, held, number = Random(1), {key: [0] for key in range(20)}, 0
    under_way: dict[int, list[list[Any]]] = {}
    while number < count or under_way:
        process = random.randrange(10)
        event = {"process": process, "f": "txn"}
        if process in under_way:
            yield {**event, "type": "ok", "value": under_way.pop(process)}
        elif number < count:
            number += 1
            key, other = random.sample(range(20), 2)
            old = held[other][-20 if number == stale_at else -1]
            steps = [["r", key, held[key][-1] or None], ["r", other, old], ["w", key, number]]
            yield {**event, "type": "invoke", "value": [[f, k, None] if f == "r" else [f, k, v]
                                                        for f, k, v in steps]}  # fmt: skip
            under_way[process] = [[f, k, v or None] for f, k, v in steps]
            held[key].append(number)
