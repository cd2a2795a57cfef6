"""The messages that a page carries: columns of numbers and the bodies, compressed.

A page cannot carry a million bodies. It carries a whole stretch of time around what is shown at
first, with no message left out of it, and says where the stretch begins and ends.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from partita.checker import OUTCOMES
from partita.reports.fragments import colour_variable
from partita.reports.packing import compressed
from partita.reports.palette import OUTCOME, fault_colour
from partita.reports.spacetime import DRAWN_MAX, SpaceTime, family, said

CARRIED_MAX = 50_000
OPERATIONS_MAX = 20_000
BODY_MAX = 400  # characters
MICROSECOND = 1000


@dataclass(frozen=True, slots=True)
class Carried:
    """`header` says how to read `data`. Messages before and after the stretch are not there."""

    header: dict[str, Any]
    data: str
    count: int
    begin_s: float
    end_s: float
    before: int
    after: int


def carried(drawn: SpaceTime, most: int = CARRIED_MAX) -> Carried:
    """Pack the messages around what is shown at first."""
    messages = drawn.messages
    first, last = _stretch(drawn, most)
    rows = np.arange(first, last)
    columns: dict[str, npt.NDArray[Any]] = {
        "sent": (messages.sent[rows] // MICROSECOND).astype(np.float64),
        "at": (messages.at[rows] // MICROSECOND).astype(np.float64),
        "id": messages.id[rows].astype(np.uint32),
        "size": messages.size[rows].astype(np.uint32),
        "src": messages.src[rows].astype(np.uint16),
        "dest": messages.dest[rows].astype(np.uint16),
        "sender": messages.sender[rows].astype(np.uint16),
        "kind": messages.kind[rows].astype(np.uint16),
        "fate": messages.fate[rows].astype(np.uint8),
        "copy": messages.copy[rows].astype(np.uint8),
    }
    texts = msgspec.json.encode([_shortened(body) for body in messages.bodies(rows.tolist())])
    raw = b"".join(column.tobytes() for column in columns.values()) + texts
    header = {
        "count": len(rows),
        "columns": [[name, str(column.dtype)] for name, column in columns.items()],
        "most": DRAWN_MAX,
        "names": messages.names,
        "kinds": messages.kinds,
        "families": [family(kind) for kind in messages.kinds],
        "fates": messages.fates,
        "colours": [colour_variable(colour) for colour in drawn.colours],
        "outcomes": {name: colour_variable(colour) for name, colour in OUTCOME.items()},
        "faults": _faults(drawn),
        "shown": [moment / 1e9 for moment in drawn.interval],
        "judged": bool(drawn.named),
        **_lines(drawn),
        "operations": _operations(drawn, first, last),
    }
    begin, end = (int(messages.sent[at]) / 1e9 for at in (first, last - 1))
    header["from_s"], header["to_s"] = begin, end
    return Carried(header, compressed(raw), len(rows), begin, end, first, len(messages) - last)


def _stretch(drawn: SpaceTime, most: int) -> tuple[int, int]:
    """The first message that is carried, and the first one after them."""
    count = len(drawn.messages)
    begin, end = np.searchsorted(drawn.messages.sent, drawn.interval)
    spare = max(0, most - int(end - begin))
    first = max(0, min(int(begin) - spare // 2, count - most))
    return first, min(count, first + most)


def _lines(drawn: SpaceTime) -> dict[str, Any]:
    lines, shown = drawn.lines, drawn.shown()
    return {
        "lines": [
            {"name": line.name, "codes": line.codes, "process": line.process} for line in lines
        ],
        "first": [place for place, line in enumerate(lines) if line in shown],
    }


def _operations(drawn: SpaceTime, first: int, last: int) -> list[list[Any]]:
    """Process, from, to (-1: open), outcome, text, whether named, request, answer, and more."""
    history, requests = drawn.run.history, drawn.requests
    begin, end = drawn.messages.sent[[first, last - 1]].tolist()
    there = (history.invoked_ns <= end) & (
        (history.completed_ns >= begin) | (history.completed_ns < 0)
    )
    rows = np.flatnonzero(there)[:OPERATIONS_MAX].tolist()
    found = []
    for row in [*rows, *(each for each in drawn.named if not there[each])]:
        outcome = OUTCOMES[history.outcome[row]]
        request = requests.of_operation.get(row)
        answer = None if request is None else requests.answer(request)
        found.append(
            [
                int(history.process[row]),
                int(history.invoked_ns[row]) // MICROSECOND,
                -1 if outcome == "info" else int(history.completed_ns[row]) // MICROSECOND,
                outcome,
                said(drawn.run.history, row),
                row in drawn.named,
                _place(request, first, last),
                _place(answer, first, last),
                _more(drawn, row),
            ]
        )
    return found


def _more(drawn: SpaceTime, row: int) -> str:
    """What else is known of an operation: its key, and why it failed."""
    op = drawn.run.history[row]
    return ", ".join([f"key {op.key}"] * (op.key is not None) + ([op.error] if op.error else []))


def _place(row: int | None, first: int, last: int) -> int:
    return row - first if row is not None and first <= row < last else -1


def _faults(drawn: SpaceTime) -> list[dict[str, Any]]:
    run = drawn.run
    return [
        {
            "number": fault.number,
            "label": fault.label,
            "from": fault.begin / 1e9,
            "to": fault.ended(run.end) / 1e9,
            "colour": colour_variable(fault_colour(fault.action)),
            "down": {
                node: fault.restored.get(node, fault.ended(run.end)) / 1e9 for node in fault.down
            },
        }
        for fault in run.faults
    ]


def _shortened(body: str) -> str:
    return body if len(body) <= BODY_MAX else body[: BODY_MAX - 1] + "…"
