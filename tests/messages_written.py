"""Writes the messages of a synthetic run, as a router would have written them.

Every node but `LEADER` hands requests to it: request, forward, answer, reply. A node that is cut
off loses what it forwards.
"""

import json
from pathlib import Path
from typing import Any

LEADER = "n3"
STEP = 100_000  # ns that a message takes


def write_messages(directory: Path, heartbeats: int = 0) -> Path:
    """Put a messages.jsonl beside a run's history; so many heartbeats come in its first second."""
    lines: list[dict[str, Any]] = []
    events = [json.loads(line) for line in (directory / "history.jsonl").read_text().splitlines()]
    ends = {}
    for event in events:
        process = event["process"]
        if not isinstance(process, int):
            continue
        if event["type"] == "invoke":
            ends[process] = event
        elif process in ends:
            lines += _operation(ends.pop(process), event)
    for number in range(heartbeats):
        sent = number * 1_000_000_000 // heartbeats
        body = {"type": "heartbeat", "term": 1}
        lines.append({"sent": sent, "src": LEADER, "dest": "n1", "at": sent + STEP, "body": body})
    path = directory / "messages.jsonl"
    numbered = ({"id": number} | line for number, line in enumerate(lines, 1))
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in numbered))
    return path


def _operation(invoke: dict[str, Any], end: dict[str, Any]) -> list[dict[str, Any]]:
    node, client, number = invoke["node"], f"c{invoke['process'] + 1}", invoke["time"]
    asked = {"type": invoke["f"], "key": 1, "msg_id": number}
    way = [(client, node, asked)]
    if node != LEADER:
        way.append((node, LEADER, {"type": "forward", "body": asked}))
        way.append((LEADER, node, {"type": "forward_ok"}))
    way.append((node, client, {"type": invoke["f"] + "_ok", "in_reply_to": number}))
    answered = end["type"] == "ok"
    lines = []
    for step, (src, dest, body) in enumerate(way if answered else way[:2]):
        sent = invoke["time"] + STEP + step * 2 * STEP
        line = {"sent": sent, "src": src, "dest": dest, "body": body}
        lost = not answered and step == 1
        lines.append(line | ({"lost": "cut"} if lost else {"at": sent + STEP}))
    return lines
