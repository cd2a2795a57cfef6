"""Cases that others have published, in our own words: the right anomaly, and its right name.

Each was discussed with Elle: in its paper (Kingsbury and Alvaro, 2020), in issues of it and of
Jepsen, or in an analysis of a database.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from transactions_told import Event, concurrent, sequential

from partita.checker import History
from partita.checker.checks import Judgement
from partita.checker.transactions.transactions import Transactions

CORPORA = Path(
    os.environ.get("PARTITA_CORPORA") or Path(__file__).parents[4] / "shared" / "corpora"
)


@dataclass(frozen=True, slots=True)
class Case:
    """A history, its anomalies, a model that cannot hold, and one that can."""

    parts: Sequence[Sequence[Event]]
    names: set[str]
    broken: str
    holds: str
    settings: dict[str, bool]


def case(*parts: Sequence[Event], names: str, broken: str, holds: str, **settings: bool) -> Case:
    return Case(parts, set(names.split()), broken, holds, settings)


CASES = {
    # Its first transaction missed an append, and its own stands behind that.
    "paper, TiDB: a retry on top of a newer state": case(
        sequential("ax2", "ax1", process=9),
        concurrent("rx21 ay5 ax4", "ax5"),
        sequential("rx2154", process=5),
        names="G-single",
        broken="snapshot-isolation",
        holds="strong-read-committed",
    ),
    "paper, YugaByte: each missed the other's append": case(
        sequential("ax1", "ay1", process=9),
        concurrent("ax2 ry1", "ay2 rx1"),
        sequential("rx12 ry12", process=5),
        names="G2-item",
        broken="serializable",
        holds="strong-snapshot-isolation",
    ),
    "paper, FaunaDB: an append that its own transaction did not find": case(
        sequential("ax6 rx_", "rx6"),
        names="internal",
        broken="read-atomic",
        holds="strong-read-committed",
    ),
    # With a retry another copy took effect.
    "MongoDB 4.2: what was appended once stands there twice": case(
        sequential("ax1", "ax2", "rx122"),
        names="duplicate-elements",
        broken="read-uncommitted",
        holds="",
    ),
    "MongoDB 4.2: a transaction read its own append before it made it": case(
        sequential("rx1 ax1", "rx1"),
        names="future-read",
        broken="read-committed",
        holds="strong-read-uncommitted",
    ),
    # Two leaders, each with a log of its own: neither list is the beginning of the other.
    "Redis-Raft, and issue 482 of Jepsen: diverging states": case(
        concurrent("ax1", "ax2"),
        concurrent("rx1", "rx2", start=5),
        names="incompatible-order",
        broken="read-committed",
        holds="strong-read-uncommitted",
    ),
    "issue 482 of Jepsen: an update lost, as phenomenon P4 has it": case(
        concurrent("rx_ ax1", "rx_ ax2"),
        sequential("rx12", process=5),
        names="lost-update G-single",
        broken="cursor-stability",
        holds="strong-read-committed",
    ),
    "PostgreSQL of several sites: two readers, two orders": case(
        concurrent("ax1", "ay1", "rx1 ry_", "rx_ ry1"),
        names="G-nonadjacent",
        broken="snapshot-isolation",
        holds="strong-read-committed",
    ),
    # A client that sent a transaction again was told that it failed, though the first one had not.
    "issue 14890 of etcd: what failed was seen all the same": case(
        concurrent("fail:rx_ ax1"),
        sequential("rx1", process=5),
        names="G1a",
        broken="read-committed",
        holds="strong-read-uncommitted",
    ),
    "issue 14890 of etcd: each saw what the other wrote": case(
        concurrent("ax1 ry1", "ay1 rx1"),
        names="G1c",
        broken="read-committed",
        holds="strong-read-uncommitted",
    ),
    "issue 8 of Elle: w x 1, r x 2": case(
        sequential("wx1"),
        sequential("rx2", register=True),
        names="garbage-read",
        broken="read-committed",
        holds="strong-read-uncommitted",
    ),
    # Said to be a lost update. It is none: 2 is no initial value, but what that one wrote itself.
    "issue 28 of Elle: who read 2 and wrote 2": case(
        concurrent("rx2 wx2", "rx2 wx3"),
        names="future-read",
        broken="read-committed",
        holds="strong-read-uncommitted",
    ),
    # Serializable, as the database promises, and stale for whoever knows the time.
    "issue 27 of Elle: the later of two appends, without the earlier": case(
        [each for each in concurrent("rx_ ry2") if each["type"] == "invoke"],
        sequential("ax1", "ay2", process=1),
        [each for each in concurrent("rx_ ry2") if each["type"] == "ok"],
        names="G-single-process",
        broken="strong-session-snapshot-isolation",
        holds="serializable",
    ),
    "issue 47 of elle-cli: a register that went back": case(
        sequential("rx_", register=True, process=1),
        sequential("rx_", register=True, process=2),
        sequential("wx100", process=1),
        sequential("wx200", process=2),
        sequential("rx200", register=True, process=1),
        sequential("rx100", register=True, process=2),
        names="cyclic-versions",
        broken="read-uncommitted",
        holds="",
        linearizable_keys=True,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_published_case_has_its_name(name: str) -> None:
    given = CASES[name]
    events = [event for part in given.parts for event in part]
    found = judged(History.of_events(events), **given.settings)
    assert names_of(found) == given.names
    assert found.levels[given.broken] is False
    assert not given.holds or found.levels[given.holds] is True


@pytest.mark.parametrize(
    ("file", "name", "broken", "holds"),
    [
        ("txn-ok-only.edn", "G1c", "serializable", "read-uncommitted"),
        ("txn-session-cycle.edn", "G1c-process", "strong-session-snapshot-isolation",
         "serializable"),
    ],
)  # fmt: skip
def test_the_histories_of_the_trials(file: str, name: str, broken: str, holds: str) -> None:
    path = CORPORA / "trials" / file
    if not path.is_file():
        pytest.skip(f"no {path}: name the folder in PARTITA_CORPORA")
    found = judged(History.read(path))
    assert names_of(found) == {name}
    assert found.levels[broken] is False
    assert found.levels[holds] is True


def judged(given: History, **settings: Any) -> Judgement:
    check = Transactions(**settings)
    return check.judge(given, check.levels)


def names_of(found: Judgement) -> set[str]:
    return {each["name"] for each in found.figures["anomalies"]}
