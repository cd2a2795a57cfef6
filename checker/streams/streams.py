"""The check `streams`: what is polled from a log is what was sent to it, each once, none left out.

A message is at one offset of its log, and whoever polls from an offset is given what follows it.
Offsets may have gaps between them, so an offset *exists* only if a send was told it, or if a poll
showed it. The definition, which `reference.py` tries out literally, for each log:

- One offset has one message, and a message is at one offset, whoever tells it.
- A poll shows what was sent to the log, by a send that did not certainly fail and that had begun
  before the poll was over.
- The offsets of a poll grow. None is smaller than what was asked for, and no offset that exists is
  left out between that and the last one that the poll shows. So what was acknowledged is not lost
  where anybody goes past it.
- Sends of one process are told growing offsets.
- Nobody is told a committed offset that is greater than all that anybody had begun to commit.

Messages are written once. A message that was acknowledged and that is in no poll is no violation
by itself: a node need not show it soon. Such ones are counted.
"""

import time
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from partita.checker.checks import Judgement
from partita.checker.explain import capital, quoted, when
from partita.checker.history import History, Op
from partita.checker.verdict import Counterexample

LEVEL = "log"
Wrong = tuple[tuple[int, ...], str]


class Streams:
    """Whether logs give back what was sent to them, each message once, and none left out."""

    name = "streams"
    levels = (LEVEL,)
    default = LEVEL

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        begin = time.perf_counter()
        ops = [op for op in history if op.f in ("send", "poll", "commit", "committed")]
        if len(history) and not ops:
            return Judgement(self.name, {}, reason="nothing is sent or polled", applies=False)
        logs = _logs(history, ops)
        found = next(filter(None, (log.contradiction() for log in logs.values())), None)
        found = found or _commits(history, ops)
        figures = _figures(logs.values())
        reason = _nothing(ops)
        return Judgement(
            self.name,
            {LEVEL: False if found else "unknown" if reason else True},
            {LEVEL: found} if found else {},
            reason=None if found else reason,
            figures=figures,
            seconds=time.perf_counter() - begin,
            engine="comparing",
            keys=len(logs),
            notes=_notes(figures),
        )


@dataclass(slots=True)
class _Log:
    """What was told of one log; rows of the history."""

    history: History
    key: str
    sends: list[Op] = field(default_factory=list)
    polls: list[tuple[Op, int, list[tuple[int, Any]]]] = field(default_factory=list)
    at: dict[int, tuple[Any, int]] = field(default_factory=dict)  # by offset: message, row
    where: dict[Any, tuple[int, int]] = field(default_factory=dict)  # by message: offset, row
    polled: set[int] = field(default_factory=set)  # offsets

    def contradiction(self) -> Counterexample | None:
        wrong = next(self._wrong(), None)
        if wrong is None:
            return None
        rows, text = wrong
        return Counterexample(tuple(dict.fromkeys(rows)), capital(text), self.key)

    def unobserved(self) -> int:
        """Count what was acknowledged and is in no poll."""
        return sum(op.outcome == "ok" and op.version not in self.polled for op in self.sends)

    def _wrong(self) -> Iterator[Wrong]:
        yield from self._placed()
        yield from self._made_up()
        offsets = sorted(self.at)
        for op, asked, pairs in self.polls:
            yield from self._left_out(op, asked, [offset for offset, _ in pairs], offsets)
        yield from self._backwards()

    def _placed(self) -> Iterator[Wrong]:
        """Gather where messages are, and say which are at two offsets, or share one."""
        for message, offset, row in self._told():
            there, before = self.at.setdefault(offset, (message, row))
            if there != message:
                text = f"offset {offset} of log {self.key} holds {quoted(there)}"
                text += (
                    f" ({self._evidence(before)}) and {quoted(message)} ({self._evidence(row)})."
                )
                yield (before, row), text
            place, before = self.where.setdefault(message, (offset, row))
            if place != offset:
                text = f"{quoted(message)} is in log {self.key} at offset {place}"
                text += f" ({self._evidence(before)}) and at {offset} ({self._evidence(row)})."
                yield (before, row), text

    def _told(self) -> Iterator[tuple[Any, int, int]]:
        """Yield each message that is said to be at an offset, and the row of who says it."""
        for op in self.sends:
            if op.outcome == "ok" and op.version >= 0:
                yield op.input, op.version, op.index
        for op, _, pairs in self.polls:
            for offset, message in pairs:
                self.polled.add(offset)
                yield message, offset, op.index

    def _made_up(self) -> Iterator[Wrong]:
        sent = {op.input: op for op in self.sends}
        begun, over = self.history.invoked_rank, self.history.completed_rank
        for op, _, pairs in self.polls:
            for _, message in pairs:
                send = sent.get(message)
                if send is None:
                    text = f"{self._poll(op)} shows {quoted(message)}, which nobody sent there."
                    yield (op.index,), text
                elif send.outcome == "fail":
                    text = f"{self._poll(op)} shows {quoted(message)}, though {self._sent(send)}"
                    yield (send.index, op.index), text + " certainly failed."
                elif begun[send.index] > over[op.index]:
                    text = f"{self._poll(op)} shows {quoted(message)} before {self._sent(send)}"
                    yield (op.index, send.index), text + " began."

    def _left_out(
        self, op: Op, asked: int, shown: Sequence[int], exist: Sequence[int]
    ) -> Iterator[Wrong]:
        for before, after in zip([asked - 1, *shown], shown, strict=False):
            if after <= before:
                what = f"offset {before}" if before >= asked else f"being asked from {asked} on"
                text = f"{self._poll(op)} shows offset {after} after {what}."
                yield (op.index,), text
                return
            first, last = bisect_right(exist, before), bisect_left(exist, after)
            if first < last:
                message, row = self.at[exist[first]]
                text = (
                    f"{self._poll(op)} goes from offset {before} to {after}"
                    if before >= asked
                    else f"{self._poll(op)} was asked from offset {asked} on and begins at {after}"
                )
                text += f", and leaves out {quoted(message)} at offset {exist[first]}"
                yield (row, op.index), f"{text} ({self._evidence(row)})."

    def _backwards(self) -> Iterator[Wrong]:
        last: dict[Any, Op] = {}
        for op in self.sends:
            if op.outcome != "ok" or op.version < 0:
                continue
            before = last.get(op.process)
            if before is not None and before.version >= op.version:
                text = f"{self._sent(before)} was told offset {before.version}, and then "
                text += f"{self._sent(op)} was told {op.version}."
                yield (before.index, op.index), text
            last[op.process] = op

    def _evidence(self, row: int) -> str:
        op = self.history[row]
        return f"told {self._sent(op)}" if op.f == "send" else f"in {self._poll(op)}"

    def _sent(self, op: Op) -> str:
        moment = when(self.history, op.index)
        return f"process {op.process}'s send of {quoted(op.input)} to log {self.key} ({moment})"

    def _poll(self, op: Op) -> str:
        moment = when(self.history, op.index)
        return f"process {op.process}'s poll of log {self.key} on {op.node or 'a node'} ({moment})"


