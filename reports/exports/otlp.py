"""Spans as a file of OTLP: JSON Lines, as OpenTelemetry's Collector reads and writes them."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from partita.reports.exports.spans import Spans
from partita.reports.stored import StoredRun

_IDS = ("traceId", "spanId", "parentSpanId")


def write(run: StoredRun, path: Path, tell: Callable[[int, int], None]) -> str:
    """Write a run's spans to a file; returns what was written, in words."""
    spans = Spans(run)
    with path.open("wb") as file:
        for batch in spans.batches(tell):
            message = MessageToDict(encode_spans(batch), use_integers_for_enums=True)
            file.write(msgspec.json.encode(_with_hex(message)) + b"\n")
    return f"{len(spans):,} spans"


def _with_hex(message: dict[str, Any]) -> dict[str, Any]:
    """Write ids in hex, as OTLP has them; other messages of protobuf have base64 in JSON."""
    for resource in message["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                span |= {name: base64.b64decode(span[name]).hex() for name in _IDS if name in span}
    return message
