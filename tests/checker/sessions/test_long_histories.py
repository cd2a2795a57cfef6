"""Long histories: planted mistakes are all found, reads' ages are right, and it takes no time."""

import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from partita.checker import History
from partita.checker.history import Event
from partita.checker.sessions import registers
from partita.checker.sessions.placing import place
from partita.checker.sessions.sessions import Sessions
from partita.checker.sessions.staleness import staleness
from partita.checker.sessions.versions import resolve

LEVELS = Sessions.levels
Line = dict[str, Any]


def lagging_run(random: Random, operations: int, keys: int = 3, sessions: int = 8) -> list[Line]:
    """Return a run of a store in which every session reads a beginning of all updates.

    Some sessions are fresh, some lag; it keeps ordered-sequential.
    """
    updates: list[tuple[int, int, int]] = []  # key, value, version
    at_key: list[list[int]] = [[] for _ in range(keys)]  # positions in `updates`
    seen = dict.fromkeys(range(sessions), 0)
    lines: list[Line] = []
    for number in range(operations):
        process, key = random.randrange(sessions), random.randrange(keys)
        asked = {"process": process, "type": "invoke", "key": key, "value": None}
        answered: Line = {**asked, "type": "ok", "node": f"n{process % 3}"}
        if random.random() < 0.6:
            lag = random.randrange(20) if process % 2 else 0
            seen[process] = max(seen[process], len(updates) - lag)
            found = [at for at in at_key[key][-25:] if at < seen[process]]
            asked["f"] = answered["f"] = "read"
            if found:
                _, answered["value"], answered["version"] = updates[found[-1]]
        else:
            asked["f"] = answered["f"] = "write"
            asked["value"] = answered["value"] = number
            answered["version"] = 100 + 3 * len(updates)
            at_key[key].append(len(updates))
            updates.append((key, number, answered["version"]))
            seen[process] = len(updates)
        lines += [asked, answered]
    return [{**line, "time": at * 1_000_000} for at, line in enumerate(lines)]


def judged(lines: list[Line]) -> dict[str, Any]:
    return dict(Sessions().judge(History.of_events(lines), LEVELS).levels)


def reads_of(lines: list[Line], random: Random) -> list[Line]:
    """Return the answers to reads that found something, in any order."""
    reads = [line for line in lines if line["type"] == "ok" and line["f"] == "read"]
    reads = [line for line in reads if "version" in line]
    random.shuffle(reads)
    return reads


def older_than_before(lines: list[Line], random: Random) -> bool:
    """Let a session read a version older than one of that key that it has seen."""
    for read in reads_of(lines, random):
        earlier = [
            line
            for line in lines[: lines.index(read)]
            if line["process"] == read["process"]
            and line["key"] == read["key"]
            and line.get("version", 10**9) < read["version"]
        ]
        if len(earlier) > 1:
            # Between the two lies the one that it has seen since.
            read["value"], read["version"] = earlier[-2]["value"], earlier[-2]["version"]
            return earlier[-1]["version"] > earlier[-2]["version"]
    return False


def swapped_writes(lines: list[Line], random: Random) -> bool:
    """Exchange the versions of two writes of one session."""
    process = random.randrange(8)
    own = [line for line in lines if line["process"] == process and line.get("f") == "write"]
    own = [line for line in own if line["type"] == "ok"]
    first, second = sorted(random.sample(range(len(own)), 2))
    pair = {own[first]["version"]: own[second], own[second]["version"]: own[first]}
    swap = {old: line["version"] for old, line in pair.items()}
    for line in lines:
        if line.get("version") in swap:
            line["version"] = swap[line["version"]]
    return True


def wrong_value(lines: list[Line], random: Random) -> bool:
    """Let a read return another value of its key than that of its version."""
    read = reads_of(lines, random)[0]
    others = [
        line["value"]
        for line in lines
        if line["f"] == "write" and line["key"] == read["key"] and line["value"] != read["value"]
    ]
    read["value"] = random.choice(others)
    return True


