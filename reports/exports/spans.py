"""A run as spans of OpenTelemetry: one trace, in which each operation and each fault has a span.

Names of attributes are OpenTelemetry's own where it has one (a store is a database, whoever asks
it a client), and begin with `partita.` where it has none. Times are real ones, if the run knows
when it began. The same run always has the same trace and the same spans, so that whoever looks at
it twice finds the same.
"""

from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import islice
from typing import Any

import msgspec
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from partita.checker import Op
from partita.checker.history import NEVER
from partita.reports.figures.faults import Fault
from partita.reports.packing import shortened
from partita.reports.sentences import verdict_sentence, verdict_word
from partita.reports.stored import StoredRun

# What is sent in one request, and stands in one line of a file.
SPANS_A_TIME = 1000
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
MISMATCH = "mismatch"


class Spans:
    """The spans of a run: the run's own, then its faults', then its operations' as they began."""

    def __init__(self, run: StoredRun) -> None:
        self._run = run
        self._began = run.began_ns or 0
        self.trace = _number(16, msgspec.json.encode([run.spec, run.began_ns]))
        self._root = self._context("run")
        version = str((run.spec.get("versions") or {}).get("partita", ""))
        self._scope = InstrumentationScope("partita", version)
        self._resources = {
            name: Resource({"service.name": name, "service.version": version})
            for name in ("partita", "partita-nemesis", "partita-clients")
        }

    def __len__(self) -> int:
        return 1 + len(self._run.faults) + len(self._run.history)

    def __iter__(self) -> Iterator[ReadableSpan]:
        yield self._of_run()
        yield from map(self._of_fault, self._run.faults)
        yield from map(self._of_operation, self._run.history)

    def batches(self, tell: Callable[[int, int], None]) -> Iterator[list[ReadableSpan]]:
        """Yield the spans some at a time, and tell how many were taken before."""
        spans, taken = iter(self), 0
        while batch := list(islice(spans, SPANS_A_TIME)):
            tell(taken, len(self))
            taken += len(batch)
            yield batch

    def _of_run(self) -> ReadableSpan:
        run = self._run
        attributes = {
            "partita.system": run.spec.get("system"),
            "partita.workload": run.spec.get("workload"),
            "partita.command": run.spec.get("command"),
            "partita.seed": run.spec.get("seed"),
            "partita.nodes": run.nodes,
            "partita.verdict": verdict_word(run.results).lower(),
        }
        phases = [
            Event("phase", {"partita.phase": str(each.value)}, self._began + each.time)
            for each in run.history.others.of("phase")
        ]
        code = _code(run.results.get("valid"))
        said = verdict_sentence(run.results) if code is StatusCode.ERROR else None
        return self._span(
            run.name, self._root, "partita", (0, run.end), attributes, Status(code, said), phases
        )

    def _of_fault(self, fault: Fault) -> ReadableSpan:
        attributes = {
            "partita.fault.number": fault.number,
            "partita.fault.action": fault.action,
            "partita.fault.target": fault.target,
            "partita.fault.description": fault.description,
            "partita.fault.hosts": list(fault.down) or sorted(fault.grudge),
            "partita.fault.bit": fault.bit,
            "partita.open": fault.end is None or None,
            **{f"partita.fault.proof.{name}": _plain(value) for name, value in fault.proof.items()},
        }
        code = _code(fault.bit)
        said = fault.error or "it did not bite" if code is StatusCode.ERROR else None
        moments = {"in force": fault.cut, "healing": fault.heal}
        return self._span(
            fault.label,
            self._context(f"fault {fault.number}"),
            "partita-nemesis",
            (fault.begin, fault.ended(self._run.end)),
            attributes,
            Status(code, said),
            [Event(name, {}, self._began + at) for name, at in moments.items() if at is not None],
        )

    def _of_operation(self, op: Op) -> ReadableSpan:
        """The span of an operation: one that nobody heard of again lasts to the end of the run."""
        history = self._run.history
        is_open = bool(history.ended_rank[op.index] == NEVER)
        end = self._run.end if is_open else int(history.completed_ns[op.index])
        attributes = {
            "db.system.name": self._run.spec.get("system"),
            "db.operation.name": op.f,
            "server.address": op.node,
            "error.type": None if op.outcome == "ok" else op.error or "_OTHER",
            "partita.outcome": op.outcome,
            "partita.process": op.process,
            "partita.key": _said(op.key),
            "partita.input": _said(op.input),
            "partita.output": _said(op.output),
            "partita.version": op.version if op.version >= 0 else None,
            "partita.waited_ms": (op.invoked - op.due) / 1e6 if op.due >= 0 else None,
            "partita.open": is_open or None,
        }
        return self._span(
            f"{op.f} {op.node}" if op.node else op.f,
            self._context(f"operation {op.index}"),
            "partita-clients",
            (op.invoked, end),
            attributes,
            _status(op, is_open),
            kind=SpanKind.CLIENT,
        )

    def _span(
        self,
        name: str,
        context: SpanContext,
        service: str,
        times: tuple[int, int],
        attributes: dict[str, Any],
        status: Status,
        events: list[Event] | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> ReadableSpan:
        begin, end = max(0, times[0]), max(0, *times)
        return ReadableSpan(
            name=name,
            context=context,
            parent=None if context is self._root else self._root,
            resource=self._resources[service],
            attributes={name: said for name, said in attributes.items() if said is not None},
            events=events or (),
            kind=kind,
            status=status,
            start_time=self._began + begin,
            end_time=self._began + end,
            instrumentation_scope=self._scope,
        )

    def _context(self, of: str) -> SpanContext:
        own = _number(8, f"{self.trace:032x} {of}".encode())
        return SpanContext(self.trace, own, is_remote=False, trace_flags=SAMPLED)


def _status(op: Op, is_open: bool) -> Status:
    """Say how an operation ended: in OpenTelemetry's words, which know no "perhaps".

    A cas that met another value failed, and yet the store answered as it should.
    """
    if op.outcome == "ok":
        return Status(StatusCode.OK)
    if op.outcome == "fail" and op.error == MISMATCH:
        return Status(StatusCode.UNSET)
    if op.outcome == "fail":
        return Status(StatusCode.ERROR, f"it did not happen: {op.error or 'nobody said why'}")
    reason = "it never ended" if is_open else op.error or "nobody said why"
    return Status(StatusCode.ERROR, f"nobody knows whether it happened: {reason}")


def _code(good: Any) -> StatusCode:
    """Return the code for what is true, false, or (None, "unknown") not known."""
    if good is True:
        return StatusCode.OK
    return StatusCode.ERROR if good is False else StatusCode.UNSET


def _said(value: Any) -> str | None:
    return None if value is None else shortened(value)


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else shortened(value)


def _number(size: int, text: bytes) -> int:
    return int.from_bytes(blake2b(text, digest_size=size).digest())
