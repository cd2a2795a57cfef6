"""Histories in files: both notations, both ways, and whatever may be wrong with them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partita.checker import History, HistoryError

GOOD = b'{"process":0,"type":"invoke","f":"write","value":1}\n'


def _read(tmp_path: Path, text: bytes, name: str = "h.jsonl", keyed: bool | None = None) -> History:
    path = tmp_path / name
    path.write_bytes(text)
    return History.read(path, keyed=keyed)


def _values(history: History) -> list[tuple[Any, ...]]:
    return [(op.process, op.f, op.key, op.input, op.output, op.outcome) for op in history]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"process":0,"type":"ok","f":"write","value":1}', "has invoked nothing"),
        (GOOD + GOOD, "line 2: process 0 invokes write while its write is still under way"),
        (GOOD + b'{"process":0,"type":"ok","f":"read"}', "completes read, but has invoked write"),
        (GOOD + b'{"process":0,"type":"okay","f":"write"}', 'line 2: the type is "okay"'),
        (b'{"process":0,"f":"write"}', "has no type"),
        (b'{"type":"invoke","f":"write"}', "names no process"),
        (b'{"process":0,"type":"invoke"}', "has no f"),
        (b'{"process":1.5,"type":"invoke","f":"read"}', "process is 1.5"),
        (b'{"process":0,"type":"invoke","f":"read","time":"now"}', 'time is "now", not a number'),
        (b"[1, 2]\n", "line 1: not JSON: an event is an object"),
        (b"{'process': 0}\n", "line 1: not JSON"),
        (b'{"process":0 "type":"invoke"}\n', "not JSON: a comma"),
        (b'{"process":0,"type":"invoke","f":"read"} x\n', "something follows the event"),
        (b'{"process":0,\n"type":"invoke"}\n', "line 1: not JSON: the line ends in the middle"),
        (b'{"process":0,"value":"\xff"}\n', "not UTF-8"),
        (b'{"process":0,"value":' + b"[" * 1000 + b"}\n", "nested too deeply"),
        (b"\x7fELF\x02\x01\x01\n", "line 1: not JSON: an event is an object"),
    ],
)
def test_says_what_is_wrong_and_where(tmp_path: Path, text: bytes, reason: str) -> None:
    with pytest.raises(HistoryError) as error:
        _read(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path / 'h.jsonl'}, line ")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"[{:process 0 :type :ok :f :read}]", "line 1: process 0 completes read"),
        (b"{:process 0\n :type :invoke\n :f 1}\n;\n(1)", "line 5: not EDN: an event is a map"),
        (b"{:process 0 :type]}", "a value is missing before ]"),
        (b"{:process 0 :value 1-0}", "not EDN: 1-0 is no number"),
        (b"{:process 0 :value 1.5e+}", "not EDN: 1.5e+ is no number"),
        (b"#_ " * 500 + b"{}", "nested too deeply"),
        (b"{:process 0 :value " + b"[" * 500, "nested too deeply"),
    ],
)
def test_says_what_is_wrong_with_edn(tmp_path: Path, text: bytes, reason: str) -> None:
    with pytest.raises(HistoryError, match=", line ") as error:
        _read(tmp_path, text, "h.edn")
    assert reason in str(error.value)


def test_no_such_file_and_a_directory(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="nothing: No such file or directory"):
        History.read(tmp_path / "nothing")
    with pytest.raises(HistoryError, match="this is a directory"):
        History.read(tmp_path)


@pytest.mark.parametrize("tail", [b'{"process":1,"ty', b'{"process":1,"type":"inv\\u00', b"{"])
def test_a_line_cut_off_by_a_crash_is_left_out_and_said(tmp_path: Path, tail: bytes) -> None:
    history = _read(tmp_path, GOOD + tail)
    assert len(history) == 1
    assert history.notes == ["line 2, the last one, is cut off: what is left of it was left out"]


def test_a_last_line_without_newline_counts(tmp_path: Path) -> None:
    history = _read(tmp_path, GOOD.strip())
    assert (len(history), history.notes) == (1, [])


def test_nul_bytes_left_by_a_crash_are_skipped_and_said(tmp_path: Path) -> None:
    history = _read(tmp_path, GOOD + bytes(9))
    assert len(history) == 1
    assert history.notes == ["9 NUL bytes, which a crash left behind, were skipped"]


def test_edn_cut_off_by_a_crash(tmp_path: Path) -> None:
    text = b"[{:process 0 :type :invoke :f :read :value nil}\n{:process 0 :type :o"
    history = _read(tmp_path, text, "h.edn")
    assert len(history) == 1
    assert history.notes == ["line 2, the last one, is cut off: what is left of it was left out"]


def test_edn_of_all_sorts(tmp_path: Path) -> None:
    text = rb"""
    ; a comment
    ({:process 0, :type :invoke, :f :write, :value "a\"\u00e9\n"} #_ {:ignored 1}
     #jepsen.history.Op{:process :nemesis :type :info :f :start :value [:n1 #{:n2}] :index 1}
     {:index 2 :time 12, :process 0, :type :info, :f :write, :value "a", :error :timed-out}
     {:process 1 :type :invoke :f :read :value nil} ; another
     {:process 1 :type :ok :f :read :value {:a 1.50, 2 (3N \x)}, :extra #inst "2024"})
    """
    history = _read(tmp_path, text, "h.edn")
    assert _values(history) == [
        (0, "write", None, 'a"é\n', None, "info"),
        (1, "read", None, None, {":a": 1.5, "2": [3, "x"]}, "ok"),
    ]
    assert (history.errors, history[0].invoked, int(history.completed_ns[0])) == (
        ["timed-out"],
        -1,
        12,
    )
    (nemesis,) = history.others
    assert (nemesis.rank, nemesis.process, nemesis.f) == (1, "nemesis", "start")
    assert nemesis.value == [":n1", [":n2"]]


def test_maps_line_by_line_and_one_vector_are_the_same(tmp_path: Path) -> None:
    events = [
        b"{:process 0, :type :invoke, :f :cas, :value [1 2]}",
        b"{:process 0, :type :fail, :f :cas, :value [1 2], :error :mismatch}",
    ]
    lines = _read(tmp_path, b"\n".join(events), "lines.edn")
    vector = _read(tmp_path, b"[" + b",".join(events) + b"]", "vector.edn")
    assert _values(lines) == _values(vector)
    assert lines.errors == ["mismatch"]


KEYED = b"""{:process 0 :type :invoke :f :cas :value [:k [1 2]]}
{:process 0 :type :ok :f :cas :value [:k [1 2]]}
{:process 1 :type :invoke :f :read :value [:j nil]}
{:process 1 :type :ok :f :read :value [:j 5]}
"""


def test_pairs_with_keys_are_taken_apart(tmp_path: Path) -> None:
    history = _read(tmp_path, KEYED, "h.edn")
    expected = [(0, "cas", ":k", [1, 2], None, "ok"), (1, "read", ":j", None, 5, "ok")]
    assert _values(history) == expected
    assert "keys were split" in history.notes[0]
    assert _read(tmp_path, KEYED, "h.edn", keyed=True).notes == []
    whole = _read(tmp_path, KEYED, "h.edn", keyed=False)
    assert _values(whole)[1] == (1, "read", None, [":j", None], [":j", 5], "ok")


def test_keyed_on_request_refuses_what_has_no_key(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="process 0 invokes write with 1"):
        _read(tmp_path, GOOD, keyed=True)


WRITE = b"{:process 0 :type :invoke :f :write :value [0 1]}\n"
CAS = b"{:process 1 :type :invoke :f :cas :value %s}\n"
TXN = b"{:process 1 :type :invoke :f :txn :value [[:r 1 nil] [:w 2 2]]}\n"


@pytest.mark.parametrize(
    ("text", "split", "hints"),
    [
        (WRITE + CAS % b"[0 [1 2]]", True, False),
        (WRITE + CAS % b"[0 [1 2]]" + CAS.replace(b"1", b"2") % b"[0 1]", False, False),
        (WRITE + CAS % b"[[0 1] [1 2]]", False, True),
        (WRITE, False, True),
        (WRITE + WRITE.replace(b"process 0", b"process 1").replace(b"[0 1]", b"3"), False, False),
        (TXN, False, False),
    ],
)
def test_without_reads_a_cas_shows_keys(
    tmp_path: Path, text: bytes, split: bool, hints: bool
) -> None:
    history = _read(tmp_path, text, "h.edn")
    assert (history[0].key == 0) == split
    assert any("keys were split" in note for note in history.notes) == split
    assert any("--keyed takes them apart" in note for note in history.notes) == hints
    if hints:
        assert _read(tmp_path, text, "h.edn", keyed=True).notes == []


def test_keys_are_given_once(tmp_path: Path) -> None:
    text = b'{"process":0,"type":"invoke","f":"write","key":"a","value":[1,2]}\n'
    assert _values(_read(tmp_path, text)) == [(0, "write", "a", [1, 2], None, "info")]
    with pytest.raises(HistoryError, match="have a field key"):
        _read(tmp_path, text, keyed=True)


def test_cas_pairs_alone_are_no_keys(tmp_path: Path) -> None:
    text = b'{"process":0,"type":"invoke","f":"cas","value":[1,2]}'
    assert _values(_read(tmp_path, text)) == [(0, "cas", None, [1, 2], None, "info")]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(json_values, max_size=6))
@settings(deadline=None, max_examples=300)
def test_values_come_back_as_they_went_in(values: list[Any]) -> None:
    events = [
        {"process": n, "type": "invoke", "f": "write", "value": value}
        for n, value in enumerate(values)
    ]
    history = History.of_events(events)
    assert [op.input for op in history] == values
    for first in range(len(values)):
        assert history.values.number(values[first]) == history.input[first]
        for second in range(first):
            same = history.input[first] == history.input[second]
            assert same == (_plain(values[first]) == _plain(values[second]))


def _plain(value: Any) -> Any:
    """What Python calls equal and JSON does not: true is not 1."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return ["text", value] if isinstance(value, str) else value


endings = st.sampled_from(["ok", "fail", "info", "nemesis", None])


@pytest.mark.parametrize("name", ["h.jsonl", "h.edn"])
@given(
    operations=st.lists(st.tuples(st.sampled_from(["read", "write"]), json_values, endings)),
    keyed=st.booleans(),
    timed=st.booleans(),
)
@settings(deadline=None, max_examples=150)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    operations: list[tuple[str, Any, str | None]],
    keyed: bool,
    timed: bool,
) -> None:
    path = tmp_path_factory.mktemp("histories") / name
    written = History.of_events(_events(operations, keyed, timed))
    written.write(path)
    again = History.read(path, keyed=keyed and path.suffix == ".edn")
    assert list(again) == list(written)
    for column in ("invoked_rank", "completed_rank", "ended_rank", "completed_ns"):
        assert getattr(again, column).tolist() == getattr(written, column).tolist()
    assert again.others == written.others


def _events(
    operations: list[tuple[str, Any, str | None]], keyed: bool, timed: bool
) -> Iterator[dict[str, Any]]:
    for number, (f, value, ending) in enumerate(operations):
        event = {"process": number, "type": "invoke", "f": f, "value": value}
        if keyed:
            event["key"] = number % 2
        if timed:
            event["time"] = number
        if ending == "nemesis":
            yield {**event, "process": "nemesis", "type": "info", "f": "start", "error": "e e"}
            continue
        yield {**event, "value": None} if f == "read" else event
        if ending is not None:
            yield {**event, "type": ending, "error": None if ending == "ok" else "timeout"}
