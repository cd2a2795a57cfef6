"""The run in the Trace Event format, for those who have a viewer for it (Perfetto, chrome://tracing).

A node is a "process" and a worker a "thread" of it; an operation is a slice from sending to answer.
One of which nobody knows whether it happened is followed by an asynchronous slice to the end of the
run: it may take effect all that while. Faults, and who claims to lead, have lanes of their own.
Times are microseconds since the run began.
"""

from collections.abc import Iterator
from typing import Any

from partita.checker import Op
from partita.reports.figures.leaders import leaders_over_time
from partita.reports.packing import shortened
from partita.reports.stored import StoredRun

CLUSTER = 1


def trace_of(run: StoredRun) -> dict[str, Any]:
    """The trace as a JSON object."""
    return {
        "displayTimeUnit": "ms",
        "otherData": {"run": run.name, "started": str(run.spec.get("started", ""))},
        "traceEvents": [*_names(run), *_cluster(run), *_operations(run)],
    }


def _names(run: StoredRun) -> Iterator[dict[str, Any]]:
    yield _name("process_name", CLUSTER, 0, "cluster")
    for number, fault in enumerate(run.faults):
        yield _name("thread_name", CLUSTER, _fault_tid(number), f"fault {fault.number}")
    for node in run.nodes:
        yield _name("thread_name", CLUSTER, _leader_tid(run, node), f"{node} leads")
        yield _name("process_name", _pid(run, node), 0, node)


def _name(kind: str, pid: int, tid: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": pid, "tid": tid, "args": {"name": name}}


def _pid(run: StoredRun, node: str | None) -> int:
    return CLUSTER + 1 + (run.nodes.index(node) if node in run.nodes else len(run.nodes))


def _fault_tid(number: int) -> int:
    """A lane for each fault, for they may overlap."""
    return 1 + number


def _leader_tid(run: StoredRun, node: str) -> int:
    return 1 + len(run.faults) + run.nodes.index(node)


def _cluster(run: StoredRun) -> Iterator[dict[str, Any]]:
    for number, fault in enumerate(run.faults):
        tid = _fault_tid(number)
        span = _span(fault.label, CLUSTER, tid, fault.begin, fault.ended(run.end))
        yield span | {"cat": "fault", "args": {"bit": fault.bit, **fault.proof}}
    for node, spans in leaders_over_time(run.history, run.nodes, run.end).items():
        tid = _leader_tid(run, node)
        for begin, end in spans:
            yield _span("leads", CLUSTER, tid, begin, end) | {"cat": "leader"}


def _operations(run: StoredRun) -> Iterator[dict[str, Any]]:
    workers = int(run.spec.get("concurrency") or 0)
    for op in run.history:
        process = int(run.history.process[op.index])
        pid, tid = _pid(run, op.node), process % workers if workers else process
        completed = int(run.history.completed_ns[op.index])
        end = completed if completed >= 0 else run.end
        slice_ = _span(op.f, pid, tid, op.invoked, end)
        yield slice_ | {"cat": op.outcome, "args": _arguments(op)}
        if op.outcome == "info":
            doubt = {"name": f"{op.f} in doubt", "cat": "info", "id": op.index, "pid": pid}
            yield doubt | {"ph": "b", "tid": tid, "ts": end / 1000}
            yield doubt | {"ph": "e", "tid": tid, "ts": run.end / 1000}


def _arguments(op: Op) -> dict[str, Any]:
    said = {"key": op.key, "input": op.input, "output": op.output}
    texts = {name: shortened(value) for name, value in said.items() if value is not None}
    waited = (op.invoked - op.due) / 1e6 if op.due >= 0 else None
    plain = {"process": op.process, "error": op.error, "waited_ms": waited}
    return texts | {name: value for name, value in plain.items() if value is not None}


def _span(name: str, pid: int, tid: int, begin: int, end: int) -> dict[str, Any]:
    times = {"ts": begin / 1000, "dur": max(0, end - begin) / 1000}
    return {"ph": "X", "name": name, "pid": pid, "tid": tid, **times}
