"""Records what a test does to an object, and has it checked: `Recorder`.

**The order.** All events of a recorder stand in one list: an invocation is appended before the
call is made, a completion after the call has returned. Appending to a list is atomic in every
Python, so the place in the list is the one number that orders an event. If a completion stands
before an invocation, then the first call had returned before the second was made: who appends
holds the interpreter's lock, or that of the list in a free-threaded Python, and whoever takes a
lock sees all that was done before it was given back. So nothing can be called invalid because
of how it was recorded. A thread that is held up between a call and its event only makes an
operation look longer than it was, which allows more orders, never fewer. Clocks are read too,
but only to be shown.

**The values** become JSON at once: a list that is changed later stays as it was answered.

**The processes** of a history are found when it is asked for. Each thread, and each asyncio
task, has one; a second one if an operation is begun inside another; and a new one after an
operation whose outcome is unknown, which may take effect at any time later.
"""

import asyncio
import threading
from asyncio.events import _get_running_loop
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from time import monotonic_ns
from types import TracebackType
from typing import Any, Final, Self
from weakref import WeakKeyDictionary

import msgspec

from partita.checker.history import History, Outcome
from partita.checker.json_values import NoJson, as_json
from partita.checker.linearizability.check import check
from partita.checker.models.model import Model, ModelError
from partita.checker.plugins import names
from partita.checker.statistics import statistics
from partita.checker.verdict import Verdict
from partita.checker.verdict_text import as_text

# Exceptions as `except` takes them: a class, or a tuple of classes.
Kinds = type[BaseException] | tuple[type[BaseException], ...]

_UNSET: Final[Any] = object()
_SHORT: Final = 60
_NULL: Final = b"null"
# Made for their answer: one without it was recorded by mistake.
_ANSWERING: Final = frozenset({"read", "get", "dequeue", "contains", "drain"})
# Nothing but these, and whatever the object did is valid.
_BLIND: Final = frozenset({"write", "put", "append", "add", "enqueue"})


class RecordingError(Exception):
    """What cannot be recorded: one line that names the operation and says what to do."""


