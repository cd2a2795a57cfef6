"""Spans sent by OTLP over HTTP to whoever takes them: a collector, Jaeger, a vendor.

The exporter is OpenTelemetry's own. It tries again where that makes sense, and its variables
(OTEL_EXPORTER_OTLP_HEADERS, …_CERTIFICATE, …_TIMEOUT) mean what they always do.
"""

import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from google.protobuf.message import DecodeError
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace.export import SpanExportResult

from partita.reports.exports.spans import Spans
from partita.reports.exports.target import ExportError
from partita.reports.stored import StoredRun

_PATH = "/v1/traces"
_PATIENCE_S = 3.0
_ASK = "is there a collector that takes OTLP over HTTP (its usual port is 4318)?"


def endpoint(to: str) -> str:
    """Return the whole address that spans go to. Raises `ExportError` if it cannot be one."""
    try:
        parts = urlsplit(to)
        known = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        known = False
    if not known:
        raise ExportError(f"--to {to}: this is no address: give http://HOST:PORT")
    return to if parts.path.endswith(_PATH) else f"{to.rstrip('/')}{_PATH}"


def send(run: StoredRun, url: str, tell: Callable[[int, int], None]) -> str:
    """Send a run's spans; returns what was sent, in words. Raises `ExportError`."""
    # It would write to the terminal each time that it tries again.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    spans, answers = Spans(run), _Answers()
    exporter = OTLPSpanExporter(endpoint=url, session=answers.session)
    sent = 0
    for batch in spans.batches(tell):
        if exporter.export(batch) is not SpanExportResult.SUCCESS:
            raise ExportError(
                f"{url}: {answers.last or _unreachable(url)} {_ASK} "
                f"{sent:,} of {len(spans):,} spans were sent"
            )
        sent += len(batch)
    if answers.rejected:
        raise ExportError(
            f"{url} rejected {answers.rejected:,} of {len(spans):,} spans: {answers.why}"
        )
    return f"{len(spans):,} spans sent to {url}, trace {spans.trace:032x}"


class _Answers:
    """What the other side answered: the exporter tells only whether a request came through."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.hooks["response"].append(self._hear)
        self.last = ""
        self.rejected = 0
        self.why = ""

    def _hear(self, response: Any, *_: Any, **__: Any) -> None:
        self.last = "" if response.ok else f"it answered {response.status_code} {response.reason}:"
        if not response.ok:
            return
        try:
            partial = ExportTraceServiceResponse.FromString(response.content).partial_success
        except DecodeError:  # an answer in JSON, or none of OTLP at all
            return
        self.rejected += partial.rejected_spans
        self.why = partial.error_message or self.why


def _unreachable(url: str) -> str:
    """Say why no answer came, as the system says it and not as a library does."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((str(parts.hostname), port), timeout=_PATIENCE_S) as plain:
            if parts.scheme == "https":
                context = ssl.create_default_context()
                context.wrap_socket(plain, server_hostname=parts.hostname).close()
    except OSError as error:
        return f"{error.strerror or error}:"
    return "no answer came in time:"
