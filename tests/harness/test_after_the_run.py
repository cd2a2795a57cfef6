"""What is looked at when a run is over: what each node has itself, and what the logs say."""

import json
from collections.abc import Mapping
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import click
import pytest
from conftest import Partita
from registers_in_memory import Registers
from store_servers import needs_etcd

from partita.checker import History
from partita.checker.logs import LEVEL as QUIET
from partita.checker.logs import Logs
from partita.checker.replicas import LEVEL, Replicas
from partita.harness.run import replicas
from partita.harness.run.any_run import worse
from partita.harness.run.journal import Journal
from partita.harness.run.logs import Alarms, alarms_of, scan
from partita.harness.systems.etcd import EtcdClient
from partita.harness.systems.etcd_collections import EtcdCollections
from partita.harness.systems.zookeeper import ZooKeeper
from partita.nemesis.schedule import parse
from partita.workloads.bank import Bank
from partita.workloads.capabilities.transactions import Seen, Snapshot
from partita.workloads.queue import Queue
from partita.workloads.register import Register
from partita.workloads.set import SetWorkload
from partita.workloads.txn_append import TxnAppend
from partita.workloads.txn_register import TxnRegister
from partita.workloads.watch import Watch


class Store:
    """A store of which each node has registers of its own; `lag` keeps what a write reaches."""

    def __init__(self, *own: Mapping[str, str], forgets: str = "", late: int = 0) -> None:
        self.registers = [Registers() for _ in own]
        for register, values in zip(self.registers, own, strict=True):
            register.values |= values
        self._forgets = forgets  # the node that no write reaches
        self._late = late  # so many reads of the last node come before what was written
        self._waiting: dict[str, str] = {}

    @property
    def offers(self) -> Any:
        return {"registers": lambda node, timeout: self}

    @property
    def replicas(self) -> Any:
        def own(node: Any, timeout: float) -> Any:
            def read(key: str) -> str | None:
                return self._read(node.name, key)

            def members(key: str) -> list[str]:
                return (read(key) or "").split()

            def snapshot(keys: list[str]) -> Snapshot:
                return Snapshot([Seen(read(key)) for key in keys])

            calls = {"read": read, "members": members, "snapshot": snapshot}
            return SimpleNamespace(**calls, close=lambda: None)

        return {"registers": own, "sets": own, "queues": own, "transactions": own}

    def write(self, key: str, value: str) -> None:
        for number, register in enumerate(self.registers, 1):
            if f"n{number}" != self._forgets:
                target = self._waiting if self._late and number == 3 else register.values
                target[key] = value

    def close(self) -> None: ...

    def _read(self, node: str, key: str) -> str | None:
        number = int(node[1:]) - 1
        if number == 2 and self._late:
            self._late -= 1
            if not self._late:
                self.registers[2].values |= self._waiting
        return self.registers[number].read(key)


class Broken:
    """A system whose property fails."""

    name = "broken"

    @property
    def replicas(self) -> Any:
        raise ValueError("no")


NODES: list[Any] = [SimpleNamespace(name=f"n{number}") for number in (1, 2, 3)]
SAME = {"r0": "4", "r1": "7"}


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "PAUSE_S", 0.01)


def compared(store: Any, folder: Path, workload: Any = None) -> Any:
    folder.mkdir(exist_ok=True)
    journal = Journal(folder / "history.jsonl")
    replicas.compare(store, workload or Register(keys=2), NODES, journal)
    journal.close()
    return Replicas().judge(History.read(folder / "history.jsonl"), (LEVEL,))


def test_nodes_that_have_the_same_are_compared_once(tmp_path: Path) -> None:
    answer = compared(Store(SAME, SAME, SAME), tmp_path)
    assert answer.levels == {LEVEL: True}
    assert answer.figures["rounds"] == 1
    assert answer.figures["keys"] == 2


def test_a_node_that_stays_different_is_found_and_named(tmp_path: Path) -> None:
    answer = compared(Store(SAME, SAME, SAME | {"r1": "3"}), tmp_path)
    assert answer.levels == {LEVEL: False}
    assert 'n1 and n2 have "7" and n3 has "3" under "r1"' in answer.found[LEVEL].explanation


def test_sets_are_compared_whatever_the_order_of_their_elements(tmp_path: Path) -> None:
    same = Store({"set0": "1 3 2"}, {"set0": "3 2 1"}, {"set0": "1 2 3"})
    assert compared(same, tmp_path / "same", SetWorkload()).levels == {LEVEL: True}
    apart = Store({"set0": "1 3 2"}, {"set0": "3 2 1"}, {"set0": "1 3"})
    answer = compared(apart, tmp_path / "apart", SetWorkload())
    assert answer.levels == {LEVEL: False}
    expected = 'n1 and n2 have 3 elements and n3 has 2 elements, without "2" under "set0"'
    assert expected in answer.found[LEVEL].explanation
    damaged = Store({"set0": "1"}, {"set0": "q"}, {"set0": "1"})
    answer = compared(damaged, tmp_path / "damaged", SetWorkload())
    assert answer.levels == {LEVEL: False}


