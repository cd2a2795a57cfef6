"""What is recorded in other people's tests, and what is said where something is missing."""

import asyncio
import gc
import queue
import subprocess
import sys
import threading
import weakref
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from recorded import Register, in_threads, one_run

from partita import Recorder
from partita.checker import NEVER, History, ModelError
from partita.checker.models.cas_register import CasRegister
from partita.checker.recorder import RecordingError


def test_how_a_call_ends_is_its_outcome() -> None:
    recorder = Recorder(definite=(KeyError, queue.Full))
    endings: list[tuple[BaseException | None, Any]] = [
        (None, "ok"),
        (KeyError(), "fail"),
        (queue.Full(), "fail"),
        (OSError(), "fail"),  # definite of this operation only
        (ValueError(), "info"),
        (KeyboardInterrupt(), "info"),
        (asyncio.CancelledError(), "info"),
    ]
    for error, _ in endings:
        definite = OSError if isinstance(error, OSError) else ()
        if error is None:
            with recorder.operation("write", 1, definite=definite):
                pass
            continue
        with pytest.raises(type(error)), recorder.operation("write", 1, definite=definite):
            raise error
    history = recorder.history()
    assert [op.outcome for op in history] == [outcome for _, outcome in endings]
    assert [op.error for op in history][1:] == [type(error).__name__ for error, _ in endings[1:]]
    assert [op.process for op in history] == [0, 0, 0, 0, 0, 1, 2]


def test_an_exception_after_the_answer_was_not_the_calls() -> None:
    recorder = Recorder(definite=KeyError)
    with pytest.raises(KeyError), recorder.operation("write", 1) as op:
        op.output = None
        raise KeyError
    assert recorder.history()[0].outcome == "info"


def test_what_an_operation_says_of_itself() -> None:
    recorder = Recorder("cas-register", initial=3)
    with recorder.operation("cas", [1, 2]) as op:
        op.output = 4
        op.fail("mismatch")
    with recorder.operation("write", 5) as op:
        op.info("timeout")
    with recorder.operation("cas", [3, 6]):
        pass
    cas, write, _ = history = recorder.history()
    assert (cas.outcome, cas.error, cas.output) == ("fail", "mismatch", 4)
    assert (write.outcome, write.error) == ("info", "timeout")
    assert list(history.process) == [0, 0, 1]
    verdict = recorder.check()
    assert verdict.valid is False
    assert "4" in str(verdict.counterexample)


def test_threads_and_tasks_have_processes_of_their_own() -> None:
    recorder = Recorder()

    def work(number: int) -> None:
        for _ in range(2):
            with recorder.operation("write", number):
                pass

    async def main() -> None:
        await asyncio.gather(*(asyncio.to_thread(work, number) for number in (5, 6)), task(7))
        work(8)

    async def task(number: int) -> None:
        work(number)

    for number in range(3):  # one after the other: the system may give them the same number
        in_threads(recorder, lambda _, number=number: work(number), 1)
    work(3)
    asyncio.run(main())
    by_value: dict[int, set[int]] = {}
    for op in recorder.history():
        by_value.setdefault(op.input, set()).add(op.process)
    # The pool of asyncio.to_thread may do both in one thread.
    rest = [by_value.pop(5) | by_value.pop(6), *by_value.values()]
    assert all(len(processes) == 1 for processes in by_value.values())
    assert sum(map(len, rest)) == len(set().union(*rest))


def test_an_operation_inside_another_is_another_process() -> None:
    recorder = Recorder("register")
    with recorder.operation("write", 1), recorder.operation("read") as inner:
        inner.output = 1
    with recorder.operation("write", 2):
        pass
    history = recorder.history()
    assert len(set(history.process[:2])) == 2
    assert history.process[2] in history.process[:2]
    assert recorder.check().valid is True


def test_what_is_under_way_is_open_and_may_end_later() -> None:
    recorder = Recorder("register")
    with recorder.operation("write", 1):
        with recorder.operation("read") as op:
            op.output = 1
        history = recorder.history()
        assert history[0].outcome == "info"
        assert history.ended_rank[0] == NEVER
        assert recorder.check().valid is True
    assert recorder.history()[0].outcome == "ok"
    with recorder.operation("read") as op:
        op.output = None
    assert recorder.check().valid is False


def test_a_value_is_kept_as_it_was() -> None:
    recorder = Recorder("append")
    elements: list[int] = []
    for number in (1, 2):
        with recorder.operation("append", number):
            elements.append(number)
        with recorder.operation("read") as op:
            op.output = elements
    assert [op.output for op in recorder.history()][1::2] == [[1], [1, 2]]
    assert recorder.check().valid is True


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (1.0, 1),
        ((1, "x"), [1, "x"]),
        ({3, 1, 20}, [1, 20, 3]),
        ({"b": {2.0, 3}, "a": None}, {"a": None, "b": [2, 3]}),
        (2**70, 2**70),
        (0.5, 0.5),
        (Colour.RED, "red"),
        (True, True),
        ('naïve\n"🙂"', 'naïve\n"🙂"'),
    ],
)
def test_what_is_equal_in_python_is_equal_in_the_history(written: Any, read: Any) -> None:
    recorder = Recorder("register")
    with recorder.operation("write", written, key=(1, "k")):
        pass
    for answer in (written, read):
        with recorder.operation("read", key=[1, "k"]) as op:
            op.output = answer
    recorder.assert_valid()


