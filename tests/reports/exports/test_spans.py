"""A run as spans: the trace, its times, and how what ended badly or never is told."""

import base64
import gzip
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData
from synthetic_run import SECOND, Story, write_run

from partita.reports import RunError, read_run
from partita.reports.exports import ExportError, export, spans
from partita.reports.stored import StoredRun

OK, ERROR, UNSET = 1, 2, 0
MOMENT = 1_795_370_400 * SECOND  # 2026-11-22T18:00:00Z, when the run was started
Spans = dict[str, Span]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    return write_run(folder, Story(seconds=30, cut=5, heal=20))


@pytest.fixture(scope="module")
def broken_off(run: Path) -> Path:
    """The same run, had its controller been killed while the fault was in force."""
    folder = run.parent / "broken-off"
    folder.mkdir()
    (folder / "run.json").write_bytes((run / "run.json").read_bytes())
    lines = (run / "history.jsonl").read_text().splitlines()
    kept = [line for line in lines if json.loads(line)["time"] <= 9 * SECOND]
    (folder / "history.jsonl").write_text("\n".join(kept) + '\n{"time":90000')
    return folder


def _file(run: Path, name: str = "spans.jsonl") -> Path:
    path = run.parent / name
    export(run, str(path), lambda *_: None)
    return path


def _parsed(path: Path) -> Iterator[tuple[str, Span]]:
    """Yield services and their spans, as OpenTelemetry's own messages read a file of OTLP."""
    for line in path.read_text().splitlines():
        yield from _of(ParseDict(_with_base64(json.loads(line)), TracesData()))