@pytest.mark.parametrize("workload", [TxnAppend, TxnRegister])
def test_keys_that_transactions_wrote_are_compared(tmp_path: Path, workload: Any) -> None:
    made = workload(keys=2)
    made.draw(Random(1), 1)
    key = made.last_keys()[0]
    same = compared(Store({key: "[1,2]"}, {key: "[1,2]"}, {key: "[1,2]"}), tmp_path / "same", made)
    assert (same.levels, same.figures["keys"]) == ({LEVEL: True}, 2)
    apart = compared(Store({key: "[1,2]"}, {key: "[1,2]"}, {key: "[1]"}), tmp_path / "apart", made)
    assert "n3 has 1 elements, without 2" in apart.found[LEVEL].explanation


@pytest.mark.timeout(30)
def test_a_queue_is_not_asked_what_it_reads_in_the_end_which_never_ends(tmp_path: Path) -> None:
    answer = compared(Store(SAME, SAME, SAME), tmp_path, Queue())
    assert not answer.applies


class Members:
    """The members of a real etcd on loopback, which are asked as the system asks them."""

    name = "etcd"

    @property
    def offers(self) -> Any:
        return self._of("linearizable")

    @property
    def replicas(self) -> Any:
        return self._of("serializable")

    def _of(self, reads: str) -> Any:
        def registers(node: Any, timeout: float) -> EtcdClient:
            return EtcdClient("127.0.0.1", timeout, reads, node.port)

        def sets(node: Any, timeout: float) -> EtcdCollections:
            return EtcdCollections(registers(node, timeout), timeout)

        return {"registers": registers, "sets": sets}


@needs_etcd
def test_members_of_a_real_store_are_compared(
    etcd: tuple[list[int], list[int]], tmp_path: Path
) -> None:
    members = Members()
    nodes: list[Any] = [
        SimpleNamespace(name=f"n{number}", port=port) for number, port in enumerate(etcd[0], 1)
    ]
    workload = SetWorkload()
    for number, node in enumerate(nodes):
        workload.invoke(members.offers["sets"](node, 5.0), "add", "set0", number, 0)
    journal = Journal(tmp_path / "history.jsonl")
    replicas.compare(members, workload, nodes, journal)  # type: ignore[arg-type]
    journal.close()
    answer = Replicas().judge(History.read(tmp_path / "history.jsonl"), (LEVEL,))
    assert answer.levels == {LEVEL: True}
    assert (answer.figures["nodes"], answer.figures["rounds"]) == (["n1", "n2", "n3"], 1)


def test_what_can_come_back_is_not_compared(tmp_path: Path) -> None:
    answer = compared(Store(SAME, SAME, SAME), tmp_path, Bank())
    assert not answer.applies


def test_a_node_that_is_behind_is_waited_for(tmp_path: Path) -> None:
    store = Store(SAME, SAME, {}, late=4)
    store._waiting |= SAME  # what it has yet to carry out, before the mark
    assert compared(store, tmp_path).levels == {LEVEL: True}


def test_a_node_that_never_shows_the_mark_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "SHOWN_S", 0.4)
    answer = compared(Store(SAME, SAME, {}, forgets="n3"), tmp_path)
    assert answer.levels == {LEVEL: "unknown"}
    assert "n3 could not be compared" in str(answer.reason)


def test_a_store_that_takes_no_write_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "MARK_S", 0.3)
    store = Store(SAME, SAME, SAME | {"r1": "3"})
    store.write = lambda key, value: 1 / 0  # type: ignore[assignment, method-assign, return-value]
    answer = compared(store, tmp_path)
    assert answer.levels == {LEVEL: "unknown"}
    assert "no write was acknowledged within 0.3 s: ZeroDivisionError" in str(answer.reason)


def test_a_store_whose_nodes_cannot_be_asked_is_left_alone(tmp_path: Path) -> None:
    for plain in (SimpleNamespace(offers={}), SimpleNamespace(offers={}, replicas={}), Broken()):
        assert not compared(plain, tmp_path).applies
    watched = compared(Store(SAME, SAME, SAME), tmp_path, Watch())
    assert not watched.applies


def scanned(folder: Path, text: str, alarms: Alarms, steps: str = "", **ended: str) -> Any:
    log = folder / "output.log"
    log.write_text(text)
    journal = Journal(folder / "history.jsonl")
    plan = parse(steps, ["n1"]) if steps else ()
    scan(alarms, plan, {"n1": [log]}, ended, journal)
    journal.close()
    return Logs().judge(History.read(folder / "history.jsonl"), (QUIET,))


OWN: Any = SimpleNamespace(name="own", alarms=["^panic: "])