def _logs(history: History, ops: Sequence[Op]) -> Mapping[str, _Log]:
    logs: dict[str, _Log] = {}
    for op in ops:
        if op.f == "send":
            logs.setdefault(str(op.key), _Log(history, str(op.key))).sends.append(op)
        elif op.f == "poll" and op.outcome == "ok":
            for key, pairs in (op.output or {}).items():
                found = [(offset, message) for offset, message in pairs]
                log = logs.setdefault(key, _Log(history, key))
                log.polls.append((op, (op.input or {}).get(key, 0), found))
    return logs


def _commits(history: History, ops: Sequence[Op]) -> Counterexample | None:
    """Find who was told a committed offset to which nobody had tried to come."""
    greatest: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for op in ops:  # in the order of their invocations
        if op.f == "commit" and op.outcome != "fail":
            for key, offset in (op.input or {}).items():
                begun, most = greatest[key]
                begun.append(int(history.invoked_rank[op.index]))
                most.append(max(offset, most[-1] if most else offset))
    for op in ops:
        if op.f == "committed" and op.outcome == "ok":
            over = history.completed_rank[op.index]
            for key, told in (op.output or {}).items():
                begun, most = greatest[key]
                place = bisect_left(begun, over)
                if not place or told > most[place - 1]:
                    far = f"not beyond {most[place - 1]}" if place else "nowhere"
                    text = (
                        f"process {op.process} was told that log {key} is committed up to {told} "
                        f"({when(history, op.index)}), and until then clients had committed {far}."
                    )
                    return Counterexample((op.index,), capital(text), key)
    return None


def _nothing(ops: Sequence[Op]) -> str | None:
    done = [op for op in ops if op.outcome == "ok"]
    if not any(op.f == "send" for op in done):
        return "no send was acknowledged"
    if not any(op.f == "poll" and any((op.output or {}).values()) for op in done):
        return "no poll showed any message"
    return None


def _figures(logs: Collection[_Log]) -> dict[str, Any]:
    return {
        "acknowledged": sum(op.outcome == "ok" for log in logs for op in log.sends),
        "recovered": sum(
            op.outcome == "info" and op.input in log.where for log in logs for op in log.sends
        ),
        "unobserved": sum(log.unobserved() for log in logs),
        "polls": len({op.index for log in logs for op, _, _ in log.polls}),
    }


def _notes(figures: Mapping[str, Any]) -> tuple[str, ...]:
    unobserved = figures["unobserved"]
    if not unobserved:
        return ()
    return (f"{unobserved} acknowledged messages are in no poll",)
