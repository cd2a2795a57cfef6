"""The Trace Event export: what viewers rely on."""

from collections import defaultdict

import pytest
from synthetic_run import Story, write_run

from partita.reports import read_run
from partita.reports.trace import trace_of


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    directory = write_run(
        tmp_path_factory.mktemp("runs") / "run", Story(seconds=40, cut=5, heal=30)
    )
    return trace_of(read_run(directory))["traceEvents"]


def test_every_event_has_what_the_format_asks_for(events: list[dict]) -> None:
    assert all({"ph", "name", "pid", "tid"} <= event.keys() for event in events)
    assert all(event["ph"] == "M" or event["ts"] >= 0 for event in events)
    assert all(event["dur"] >= 0 for event in events if event["ph"] == "X")
    assert all("id" in event for event in events if event["ph"] in "be")


def test_slices_of_a_worker_do_not_overlap(events: list[dict]) -> None:
    lanes = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            lanes[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for spans in lanes.values():
        spans.sort()
        ends = [end for _, end in spans]
        assert all(end <= begin + 1e-3 for end, (begin, _) in zip(ends, spans[1:], strict=False))


def test_faults_leaders_and_doubts_are_there(events: list[dict]) -> None:
    names = {event["args"]["name"] for event in events if event["ph"] == "M"}
    assert {"cluster", "fault 1", "n1", "n5 leads"} <= names
    (fault,) = [event for event in events if event.get("cat") == "fault"]
    assert (fault["ts"], fault["name"]) == (5e6, "partition n1 n2 | n3 n4 n5")
    begun = {event["id"] for event in events if event["ph"] == "b"}
    ended = {event["id"] for event in events if event["ph"] == "e"}
    assert begun == ended != set()
