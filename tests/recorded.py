"""Registers that threads use at once, a right one and a wrong one, and what was recorded of it."""

import threading
import time
from collections.abc import Callable
from random import Random
from typing import Any

from partita import Recorder


class Unhurried:
    """A lock that lets other threads go on first, and afterwards."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __enter__(self) -> None:
        time.sleep(0)
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()
        time.sleep(0)


class Register:
    """Right: each call takes effect at one moment, under a lock. Others get in before and after."""

    def __init__(self) -> None:
        self.lock = Unhurried()
        self.value: Any = None

    def read(self) -> Any:
        with self.lock:
            return self.value

    def write(self, value: Any) -> None:
        with self.lock:
            self.value = value

    def cas(self, old: Any, new: Any) -> bool:
        with self.lock:
            if self.value != old:
                return False
            self.value = new
            return True


class Torn(Register):
    """Wrong: the value can change between the look and the write."""

    def cas(self, old: Any, new: Any) -> bool:
        if self.value != old:
            return False
        time.sleep(0)
        self.value = new
        return True


def use(recorder: Recorder, register: Register, random: Random, first: int) -> None:
    """Read, write and compare-and-set values that nobody else writes."""
    for value in range(first, first + 5):
        f = random.choice(["read", "write", "cas"])
        if f == "read":
            with recorder.operation("read") as op:
                op.output = register.read()
        elif f == "write":
            with recorder.operation("write", value):
                register.write(value)
        else:
            old = register.value
            with recorder.operation("cas", [old, value]) as op:
                if not register.cas(old, value):
                    op.fail("mismatch")


def in_threads(recorder: Recorder, work: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def one_run(seed: int, make: Callable[[], Register]) -> Recorder:
    recorder, register, start = Recorder("cas-register"), make(), threading.Barrier(3)

    def work(number: int) -> None:
        start.wait()
        use(recorder, register, Random(10 * seed + number), 100 * number)

    in_threads(recorder, work, 3)
    return recorder
