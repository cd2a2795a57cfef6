"""The check `logs`: no process ended by itself, and no log tells of a panic.

What a log says when its process panics, or when an assertion fails, each system knows itself; the
user may know more (`--fail-on-log`). Whoever made the run has looked through the logs, and what was
found stands in the history, as does which process was not there any more though no fault had ended
it.

Some faults take from a process what it needs, such as its disk. A process that ends itself then
does what it should. So in runs with such a fault this is told, and nothing is asked of it, but for
what the user asked for.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from partita.checker.checks import Judgement
from partita.checker.explain import capital
from partita.checker.history import History
from partita.checker.verdict import Counterexample

PROCESS = "logs"
# Which logs were looked through, what was found in one, and whose process was gone.
SCANNED, ALARM, ENDED = "scanned", "alarm", "ended"
LEVEL = "quiet"
_WIDTH = 300


@dataclass(frozen=True, slots=True)
class _Told:
    """Something that was found: a sentence, and whether it counts whatever was done to the node."""

    text: str
    asked: bool


@dataclass(frozen=True, slots=True)
class Logs:
    """Whether every process went on, and no log tells of a panic or of what was asked for."""

    name: str = field(default=PROCESS, init=False)
    levels: tuple[str, ...] = field(default=(LEVEL,), init=False)
    default: str | None = field(default=None, init=False)

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        begin = time.perf_counter()
        events = list(history.others.at(history.others.by(PROCESS)))
        scanned = [event.value for event in events if event.f == SCANNED]
        if not scanned:
            why = "nobody looked through the logs"
            return Judgement(self.name, {}, reason=why, applies=False)
        excused = sorted({fault for each in scanned for fault in each["excused"]})
        told = [_alarm(event.value) for event in events if event.f == ALARM]
        told += [_ended(event.value) for event in events if event.f == ENDED]
        judged = [each for each in told if each.asked or not excused]
        first = next(iter(judged or told), None)
        lines = sum(each["lines"] for each in scanned)
        return Judgement(
            self.name,
            {LEVEL: first is None},
            {} if first is None else {LEVEL: Counterexample((), _sentence(first, told))},
            figures={"lines": lines, "told": [each.text for each in told], "excused": excused},
            seconds=time.perf_counter() - begin,
            engine="searching",
            default=None if told and not judged else LEVEL,
        )


def _alarm(said: dict[str, Any]) -> _Told:
    text = " ".join(str(said["text"]).split())[:_WIDTH]
    return _Told(f"line {said['line']} of {said['file']} on {said['node']} says: {text}",
                 bool(said["asked"]))  # fmt: skip


def _ended(said: dict[str, Any]) -> _Told:
    last = " ".join(str(said["last"]).split())[-_WIDTH:]
    text = f"the process on {said['node']} was gone in the end, though no fault had ended it"
    return _Told(f"{text}; it said last: {last}" if last else text, False)


def _sentence(first: _Told, told: Sequence[_Told]) -> str:
    more = len(told) - 1
    others = "" if not more else " There is 1 more." if more == 1 else f" There are {more} more."
    return f"{capital(first.text.rstrip('.'))}.{others}"