class Recorder:
    """Records operations on one object, or on one for each key, from all threads and tasks.

    ::

        recorder = Recorder("fifo-queue")
        with recorder.operation("enqueue", 3) as op:
            op.output = queue.put(3)
        assert recorder.check().valid is True

    `model` and `initial` are what `partita.checker.check` takes. Exceptions of the kinds
    `definite` say for certain that an operation had no effect. `time_limit` is in seconds and
    for each check. All four may also be set later, until the check.
    """

    def __init__(
        self,
        model: str | Model | None = None,
        *,
        initial: Any = None,
        definite: Kinds = (),
        time_limit: float | None = 60.0,
    ) -> None:
        self.model = model
        self.initial = initial
        self.definite = definite
        self.time_limit = time_limit
        self._began = monotonic_ns()
        self._events: list[Call] = []  # a call stands here once it is invoked, and again when over
        self._append = self._events.append
        self._problems: list[str] = []
        self._thread = _Thread()
        self._tasks: WeakKeyDictionary[asyncio.Task[Any], _Owner] = WeakKeyDictionary()

    def operation(
        self, f: str, value: Any = None, *, key: Any = None, definite: Kinds = ()
    ) -> "Call":
        """Return an operation, which is under way as long as the `with` block around its call.

        The names of `f` are the model's ("read", "enqueue"), `value` is what the operation is
        given, and `key` names the object if there are several. `definite` adds to the
        recorder's. Raises `RecordingError`, as the end of the block does.
        """
        if not isinstance(f, str) or not f:
            raise self._refused(f"an operation is called {f!r}: its name must be a text")
        try:
            given = as_json(value)
        except NoJson as error:
            raise self._refused(f"{f} {_short(value)}: the value {error}") from None
        try:
            named = None if key is None else as_json(key)
        except NoJson as error:
            raise self._refused(f"{f} {_short(value)}: the key {_short(key)} {error}") from None
        return Call(self, f, given, named, definite)

    def history(self) -> History:
        """Return what was recorded up to now; what is under way has no outcome yet.

        Recording may go on meanwhile and afterwards. Raises `RecordingError` if something could
        not be recorded, or an answer is missing.
        """
        if self._problems:
            raise RecordingError(self._problems[0])
        events = self._events[:]  # in one step, as appending is
        _refuse_missing(events)
        return History.of_events(_lines(events, self._began))

    def check(
        self,
        model: str | Model | None = None,
        *,
        initial: Any = None,
        time_limit: float | None = None,
    ) -> Verdict:
        """Decide whether what was recorded is linearizable.

        What is not given here is as the recorder has it. A history that would be valid whatever
        the object did (nothing succeeded, nothing was observed) is unknown. Raises `ModelError`
        if no model is named or it does not fit, and what `history` raises.
        """
        return self._checked(self.history(), model, initial, time_limit)

    def assert_valid(
        self,
        model: str | Model | None = None,
        *,
        initial: Any = None,
        time_limit: float | None = None,
    ) -> None:
        """Raise an `AssertionError` that says in English what is wrong, unless `check` is valid."""
        history = self.history()
        verdict = self._checked(history, model, initial, time_limit)
        if verdict.valid is not True:
            raise AssertionError(as_text(history, verdict))

    def write(self, path: Path | str) -> None:
        """Write what was recorded to a file: `partita check` reads it."""
        self.history().write(Path(path))

    def _checked(
        self,
        history: History,
        model: str | Model | None,
        initial: Any,
        time_limit: float | None,
    ) -> Verdict:
        chosen = self.model if model is None else model
        if chosen is None:
            listed = ", ".join(names("models"))
            raise ModelError(f"what is the object? Name its model, as in model='set': {listed}")
        verdict = check(
            history,
            chosen,
            initial=self.initial if initial is None else initial,
            time_limit=self.time_limit if time_limit is None else time_limit,
        )
        nothing = _nothing(history)
        if verdict.valid is not False and nothing:
            return replace(verdict, valid="unknown", reason=nothing)
        return verdict

    def _owner(self) -> "_Owner":
        """Return who is calling: an asyncio task, or else a thread."""
        loop = _get_running_loop()
        if loop is None:
            return self._thread.owner
        task = asyncio.current_task(loop)
        if task is None:
            return self._thread.owner
        owner = self._tasks.get(task)
        if owner is None:
            owner = self._tasks[task] = _Owner(task.get_name())
        return owner

    def _refused(self, problem: str) -> RecordingError:
        """Keep a problem for `history`: an exception in a thread is easily overlooked."""
        self._problems.append(problem)
        return RecordingError(problem)


class Call:
    """One operation. Set `output` to what the call returned, before the `with` block ends.

    Without an exception it is ok. With one of the definite kinds it is failed, unless there was
    an output already; with any other its outcome is unknown. Exceptions always go on.
    """

    __slots__ = (
        "_answer",
        "_completed",
        "_definite",
        "_error",
        "_f",
        "_input",
        "_invoked",
        "_key",
        "_outcome",
        "_owner",
        "_recorder",
        "output",
    )

    def __init__(
        self, recorder: Recorder, f: str, given: bytes, key: bytes | None, definite: Kinds
    ) -> None:
        self.output = _UNSET
        self._recorder = recorder
        self._f = f
        self._input = given
        self._key = key
        self._definite = definite
        self._answer: bytes | None = None
        self._outcome: Outcome = "ok"
        self._error: str | None = None
        self._owner: _Owner | None = None
        self._completed = -1

    def fail(self, error: str = "failed") -> None:
        """Say that the call certainly had no effect, where it does not say so by an exception.

        The error "mismatch" says of a cas that the value was another one: `output`, if that is
        set.
        """
        self._end("fail", error)

    def info(self, error: str = "unknown") -> None:
        """Say that nobody knows whether the call took effect, or ever will."""
        self._end("info", error)

    def __enter__(self) -> Self:
        if self._owner is not None:
            raise self._recorder._refused(f"{self}: is begun twice: each call is an operation()")
        self._owner = self._recorder._owner()
        self._invoked = monotonic_ns()
        self._recorder._append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        problem = None
        if kind is not None:
            self._raised(kind)
        elif self.output is not _UNSET:
            try:
                self._answer = as_json(self.output)
            except NoJson as reason:
                self._outcome = "info"  # it happened, but what it answered is lost
                problem = f"{self}: the output {_short(self.output)} {reason}"
        self._completed = monotonic_ns()
        self._recorder._append(self)
        if problem:
            raise self._recorder._refused(problem)

    def __str__(self) -> str:
        where = f" of key {self._key.decode()}" if self._key else ""
        given = "" if self._input == _NULL else f" {self._input.decode()}"
        return f"{self._f}{given}{where}{f' by {self._owner.name}' if self._owner else ''}"

    def _end(self, outcome: Outcome, error: str) -> None:
        if self._owner is None or self._completed >= 0:
            raise self._recorder._refused(f"{self}: say {outcome}() inside the with block")
        self._outcome = outcome
        self._error = error

    def _raised(self, kind: type[BaseException]) -> None:
        """Note an exception. Where an output was set the call had returned: it was not its own."""
        certain = self.output is _UNSET and (
            issubclass(kind, self._definite) or issubclass(kind, self._recorder.definite)
        )
        self._outcome = "fail" if certain else "info"
        self._error = kind.__name__


