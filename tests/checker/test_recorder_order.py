"""The order that a recorder keeps is sound: what is right is never called invalid.

Threads and tasks do as they like, so that no two runs are the same; what is asked holds for all.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from recorded import Register, Torn, one_run

from partita import Recorder
from partita.checker import History, check

RUNS = 2_000


@pytest.fixture
def hurry() -> Iterator[None]:
    """Let threads take turns as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def overlapping(history: History) -> int:
    return int((history.completed_rank > history.invoked_rank + 1).sum())


@pytest.mark.usefixtures("hurry")
def test_a_right_register_is_never_called_invalid() -> None:
    concurrent = 0
    for seed in range(RUNS):
        history = one_run(seed, Register).history()
        assert len(history) == 15
        concurrent += overlapping(history)
        verdict = check(history, "cas-register")
        assert verdict.valid is True, f"seed {seed}: {verdict}"
    assert concurrent > RUNS / 20, "hardly anything ran side by side: this test proves nothing"


@pytest.mark.usefixtures("hurry")
def test_a_wrong_register_is_caught() -> None:
    assert any(one_run(seed, Torn).check().valid is False for seed in range(RUNS))


async def steps(random: Random) -> None:
    for _ in range(random.randrange(4)):
        await asyncio.sleep(0)


async def client(recorder: Recorder, cell: list[int], random: Random, *, lock: Any) -> None:
    for _ in range(4):
        if random.random() < 0.5:
            with recorder.operation("add", 1):
                await steps(random)
                async with lock:
                    sum_ = cell[0]
                    await steps(random)
                    cell[0] = sum_ + 1
                await steps(random)
        else:
            with recorder.operation("read") as op:
                await steps(random)
                op.output = cell[0]
                await steps(random)


class NoLock:
    async def __aenter__(self) -> None: ...
    async def __aexit__(self, *_: object) -> None: ...


def counted(seed: int, make_lock: Callable[[], Any], cancelled: int = 0) -> Recorder:
    recorder, random = Recorder("counter"), Random(seed)

    async def main() -> None:
        lock, cell = make_lock(), [0]
        tasks = [asyncio.create_task(client(recorder, cell, random, lock=lock)) for _ in range(3)]
        for task in tasks[:cancelled]:
            for _ in range(random.randrange(20)):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    return recorder


@pytest.mark.parametrize("cancelled", [0, 2])
def test_tasks_of_a_right_counter_are_never_called_invalid(cancelled: int) -> None:
    unknown = 0
    for seed in range(RUNS // 4):
        history = counted(seed, asyncio.Lock, cancelled).history()
        unknown += int((history.outcome == 2).sum())
        assert check(history, "counter").valid is True, f"seed {seed}"
    assert (unknown > RUNS / 20) == bool(cancelled)


def test_a_lost_update_between_tasks_is_caught() -> None:
    found = [seed for seed in range(50) if counted(seed, NoLock).check().valid is False]
    assert len(found) > 10
    assert "add 1" in str(counted(found[0], NoLock).check().counterexample)