CYCLE: list[Any] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (object(), "is or has a object"),
        ([b"x"], "is or has a bytes"),
        (float("nan"), "the float nan"),
        ({1: 2}, "the dict key 1"),
        ("\ud800", "half of a surrogate pair"),
        (CYCLE, "contains itself"),
    ],
)
def test_what_json_cannot_hold_is_said_in_one_line(value: Any, complaint: str) -> None:
    recorder = Recorder("register")
    with pytest.raises(RecordingError, match=complaint) as error:
        recorder.operation("write", value)
    with pytest.raises(RecordingError, match=complaint), recorder.operation("read", key=value):
        pass
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("write ")


def test_an_output_that_cannot_be_kept_is_never_overlooked() -> None:
    recorder = Recorder("register")

    def work() -> None:
        with recorder.operation("read", key="x") as op:
            op.output = object()

    def carry_on() -> None:
        with pytest.raises(RecordingError):
            work()

    thread = threading.Thread(target=carry_on, name="worker-1")
    thread.start()
    thread.join()
    for ask in (recorder.history, recorder.check, recorder.assert_valid):
        with pytest.raises(RecordingError, match=r'^read of key "x" by worker-1: the output <obj'):
            ask()


def test_a_missing_output_is_not_taken_for_null() -> None:
    recorder = Recorder("register")
    with recorder.operation("read"):
        pass
    with pytest.raises(RecordingError, match=r"^read by MainThread: has no output"):
        recorder.check()
    other = Recorder()
    with other.operation("pop") as op:
        op.output = 1
    with other.operation("pop"):
        pass
    with pytest.raises(RecordingError, match=r"^pop by MainThread: has no output.*set op\.output"):
        other.history()


def test_a_misused_operation_is_refused() -> None:
    recorder = Recorder()
    with recorder.operation("write", 1) as op:
        pass
    with pytest.raises(RecordingError, match="begun twice"), op:
        pass
    with pytest.raises(RecordingError, match=r"say fail\(\) inside"):
        op.fail()
    with pytest.raises(RecordingError, match=r"say info\(\) inside"):
        recorder.operation("write", 2).info()
    with pytest.raises(RecordingError, match="its name must be a text"):
        recorder.operation("", 1)


def test_the_model_has_to_be_named() -> None:
    with pytest.raises(ModelError, match=r"what is the object\? Name its model.*fifo-queue"):
        Recorder().check()
    with pytest.raises(ModelError, match="no model is called"):
        Recorder("queue").check()


def test_what_is_given_to_a_check_goes_before_what_the_recorder_has() -> None:
    recorder = Recorder("counter", initial=7)
    with recorder.operation("read") as op:
        op.output = 8
    assert recorder.check().valid is False
    assert recorder.check("register", initial=8).valid is True
    recorder.initial = 8
    assert recorder.check().valid is True
    with pytest.raises(ModelError, match="this model has its own"):
        recorder.check(CasRegister(8))


def test_what_any_object_would_have_passed_is_not_valid() -> None:
    recorder = Recorder("register", definite=OSError)
    assert recorder.check().valid == "unknown"
    with pytest.raises(OSError), recorder.operation("write", 1):
        raise OSError
    assert recorder.check().reason == "none of the 1 operations succeeded"
    with recorder.operation("write", 2):
        pass
    assert recorder.check().reason == "nothing was observed: write alone cannot go wrong"
    with pytest.raises(AssertionError, match="not proven: nothing was observed"):
        recorder.assert_valid()
    with recorder.operation("read") as op:
        op.output = 2
    assert recorder.check().valid is True


@pytest.mark.parametrize("name", ["history.jsonl", "history.edn"])
def test_what_is_written_is_what_was_recorded(tmp_path: Path, name: str) -> None:
    recorder = one_run(1, Register)
    with recorder.operation("write", 1000):
        recorder.write(tmp_path / name)
    written, kept = History.read(tmp_path / name), recorder.history()
    assert list(written)[:-1] == list(kept)[:-1]
    assert written[15].outcome == "info"


def test_shown_times_follow_the_order() -> None:
    history = one_run(3, Register).history()
    begins = zip(history.invoked_rank, history.invoked_ns, strict=True)
    times = sorted([*begins, *zip(history.completed_rank, history.completed_ns, strict=True)])
    assert [time for _, time in times] == sorted(time for _, time in times)


def test_a_task_is_not_kept_alive() -> None:
    recorder = Recorder()
    tasks: list[weakref.ref[asyncio.Task[None]]] = []

    async def work() -> None:
        with recorder.operation("write", 1):
            pass

    async def main() -> None:
        task = asyncio.create_task(work())
        tasks.append(weakref.ref(task))
        await task

    asyncio.run(main())
    gc.collect()
    assert tasks[0]() is None
    assert len(recorder.history()) == 1


def test_recording_while_a_history_is_taken() -> None:
    recorder = Recorder("counter")

    def work() -> None:
        for _ in range(1_000):
            with recorder.operation("add", 1, key=1):
                pass
            with recorder.operation("read", key=2) as op:
                op.output = 0

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    lengths = [len(recorder.history()) for _ in range(10)]
    for thread in threads:
        thread.join()
    assert lengths == sorted(lengths)
    assert len(recorder.history()) == 6_000


def test_importing_it_is_cheap_and_draws_nothing() -> None:
    script = (
        "import sys, partita; assert 'numpy' not in sys.modules;"
        "from partita import Recorder;"
        "print(*{'paramiko', 'kazoo', 'click', 'matplotlib', 'plotly'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