def test_a_panic_is_found_where_it_stands(tmp_path: Path) -> None:
    answer = scanned(tmp_path, "a\nno panic: here\npanic: boom\n", alarms_of(OWN, ()))
    assert answer.levels == {QUIET: False}
    assert answer.found[QUIET].explanation == "Line 3 of output.log on n1 says: panic: boom."
    quiet = scanned(tmp_path / "..", "all is well\n", alarms_of(OWN, ()))
    assert quiet.levels == {QUIET: True} and quiet.figures["lines"] == 1


LOST_ITS_LEADER = """\
2026-11-27 00:55:24.065 [FollowerRequestProcessor:3] ERROR \
org.apache.zookeeper.server.ZooKeeperCriticalThread - Severe unrecoverable error, from thread : \
FollowerRequestProcessor:3
java.net.SocketException: Socket closed
"""
EXITS = "[main] ERROR org.apache.zookeeper.util.ServiceUtils - Exiting JVM with code 1\n"


@pytest.mark.parametrize(("text", "quiet"), [(LOST_ITS_LEADER, True), (EXITS, False)])
def test_a_follower_of_zookeeper_that_lost_its_leader_is_no_panic(
    text: str, quiet: bool, tmp_path: Path
) -> None:
    answer = scanned(tmp_path, text, alarms_of(ZooKeeper(), ()))
    assert answer.levels == {QUIET: quiet}


def test_what_the_user_asks_for_is_found_too(tmp_path: Path) -> None:
    plain: Any = SimpleNamespace()
    assert not scanned(tmp_path, "data race\n", alarms_of(plain, ())).applies
    answer = scanned(tmp_path, "a data race\n", alarms_of(plain, ["data r.ce$"]), "1s disk-full n1")
    assert (answer.levels, answer.default) == ({QUIET: False}, QUIET)


def test_a_fault_of_the_disk_excuses_and_a_kill_does_not(tmp_path: Path) -> None:
    for number, (steps, judged) in enumerate(
        {"1s disk-error n1": None, "1s memory-limit n1": None, "1s kill n1": QUIET}.items()
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        answer = scanned(folder, "panic: boom\n", alarms_of(OWN, ()), steps, n1="bye\n")
        assert (answer.levels, answer.default) == ({QUIET: False}, judged)
        assert len(answer.figures["told"]) == 2


def test_what_is_no_regular_expression_is_refused() -> None:
    with pytest.raises(click.UsageError, match=r"--fail-on-log '\(' is no regular expression"):
        alarms_of(OWN, ["("])
    broken: Any = SimpleNamespace(name="own", alarms=["[a"])
    with pytest.raises(click.UsageError, match=r"alarms of own: '\[a' is no regular expression"):
        alarms_of(broken, [])


@pytest.mark.parametrize("text", ["", "a*", "panic|"])
def test_what_finds_every_line_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError, match=r"--fail-on-log '.*' fits a line with nothing in"):
        alarms_of(OWN, [text])
    own: Any = SimpleNamespace(name="own", alarms=[text])
    with pytest.raises(click.UsageError, match=r"alarms of own: '.*' fits a line with nothing in"):
        alarms_of(own, [])


@pytest.mark.parametrize(
    ("own", "after", "decides"),
    [
        (True, [True, True], "own"),
        (True, [True, False], "1"),
        (True, ["unknown", True], "0"),
        (True, [None, None], "own"),
        ("unknown", ["unknown", True], "own"),
        ("unknown", [False, True], "0"),
        (None, [True, True], "own"),
        (None, [True, False], "1"),
        (False, [False, True], "own"),
    ],
)
def test_checks_of_any_run_only_make_it_worse(own: Any, after: list[Any], decides: str) -> None:
    rows = {
        str(number): {"check": str(number), "valid": valid} for number, valid in enumerate(after)
    }
    assert worse({"check": "own", "valid": own}, rows)["check"] == decides


def test_what_is_found_afterwards_does_not_make_the_run_longer(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "history.jsonl")
    journal.note("info", "monitor", "leader", [])
    journal.close()
    with journal.reopened() as after:
        after.note("info", "logs", "scanned", {})
        assert after.now() == journal.ended
    lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [line["f"] for line in lines] == ["leader", "scanned"]
    assert lines[1]["time"] == journal.ended


@pytest.mark.cluster
def test_a_run_is_compared_and_its_logs_are_read(partita: Partita, tmp_path: Path) -> None:
    words = "test raft --local 3 --rate 60 --time-limit 2 --json --fail-on-log listening.on.planet"
    done = partita(*words.split())
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["checks"]["replicas"]["levels"] == {LEVEL: True}
    assert outcome["checks"]["replicas"]["figures"]["nodes"] == ["n1", "n2", "n3"]
    assert outcome["checks"]["logs"]["levels"] == {QUIET: True}
    page = (tmp_path / outcome["run"] / "report.html").read_text()
    assert LEVEL in page and QUIET in page
