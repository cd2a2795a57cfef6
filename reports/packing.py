"""The operations of a run as a page carries them: columns of small integers, compressed.

A page must open with hundreds of thousands of operations in it. As JSON they would be tens of
megabytes to parse; as compressed columns they are a few, and the browser reads them in place.
"""

import base64
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from partita.checker import OUTCOMES, History
from partita.reports.figures.availability import Ints
from partita.reports.stored import StoredRun

# Beyond this many, acknowledged operations are thinned out: no screen could show them.
OPERATIONS_MAX = 250_000
TEXT_MAX = 48
NONE = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Packed:
    """`header` says how to read `data`, which is base64 of gzip of the columns in a row."""

    header: dict[str, Any]
    data: str


def pack(run: StoredRun, wanted: Sequence[int] = ()) -> Packed:
    """Pack a run's operations, those in `wanted` always among them."""
    history = run.history
    rows = chosen_rows(history, wanted)
    lane, lanes = _lanes(run, rows)
    tick = max(1000, -(-run.end // (NONE - 1)))
    # Widest first, so that each column is aligned and can be read in place.
    columns: dict[str, npt.NDArray[Any]] = {
        "process": history.process[rows].astype(np.float64),
        **_times(run, rows, tick),
        "row": rows.astype(np.uint32),
        "error": history.error[rows].astype(np.uint32),
        "key": history.key[rows].astype(np.uint32),
        "input": history.input[rows].astype(np.uint32),
        "output": history.output[rows].astype(np.uint32),
        "lane": lane.astype(np.uint16),
        "f": history.f[rows].astype(np.uint8),
        "outcome": history.outcome[rows].astype(np.uint8),
        "node": history.node[rows].astype(np.uint8),
    }
    header = {
        "count": len(rows),
        "left_out": len(history) - len(rows),
        "tick_s": tick / 1e9,
        "none": NONE,
        "columns": [[name, str(column.dtype)] for name, column in columns.items()],
        "fs": history.fs,
        "outcomes": OUTCOMES,
        "nodes": history.nodes,
        "errors": history.errors,
        "keys": [shortened(key) for key in history.keys],
        "lanes": lanes,
    }
    texts = msgspec.json.encode([shortened(value) for value in history.values])
    return Packed(header, compressed(b"".join(c.tobytes() for c in columns.values()) + texts))


def compressed(raw: bytes) -> str:
    """Base64 of gzip; the same bytes always give the same text."""
    return base64.b64encode(gzip.compress(raw, 6, mtime=0)).decode()


def shortened(value: Any) -> str:
    """A value as JSON, long lists by their last elements and long texts by their beginning."""
    if isinstance(value, list) and len(value) > 6:
        last = ", ".join(shortened(each) for each in value[-3:])
        return f"[…, {last}] ({len(value):,} elements)"
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"


def chosen_rows(history: History, wanted: Sequence[int] = ()) -> Ints:
    """All rows, or where they are too many: all that are not ok, and every so manieth that is."""
    if len(history) <= OPERATIONS_MAX:
        return np.arange(len(history))
    ok = np.flatnonzero(history.outcome == OUTCOMES.index("ok"))
    others = np.flatnonzero(history.outcome != OUTCOMES.index("ok"))
    others = others[:: max(1, -(-2 * len(others) // OPERATIONS_MAX))]
    step = -(-len(ok) // max(1, OPERATIONS_MAX - len(others)))
    return np.unique(np.concatenate([ok[::step], others, np.array(wanted, dtype=np.int64)]))


def _times(run: StoredRun, rows: Ints, tick: int) -> dict[str, npt.NDArray[np.uint32]]:
    """Due, sent and completed in ticks since the run began; `NONE`: nobody heard of it again."""
    history = run.history
    sent, completed = history.invoked_ns[rows], history.completed_ns[rows]
    due = np.where(history.due_ns[rows] < 0, sent, history.due_ns[rows])
    return {
        "due": (np.maximum(due, 0) // tick).astype(np.uint32),
        "sent": (np.maximum(sent, 0) // tick).astype(np.uint32),
        "completed": np.where(completed < 0, NONE, completed // tick).astype(np.uint32),
    }


def _lanes(run: StoredRun, rows: Ints) -> tuple[Ints, list[str]]:
    """A lane for each worker, sorted by node, and the lanes' names.

    A worker whose operation ended `info` goes on as the process that is `concurrency` higher.
    """
    history = run.history
    workers = history.process[rows] % int(run.spec.get("concurrency") or NONE)
    pairs = np.stack([history.node[rows], workers])
    distinct, lane = np.unique(pairs, axis=1, return_inverse=True)
    order = sorted(range(distinct.shape[1]), key=lambda at: _lane_key(run, distinct[:, at]))
    names = [f"{_node_name(run, distinct[0, at])} · {distinct[1, at]}" for at in order]
    return np.argsort(order)[lane.reshape(-1)], names


def _lane_key(run: StoredRun, pair: Ints) -> tuple[int, int]:
    node = _node_name(run, pair[0])
    return (run.nodes.index(node) if node in run.nodes else len(run.nodes), int(pair[1]))


def _node_name(run: StoredRun, code: int) -> str:
    return run.history.nodes[code] if code >= 0 else "?"