@dataclass(slots=True, eq=False)
class _Owner:
    """A thread or a task. Never the thread's own number, which another one may get later."""

    name: str


class _Thread(threading.local):
    def __init__(self) -> None:
        self.owner = _Owner(threading.current_thread().name)


def _lines(calls: list[Call], began: int) -> Iterator[dict[str, Any]]:
    """Yield the events as a history file has them, see `History`."""
    idle: defaultdict[_Owner | None, list[int]] = defaultdict(list)
    under_way: dict[Call, int] = {}
    new: Callable[[], int] = count().__next__
    now = 0
    for call in calls:
        process = under_way.pop(call, None)
        if process is None:
            free = idle[call._owner]
            process = under_way[call] = free.pop() if free else new()
            # Clocks are read outside the order. They are shown in it, or nobody could follow.
            now = max(now, call._invoked - began)
            yield _invocation(call, process, now)
        else:
            if call._outcome != "info":
                idle[call._owner].append(process)
            now = max(now, call._completed - began)
            yield _completion(call, process, now)


def _invocation(call: Call, process: int, now: int) -> dict[str, Any]:
    line: dict[str, Any] = {"time": now, "type": "invoke", "process": process, "f": call._f}
    if call._key is not None:
        line["key"] = msgspec.Raw(call._key)
    line["value"] = msgspec.Raw(call._input)
    if call._owner:
        line["thread"] = call._owner.name
    return line


def _completion(call: Call, process: int, now: int) -> dict[str, Any]:
    line: dict[str, Any] = {"time": now, "type": call._outcome, "process": process, "f": call._f}
    if call._outcome == "ok":
        line["value"] = msgspec.Raw(call._answer or _NULL)
    else:
        line["value"] = msgspec.Raw(call._input)
        line["error"] = call._error
    if call._outcome == "fail" and call._answer:
        line["actual"] = msgspec.Raw(call._answer)
    return line


def _refuse_missing(calls: list[Call]) -> None:
    """Refuse operations whose answer was forgotten: null would be taken for what they answered."""
    over = [call for call in calls if call._completed >= 0 and call._outcome == "ok"]
    answering = _ANSWERING.union(call._f for call in over if call._answer)
    for call in over:
        if call._answer is None and call._f in answering:
            raise RecordingError(
                f"{call}: has no output, as others of its kind have: set op.output inside the with"
                " block, to None if there was nothing"
            )


def _nothing(history: History) -> str | None:
    """Say why any object would have passed, None if that is not so."""
    if not len(history):
        return "nothing was recorded"
    succeeded = {f for f, counts in statistics(history).by_f.items() if counts.ok}
    if not succeeded:
        return f"none of the {len(history)} operations succeeded"
    if succeeded <= _BLIND and (history.output[history.outcome == 0] < 0).all():
        return f"nothing was observed: {' and '.join(sorted(succeeded))} alone cannot go wrong"
    return None


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"