def _with_base64(message: dict[str, Any]) -> dict[str, Any]:
    """Ids as protobuf's own JSON has them: OTLP's are in hex."""
    for resource in message["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in {"traceId", "spanId", "parentSpanId"} & span.keys():
                    span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    return message


def _of(message: Any) -> Iterator[tuple[str, Span]]:
    for resource in message.resource_spans:
        service = _attributes(resource.resource)["service.name"]
        for scope in resource.scope_spans:
            yield from ((str(service), span) for span in scope.spans)


def _attributes(of: Any) -> Mapping[str, Any]:
    return {each.key: _value(each.value) for each in of.attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind)


def _clients(found: list[tuple[str, Span]]) -> list[Span]:
    return [span for service, span in found if service == "partita-clients"]


def test_the_run_is_one_trace_with_a_root(run: Path) -> None:
    found = list(_parsed(_file(run)))
    stored = read_run(run)
    assert len(found) == 1 + 1 + len(stored.history)
    assert len({span.trace_id for _, span in found}) == 1
    assert len({span.span_id for _, span in found}) == len(found)
    (root,) = [span for _, span in found if not span.parent_span_id]
    assert {span.parent_span_id for _, span in found} == {b"", root.span_id}
    assert (root.name, root.status.code) == ("zookeeper register", OK)
    assert _attributes(root)["partita.verdict"] == "valid"
    assert (root.start_time_unix_nano, root.end_time_unix_nano) == (MOMENT, MOMENT + stored.end)


def test_operations_have_their_own_times_and_ends(run: Path) -> None:
    stored = read_run(run)
    operations = _clients(list(_parsed(_file(run))))
    for span, op in zip(operations, stored.history, strict=True):
        said = _attributes(span)
        assert span.start_time_unix_nano == MOMENT + op.invoked
        assert span.end_time_unix_nano == MOMENT + stored.history.completed_ns[op.index]
        assert (span.name, span.kind) == (f"{op.f} {op.node}", Span.SPAN_KIND_CLIENT)
        assert (said["db.operation.name"], said["server.address"]) == (op.f, op.node)
        assert (said["partita.outcome"], said["partita.process"]) == (op.outcome, op.process)
        assert said.get("partita.waited_ms") == _waited_ms(op.invoked, op.due)
        assert "partita.open" not in said
    ends = {(_attributes(span)["partita.outcome"], span.status.code) for span in operations}
    assert ends == {("ok", OK), ("fail", UNSET), ("fail", ERROR), ("info", ERROR)}
    unset = [span for span in operations if span.status.code == UNSET]
    assert {_attributes(span)["error.type"] for span in unset} == {"mismatch"}
    unknown = [span for span in operations if _attributes(span)["partita.outcome"] == "info"]
    said = {span.status.message for span in unknown}
    assert said == {"nobody knows whether it happened: timeout"}


def _waited_ms(invoked: int, due: int) -> float | None:
    return (invoked - due) / 1e6 if due >= 0 else None


def test_a_fault_lasts_from_its_beginning_to_its_healing(run: Path) -> None:
    ((_, fault),) = [each for each in _parsed(_file(run)) if each[0] == "partita-nemesis"]
    said = _attributes(fault)
    assert fault.name == "partition n1 n2 | n3 n4 n5"
    assert fault.start_time_unix_nano == MOMENT + 5 * SECOND
    assert fault.end_time_unix_nano == MOMENT + round(20.4 * SECOND)
    at = {event.name: (event.time_unix_nano - MOMENT) / SECOND for event in fault.events}
    assert at == {"in force": 5.3, "healing": 20.0}
    assert said["partita.fault.hosts"] == ["n1", "n2", "n3", "n4", "n5"]
    assert said["partita.fault.proof.packets_dropped"] == 4711
    assert said["partita.fault.proof.pairs_unreachable"] == 12
    assert (said["partita.fault.bit"], fault.status.code) == (True, OK)


def test_what_was_open_when_the_controller_was_killed_ends_with_the_run(broken_off: Path) -> None:
    stored = read_run(broken_off)
    found = list(_parsed(_file(broken_off, "broken.jsonl")))
    root = found[0][1]
    assert (_attributes(root)["partita.verdict"], root.status.code) == ("unknown", UNSET)
    is_open = {span.name for _, span in found if _attributes(span).get("partita.open")}
    assert "partition n1 n2 | n3 n4 n5" in is_open
    never = np.flatnonzero(stored.history.completed_ns < 0)
    operations = _clients(found)
    assert len(never)
    for index in never:
        span = operations[index]
        assert _attributes(span)["partita.open"] is True
        assert span.end_time_unix_nano == MOMENT + stored.end == root.end_time_unix_nano
        assert "it never ended" in span.status.message


def test_a_fault_that_did_not_bite_and_a_violation_are_errors(run: Path) -> None:
    folder = run.parent / "invalid"
    folder.mkdir()
    for name in ("run.json", "history.jsonl"):
        text = (run / name).read_text()
        (folder / name).write_text(text.replace('"bit":true', '"bit":false'))
    (folder / "results.json").write_text('{"valid": false, "reason": "a write was lost"}')
    found = list(_parsed(_file(folder, "invalid.jsonl")))
    assert (found[0][1].status.code, found[0][1].status.message) == (ERROR, "a write was lost")
    assert (found[1][1].status.code, found[1][1].status.message) == (ERROR, "it did not bite")


def test_the_same_run_is_the_same_trace_and_another_is_another(run: Path, broken_off: Path) -> None:
    first, again = _file(run, "first.jsonl"), _file(run, "again.jsonl")
    assert first.read_bytes() == again.read_bytes()
    other = {span.trace_id for _, span in _parsed(_file(broken_off, "broken.jsonl"))}
    stored = read_run(run)
    stored.spec["started"] = "2026-11-22T18:00:01Z"
    third = spans.Spans(StoredRun(stored.directory, stored.spec, stored.history, stored.results))
    assert other == {span.trace_id for _, span in _parsed(first)}  # one run, broken off in the copy
    assert third.trace.to_bytes(16) not in other


@pytest.fixture
def receiver() -> Iterator["Receiver"]:
    made = Receiver()
    yield made
    made.close()


class Receiver:
    """Takes OTLP over HTTP, keeps what it got, and answers as it is told."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, ExportTraceServiceRequest]] = []
        self.headers: list[Mapping[str, str]] = []
        self.status = 200
        self.answer = ExportTraceServiceResponse()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                request = ExportTraceServiceRequest.FromString(body)
                receiver.requests.append((self.path, request))
                receiver.headers.append(dict(self.headers))
                answer = receiver.answer.SerializeToString()
                self.send_response(receiver.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def spans(self) -> list[tuple[str, Span]]:
        return [each for _, request in self.requests for each in _of(request)]


def test_a_receiver_gets_the_spans_that_a_file_has(
    run: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "SPANS_A_TIME", 100)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    told: list[tuple[int, int]] = []
    said = export(run, receiver.address, lambda *done: told.append(done))
    in_file = [span for _, span in _parsed(_file(run))]
    assert [span for _, span in receiver.spans()] == in_file
    assert said == (
        f"{len(in_file):,} spans sent to {receiver.address}/v1/traces, "
        f"trace {in_file[0].trace_id.hex()}"
    )
    assert {path for path, _ in receiver.requests} == {"/v1/traces"}
    assert {headers["x-key"] for headers in receiver.headers} == {"secret"}
    assert told == [(at, len(in_file)) for at in range(0, len(in_file), 100)]


def test_who_refuses_spans_is_told_on(run: Path, receiver: Receiver) -> None:
    receiver.answer.partial_success.rejected_spans = 3
    receiver.answer.partial_success.error_message = "too old"
    with pytest.raises(ExportError, match=r"rejected 3 of \d+ spans: too old"):
        export(run, receiver.address, lambda *_: None)
    receiver.status = 401
    with pytest.raises(ExportError, match=r"it answered 401 Unauthorized: .* 0 of \d+ spans were"):
        export(run, f"{receiver.address}/v1/traces", lambda *_: None)


def test_where_nobody_listens(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    with pytest.raises(ExportError, match=r"Connection refused: is there a collector .*4318"):
        export(run, "http://127.0.0.1:1", lambda *_: None)


def test_a_run_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run directory"):
        export(tmp_path, str(tmp_path / "spans.jsonl"), lambda *_: None)
    assert list(tmp_path.iterdir()) == []
