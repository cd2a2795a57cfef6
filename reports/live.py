"""A run in progress: what was added to its history since one last looked."""

from pathlib import Path
from typing import Any

import msgspec

BYTES_MAX = 4 * 2**20


def added(history: Path, offset: int) -> dict[str, Any]:
    """The events written after `offset` bytes, a few megabytes at most, and where to go on.

    `{"events": [...], "next": offset, "more": whether there is more already}`. A line that is only
    half-written, or is no event, is left out; an absent history has no events.
    """
    if not history.exists():
        return {"events": [], "next": 0, "more": False}
    offset = min(offset, history.stat().st_size)
    with history.open("rb") as file:
        file.seek(offset)
        found = file.read(BYTES_MAX)
    whole = found[: found.rfind(b"\n") + 1]
    events = [event for line in whole.splitlines() if (event := _event(line))]
    return {
        "events": events,
        "next": offset + len(whole),
        "more": len(found) == BYTES_MAX and bool(whole),
    }


def _event(line: bytes) -> dict[str, Any] | None:
    """An event without its value, which the live page has no use for, but of the nemesis."""
    try:
        event = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return None
    if not isinstance(event, dict) or "process" not in event:
        return None
    kept = ("time", "due", "type", "process", "f", "node")
    of_a_client = isinstance(event["process"], int)
    return {name: event[name] for name in (kept if of_a_client else event) if name in event}
