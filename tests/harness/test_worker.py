"""Workers: what a client raises becomes an outcome, in one place."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from partita.checker import History, Op
from partita.harness.run.journal import Journal, JournalError
from partita.harness.run.load import Load
from partita.harness.run.worker import Tally, Way, Worker
from partita.workloads.append import Append
from partita.workloads.client import Answer, Client, Definite, Indefinite, Mismatch, Tell
from partita.workloads.generator import Generator, Request
from partita.workloads.register import Register
from partita.workloads.workload import Workload


class Memory:
    """A register store in memory; each call first takes the next of `troubles`, if any."""

    def __init__(self, *troubles: Exception | None) -> None:
        self.values: dict[str, str] = {}
        self.troubles = list(troubles)
        self.closed = 0

    def _trouble(self) -> None:
        if self.troubles and (trouble := self.troubles.pop(0)):
            raise trouble

    def read(self, key: str) -> str | None:
        self._trouble()
        return self.values.get(key)

    def write(self, key: str, value: str) -> None:
        self._trouble()
        self.values[key] = value

    def cas(self, key: str, old: str | None, new: str) -> None:
        self._trouble()
        if self.values.get(key) != old:
            raise Mismatch(self.values.get(key), known=True)
        self.values[key] = new

    def close(self) -> None:
        self.closed += 1


def did(
    tmp_path: Path,
    connect: Callable[[], Client],
    *requests: tuple[str, Any],
    workload: Workload | None = None,
    due: int | None = None,
) -> list[Op]:
    """Do the requests (f, input) on key "k" with one worker; return what the journal says."""
    journal = Journal(tmp_path / "history.jsonl")
    workload = workload or Register(1)
    worker = Worker(
        process=3,
        concurrency=10,
        ways=[Way("n1", connect)],
        workload=workload,
        journal=journal,
        timeout=1.0,
        stop=threading.Event(),
        tally=Tally(),
    )
    key = workload.final()[0][1]
    for f, value in requests:
        worker.do(Request(f, key, value, journal.now() if due is None else due))
    journal.close()
    return list(History.read(tmp_path / "history.jsonl"))


def test_what_succeeds_is_ok_and_a_read_returns_what_was_written(tmp_path: Path) -> None:
    write, read, cas = did(tmp_path, Memory, ("write", 5), ("read", None), ("cas", 6))
    assert (write.outcome, write.input, write.node) == ("ok", 5, "n1")
    # Each call of `Memory` would be a new store: the connection is kept.
    assert (read.outcome, read.output) == ("ok", 5)
    assert (cas.outcome, cas.input) == ("ok", [5, 6])


@pytest.mark.parametrize("f", ["write", "cas"])
def test_an_unknown_fate_is_info_and_ends_the_process(tmp_path: Path, f: str) -> None:
    store = Memory(Indefinite("timeout"))
    first, second = did(tmp_path, lambda: store, (f, 1), ("read", None))
    assert (first.outcome, first.error) == ("info", "timeout")
    assert (first.process, second.process) == (3, 13)
    assert store.closed == 1


@pytest.mark.parametrize("error", [Indefinite("timeout"), OSError("reset")])
def test_a_read_that_failed_had_no_effect(tmp_path: Path, error: Exception) -> None:
    store = Memory(error)
    (read,) = did(tmp_path, lambda: store, ("read", None))
    assert read.outcome == "fail"


def test_an_operation_that_the_workload_does_not_name_ends_the_load(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="workload register has no operation 'raed'"):
        did(tmp_path, Memory, ("raed", None))


def test_an_error_that_nobody_foresaw_is_info(tmp_path: Path) -> None:
    store = Memory(ZeroDivisionError("oops"))
    (write,) = did(tmp_path, lambda: store, ("write", 1))
    assert (write.outcome, write.error) == ("info", "oops")


def test_without_a_connection_nothing_was_sent(tmp_path: Path) -> None:
    def refuse() -> Client:
        raise ConnectionRefusedError("refused")

    first, second = did(tmp_path, refuse, ("write", 1), ("write", 2))
    assert (first.outcome, second.outcome) == ("fail", "fail")
    assert first.error == "no connection: refused"
    assert first.process == second.process


def test_a_definite_error_is_fail(tmp_path: Path) -> None:
    store = Memory(Definite("read only"))
    (write,) = did(tmp_path, lambda: store, ("write", 1))
    assert (write.outcome, write.error) == ("fail", "read only")


def test_a_mismatch_is_fail_and_tells_the_value(tmp_path: Path) -> None:
    store = Memory()
    store.values["r0"] = "7"
    (cas,) = did(tmp_path, lambda: store, ("cas", 9))
    assert (cas.outcome, cas.error, cas.output) == ("fail", "mismatch", 7)


def test_what_was_due_too_long_ago_is_not_sent(tmp_path: Path) -> None:
    store = Memory()
    (write,) = did(tmp_path, lambda: store, ("write", 1), due=-2_000_000_000)
    assert write.outcome == "fail"
    assert write.error is not None
    assert "not sent" in write.error
    assert store.values == {}


def test_an_add_tries_again_until_the_list_is_unchanged(tmp_path: Path) -> None:
    store = Memory(None, Mismatch(), None, None)
    (add,) = did(tmp_path, lambda: store, ("add", 4), workload=Append(1))
    assert add.outcome == "ok"
    assert json.loads(store.values["list0"]) == [4]


def test_an_add_whose_cas_is_unsure_is_info_and_not_tried_again(tmp_path: Path) -> None:
    store = Memory(None, Indefinite("timeout"))
    (add,) = did(tmp_path, lambda: store, ("add", 4), workload=Append(1))
    assert (add.outcome, store.values) == ("info", {})


def test_an_add_that_could_not_read_did_not_happen(tmp_path: Path) -> None:
    store = Memory(Indefinite("timeout"))
    (add,) = did(tmp_path, lambda: store, ("add", 4), workload=Append(1))
    assert add.outcome == "fail"


def test_a_worker_that_dies_is_noticed(tmp_path: Path) -> None:
    class Broken:
        def next(self, now: int) -> Request:
            raise ZeroDivisionError("oops")

    tally, stop = Tally(), threading.Event()
    journal = Journal(tmp_path / "history.jsonl")
    worker = Worker(
        process=0,
        concurrency=1,
        ways=[Way("n1", Memory)],
        workload=Register(1),
        journal=journal,
        timeout=1.0,
        stop=stop,
        tally=tally,
    )
    worker.work(cast(Generator, Broken()))
    journal.close()
    assert tally.died == "ZeroDivisionError: oops"
    assert stop.is_set()


def test_a_full_disk_is_said_and_what_was_written_is_kept() -> None:
    journal = Journal(Path("/dev/full"))
    with pytest.raises(JournalError, match="No space left on device"):
        journal.record({"type": "invoke"})
    assert journal.failure is not None
    with pytest.raises(JournalError):
        journal.record({"type": "ok"})


class Versioned(Memory):
    """Tells versions, and which server it was, as a client may."""

    def read(self, key: str) -> Any:
        return Answer(super().read(key), 7, {"session": "s1"})

    def write(self, key: str, value: str) -> Any:
        super().write(key, value)
        return Answer(version=8)

    def cas(self, key: str, old: str | None, new: str) -> None:
        raise Mismatch("9", known=True, version=8)


class Movable(Memory):
    """Keeps its session when it goes to another node, unless it is `refused` there."""

    def __init__(self, *troubles: Exception | None, refused: Sequence[str] = ()) -> None:
        super().__init__(*troubles)
        self.moves: list[str] = []
        self.refused = refused

    def move(self, address: str) -> None:
        self.moves.append(address)
        if address in self.refused:
            raise Definite("lags behind the session")


def nodes_used(tmp_path: Path, ways: Sequence[Way], operations: int) -> list[tuple[str, int, str]]:
    """Let a worker write now and then read; return node, process and outcome of each."""
    journal = Journal(tmp_path / "history.jsonl")
    worker = Worker(
        process=3,
        concurrency=10,
        ways=ways,
        workload=Register(1),
        journal=journal,
        timeout=1.0,
        stop=threading.Event(),
        tally=Tally(),
    )
    for number in range(operations):
        worker.do(Request("write", "r0", number, journal.now()))
    worker.close()
    ops = History.read(tmp_path / "history.jsonl")
    return [(op.node or "", op.process, op.outcome) for op in ops]


def test_a_client_that_lost_its_connection_may_take_another_node(tmp_path: Path) -> None:
    first, second = Memory(None, Definite("refused"), None), Memory(None, Indefinite("cut"))
    ways = [Way("n1", lambda: first), Way("n2", lambda: second)]
    assert nodes_used(tmp_path, ways, 5) == [
        ("n1", 3, "ok"),
        ("n1", 3, "fail"),
        ("n2", 3, "ok"),
        ("n2", 3, "info"),
        ("n1", 13, "ok"),
    ]
    assert (first.closed, second.closed) == (2, 1)


def test_a_mismatch_is_no_lost_connection(tmp_path: Path) -> None:
    store = Memory(None, Mismatch("7", known=True), None)
    ways = [Way("n1", lambda: store), Way("n2", Memory)]
    assert [node for node, _, _ in nodes_used(tmp_path, ways, 3)] == ["n1"] * 3


def test_a_session_goes_along_to_the_next_node_that_takes_it(tmp_path: Path) -> None:
    store = Movable(None, Definite("refused"), None, refused=["10.0.0.2"])
    ways = [Way(f"n{n}", lambda: store, f"10.0.0.{n}") for n in (1, 2, 3)]
    assert nodes_used(tmp_path, ways, 4) == [
        ("n1", 3, "ok"),
        ("n1", 3, "fail"),
        ("n2", 3, "fail"),
        ("n3", 3, "ok"),
    ]
    assert store.moves == ["10.0.0.2", "10.0.0.3"]
    assert store.closed == 1


@pytest.mark.parametrize("version", [1.5, "12", None, True, -2, 2**63])
def test_a_version_that_is_no_number_leaves_the_operation_open(
    tmp_path: Path, version: Any
) -> None:
    class Odd(Memory):
        def write(self, key: str, value: str) -> Any:
            return Answer(version=version)

    (write,) = did(tmp_path, Odd, ("write", 5))
    assert write.outcome == "info"
    assert write.error == f"the client told version {version!r}, which is no whole number from 0"


def test_what_a_client_tells_beside_the_value_is_journalled(tmp_path: Path) -> None:
    store = Versioned()
    did(tmp_path, lambda: store, ("write", 9), ("read", None), ("cas", [1, 2]))
    lines = (tmp_path / "history.jsonl").read_text().splitlines()
    write, read, cas = (json.loads(line) for line in lines[1::2])
    assert (write["value"], write["version"]) == (9, 8)
    assert (read["value"], read["version"], read["session"]) == (9, 7, "s1")
    assert (cas["error"], cas["actual"], cas["version"]) == ("mismatch", 9, 8)


def test_final_reads_that_die_are_told(tmp_path: Path) -> None:
    """A run whose last reads were never made must not look like one that read everything."""

    class Forgetful(Register):
        def final(self) -> Any:
            raise KeyError("which registers?")

    class Store:
        def __init__(self) -> None:
            self.offers = {"registers": lambda node, timeout: Memory()}

    class Node:
        name, address = "n1", "127.0.0.1"

    settings = {"concurrency": 1, "rate": 1.0, "timeout": 1.0, "time_limit": 1.0, "seed": 1}
    journal = Journal(tmp_path / "history.jsonl")
    journal.begin()
    nodes = cast(Any, [Node()])
    load = Load(cast(Any, Store()), Forgetful(1), nodes, journal, **settings)
    load.read_finally(nodes)
    assert load.tally.died == "KeyError: 'which registers?'"
    journal.close()


class Listening(Memory):
    """A store that tells each write, and after it was closed one thing more."""

    def listen(self, tell: Tell) -> None:
        self.tell = tell

    def write(self, key: str, value: str) -> None:
        sent = time.monotonic()
        super().write(key, value)
        self.tell("beat", True, sent=sent, session="0x1", f2=3)
        self.tell("event", value, key=key, version=7)

    def close(self) -> None:
        super().close()
        self.tell("told", process="another", session="0x1")


class Frozen(Memory):
    """A store whose client gets to run only after a while, and is gone the second time."""

    asked = 0

    def present(self) -> None:
        self.asked += 1
        if self.asked > 1:
            raise Indefinite("gone")
        time.sleep(0.3)


def test_a_frozen_client_begins_nothing(tmp_path: Path) -> None:
    store = Frozen()
    first, second, third = did(tmp_path, lambda: store, ("write", 1), ("write", 2), ("read", None))
    assert second.invoked - first.completed >= 0.3e9
    assert (second.outcome, third.output, store.asked) == ("ok", 2, 2)


def test_what_a_client_is_told_stands_inside_the_open_operation(tmp_path: Path) -> None:
    store = Listening(None, Indefinite("timeout"))
    before = time.monotonic_ns()
    did(tmp_path, lambda: store, ("write", 1), ("read", None), ("write", 2))
    history = History.read(tmp_path / "history.jsonl")
    beat, event, told, *_ = history.others
    assert [each.process for each in history.others] == [3] * 5
    assert (beat.f, beat.value, beat.fields["session"], beat.fields["f2"]) == (
        "beat",
        True,
        "0x1",
        3,
    )
    assert history[0].invoked <= beat.fields["sent"] <= beat.time <= time.monotonic_ns() - before
    assert (event.f, event.key, event.value, event.version) == ("event", "r0", "1", 7)
    assert history.invoked_rank[0] < beat.rank < event.rank < history.ended_rank[0]
    assert (told.f, told.process) == ("told", 3)  # and not "another": fields are no names


def test_a_client_may_tell_when_the_run_is_over(tmp_path: Path) -> None:
    store = Listening()
    did(tmp_path, lambda: store, ("write", 1))
    store.tell("told")
    assert [each.f for each in History.read(tmp_path / "history.jsonl").others] == ["beat", "event"]


class Lasting(Memory):
    """Keeps what outlives a request that failed."""

    def __init__(self, *troubles: Exception | None) -> None:
        super().__init__(*troubles)
        self.recovered = 0

    def recover(self) -> None:
        self.recovered += 1


def test_a_client_that_keeps_something_is_not_closed_when_a_request_fails(tmp_path: Path) -> None:
    client = Lasting(Indefinite("timeout"))
    ops = did(tmp_path, lambda: client, ("write", "1"), ("read", None))
    assert [op.outcome for op in ops] == ["info", "ok"]
    assert (client.recovered, client.closed) == (1, 0)


class Staying(Register):
    """A register whose clients are told something until the end."""

    stays = True


def test_clients_that_are_told_things_stay_until_the_end(tmp_path: Path) -> None:
    class Store:
        offers: ClassVar = {"registers": lambda node, timeout: client}

    class Node:
        name, address = "n1", "127.0.0.1"

    client, nodes = Memory(), cast(Any, [Node()])
    settings = {"concurrency": 2, "rate": 50, "timeout": 1.0, "time_limit": 0.2, "seed": 1}
    load = Load(
        cast(Any, Store()), Staying(keys=1), nodes, Journal(tmp_path / "h.jsonl"), **settings
    )
    load.start()
    while load.running():
        time.sleep(0.01)
    load.read_finally(nodes)
    assert client.closed == 0
    load.let_go()
    assert client.closed == 3
