"""Histories: events in, columns inside, operations out."""

import gc
from pathlib import Path
from typing import Any

import pytest

from partita.checker import Event, History, HistoryError


def test_operations_come_out_as_they_went_in() -> None:
    history = History.of_events(
        [
            {"time": 1, "type": "invoke", "process": 0, "f": "write", "key": "a", "value": 5},
            {"time": 2, "type": "invoke", "process": 1, "f": "read", "key": "a", "value": None},
            {"time": 3, "type": "ok", "process": 1, "f": "read", "key": "a", "value": 5},
            {"time": 4, "type": "info", "process": 0, "f": "write", "key": "a", "error": "timeout"},
        ]
    )
    write, read = history
    assert (write.f, write.key, write.input, write.outcome) == ("write", "a", 5, "info")
    assert (write.error, write.completed) == ("timeout", None)
    assert (read.output, read.outcome, read.completed) == (5, "ok", 3)


VERSIONED: list[dict[str, Any]] = [
    {"type": "invoke", "process": 7, "f": "watch", "value": None, "session": "0x1"},
    {"type": "invoke", "process": 8, "f": "write", "value": 3},
    {"type": "event", "process": 7, "f": "watch", "value": [3, None], "key": "k", "version": 11},
    {"type": "ok", "process": 8, "f": "write", "value": 3, "version": 2**62, "raft": {"term": 4}},
    {"type": "event", "process": 9, "f": "lost", "value": None, "session": "0x2", "node": "n1"},
    {"type": "info", "process": 7, "f": "watch", "value": None, "session": "0x3"},
    {"type": "info", "process": "nemesis", "f": "start", "value": None, "seed": [1, 2]},
]


def _versioned_is_there(history: History) -> None:
    assert history.version.tolist() == [-1, 2**62]
    assert [op.version for op in history] == [-1, 2**62]
    watch, lost, nemesis = history.others
    assert watch == Event(2, -1, 7, "event", "watch", [3, None], version=11, key="k", fields={})
    assert (lost.process, lost.fields) == (9, {"session": "0x2", "node": "n1"})
    assert (nemesis.process, nemesis.version, nemesis.fields) == ("nemesis", -1, {"seed": [1, 2]})
    assert history.extra("session") == {0: "0x3"}
    assert history.extra("raft") in ({1: {"term": 4}}, {1: {":term": 4}})
    assert history.extra("nothing") == {}


def test_versions_events_of_clients_and_further_fields_are_kept() -> None:
    history = History.of_events(VERSIONED)
    _versioned_is_there(history)
    assert history[0].outcome == "info"
    assert history.extras.of(0) == {"session": "0x1"}


@pytest.mark.parametrize("name", ["h.jsonl", "h.edn"])
def test_they_are_written_and_read_again(tmp_path: Path, name: str) -> None:
    written = History.of_events(VERSIONED)
    written.write(tmp_path / name)
    again = History.read(tmp_path / name)
    _versioned_is_there(again)
    assert again.others == written.others
    assert list(again) == list(written)
    assert again.extras.of(0) == {"session": "0x1"}


def test_a_version_that_is_no_number_is_a_further_field() -> None:
    write = {"type": "invoke", "process": 8, "f": "write", "value": 3}
    history = History.of_events([write, {**write, "type": "ok", "version": "v2"}])
    assert (history[0].version, history.extra("version")) == (-1, {0: "v2"})


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".edn"])
@pytest.mark.parametrize("number", [5.2, 1e300, -1.5, 10**19])
def test_no_part_of_a_number_that_is_not_whole_is_a_version_or_an_index(
    tmp_path: Path, suffix: str, number: float
) -> None:
    write = {"type": "invoke", "process": 8, "f": "write", "value": 3}
    more = {"version": number, "index": number}
    told = {"type": "event", "process": 8, "f": "seen", **more}
    written = History.of_events([write, {**write, "type": "ok", **more}, told])
    written.write(tmp_path / f"h{suffix}")
    for history in (written, History.read(tmp_path / f"h{suffix}")):
        assert (history[0].version, history.extra("version")) == (-1, {0: number})
        assert history.extra("index") == {0: number}
        (event,) = history.others
        assert (event.version, dict(event.fields)) == (-1, more)


def test_a_version_that_is_whole_however_it_is_written() -> None:
    write = {"type": "invoke", "process": 8, "f": "write", "value": 3}
    history = History.of_events([write, {**write, "type": "ok", "version": 5.0}])
    assert (history[0].version, history.extra("version")) == (5, {})


def test_only_the_fields_of_chosen_operations_go_with_them() -> None:
    chosen = History.of_events(VERSIONED).select(History.of_events(VERSIONED).process.argsort()[1:])
    assert (len(chosen), chosen.extra("raft"), chosen.extra("session")) == (1, {0: {"term": 4}}, {})


def test_fields_of_a_line_that_was_cut_off_are_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    path.write_text('{"type":"invoke","process":0,"f":"read","a":1}\n{"b":2,"process":')
    assert History.read(path).extras.names in (("a",), ("a", "b"))
    assert History.read(path).extra("b") == {}
    assert len(History.read(path).extras) == 1


def test_another_type_is_still_refused() -> None:
    with pytest.raises(HistoryError, match="only invoke, ok, fail, info and event are known"):
        History.of_events([{"type": "evnt", "process": 0, "f": "read"}])


def test_further_fields_of_many_events_are_those_of_each() -> None:
    told = [
        {"time": at, "type": "event", "process": 1, "f": "x", "value": [at], "key": "k"}
        | ({"stream": "s", "batch": at, "list": [1]} if at % 3 else {})
        for at in range(30)
    ]
    history = History.of_events(told)
    ranks = [event.rank for event in history.others]
    assert list(history.extras.of_each(ranks)) == [dict(history.extras.of(at)) for at in ranks]
    assert [dict(event.fields) for event in history.others] == [
        {name: value for name, value in each.items() if name in ("stream", "batch", "list")}
        for each in told
    ]
    # What somebody could change is nobody else's.
    first, second = history.others[1], history.others[2]
    assert first.fields["list"] is not second.fields["list"]


def test_the_collector_goes_on_after_a_file_was_read(tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    path.write_text("nonsense\n")
    with pytest.raises(HistoryError):
        History.read(path)
    assert gc.isenabled()


def test_several_values_are_what_each_is_by_itself(tmp_path: Path) -> None:
    values = [3, "x", None, [1, 2], [1, 2, 3], {"a": 1}, -7, 2.5, "x", True, "\0set", []]
    write = {"type": "invoke", "f": "write"}
    events = [{**write, "process": at, "value": each} for at, each in enumerate(values)]
    histories = [History.of_events(events)]
    (tmp_path / "history.edn").write_text(
        "".join(
            f"{{:process {at} :type :invoke :f :write :value {value}}}\n"
            for at, value in enumerate(["#{2 1}", '":a"', ":a", '"x"', "#{}", "[#{1}]"])
        )
    )
    histories.append(History.read(tmp_path / "history.edn"))
    for history in histories:
        expected = [each.input for each in history]
        found = history.values.several(history.input)
        assert found == expected
        assert [type(each) for each in found] == [type(each) for each in expected]
        assert history.values.several(history.input[:0]) == []