def lost_value(lines: list[Line], random: Random) -> bool:
    """Let a read find nothing though its session has seen something there."""
    for read in reads_of(lines, random):
        before = lines[: lines.index(read)]
        if any(
            line["process"] == read["process"] and line["key"] == read["key"] and "version" in line
            for line in before
        ):
            read["value"] = None
            del read["version"]
            return True
    return False


MISTAKES: list[Callable[[list[Line], Random], bool]] = [
    older_than_before,
    swapped_writes,
    wrong_value,
    lost_value,
]


@pytest.mark.parametrize("plant", MISTAKES)
def test_every_planted_mistake_is_found(plant: Callable[[list[Line], Random], bool]) -> None:
    planted = 0
    for seed in range(40):
        random = Random(seed)
        lines = lagging_run(random, 400)
        assert judged(lines)["ordered-sequential"] is True, f"seed {seed}"
        if plant(lines, random):
            planted += 1
            assert judged(lines)["sequential"] is False, f"seed {seed}"
    assert planted > 20


def test_a_write_that_time_contradicts_is_found() -> None:
    for seed in range(40):
        random = Random(seed)
        lines = lagging_run(random, 400)
        # The last write gets a version between two early ones.
        last = [line for line in lines if line["f"] == "write" and line["type"] == "ok"][-1]
        for line in lines:
            if line.get("version") == last["version"] and line is not last:
                line["version"] = 104
        last["version"] = 104
        assert judged(lines)["ordered-sequential"] is False, f"seed {seed}"


def test_reads_have_ages() -> None:
    events: list[Line] = []

    def done(at: float, process: int, f: str, value: Any, version: int, node: str = "n1") -> None:
        asked = {"process": process, "f": f, "key": "x", "type": "invoke", "node": node}
        events.append({**asked, "value": None if f == "read" else value, "time": int(at * 1e9)})
        answer = {**asked, "type": "ok", "value": value, "version": version}
        events.append({**answer, "time": int(at * 1e9) + 100_000_000})

    done(1.0, 1, "write", 1, 11)
    done(2.0, 1, "write", 2, 12)
    done(3.0, 1, "write", 3, 13)
    done(4.0, 2, "read", 3, 13)
    done(5.0, 3, "read", 1, 11, "n2")
    done(6.0, 4, "read", 2, 12, "n2")
    judgement = Sessions().judge(History.of_events(events), LEVELS)
    assert judgement.levels["linearizable"] is False
    # Replaced at 2.1 s, and at 3.1 s.
    assert judgement.figures == {
        "reads": 3,
        "stale": 2,
        "oldest_s": 2.9,
        "most_behind": 2,
        "nodes": {
            "n1": {"reads": 1, "stale": 0, "oldest_s": 0.0, "most_behind": 0},
            "n2": {"reads": 2, "stale": 2, "oldest_s": 2.9, "most_behind": 2},
        },
    }
    seen = registers.observe(History.of_events(events))
    resolve(seen)
    found = staleness(place(seen, {}))
    assert found.rows.tolist() == [3, 4, 5]
    assert found.age_s.round(6).tolist() == [0.0, 2.9, 2.9]
    assert found.lag.tolist() == [0, 2, 1]


def test_reads_of_a_store_without_clocks_are_stale_all_the_same() -> None:
    lines: list[Event | Line] = lagging_run(Random(1), 500)
    for line in lines:
        del line["time"]
    figures = Sessions().judge(History.of_events(lines), LEVELS).figures
    assert figures["stale"] > 10 and figures["oldest_s"] is None
    assert figures["most_behind"] > 1


def test_a_long_history_takes_no_time() -> None:
    history = History.of_events(lagging_run(Random(1), 100_000))
    begin = time.process_time()
    judgement = Sessions().judge(history, ["ordered-sequential"])
    # A fifth of a second, where nothing else runs.
    assert time.process_time() - begin < 1
    assert judgement.levels == {"ordered-sequential": True}
