"""What was run, as pairs of a name and a value."""

from collections.abc import Mapping, Sequence
from typing import Any


def facts_of(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was run, as pairs of a name and a value, the most important first."""
    arguments = spec.get("arguments") or {}
    named = {
        "system": spec.get("system"),
        "bug": arguments.get("bug"),
        "server arguments": arguments.get("server_args"),
        "workload": spec.get("workload"),
        "reads": spec.get("reads"),
        "nodes": " ".join(spec.get("nodes", ())),
        "rate": f"{spec['rate']:g} operations/s" if spec.get("rate") else None,
        "concurrency": spec.get("concurrency"),
        "time limit": f"{spec['time_limit']:g} s" if spec.get("time_limit") else None,
        "time-out": f"{spec['timeout']:g} s",
        "faults": _schedule(spec.get("schedule") or ()),
        "seed": spec.get("seed"),
        "started": spec.get("started"),
        "versions": ", ".join(f"{k} {v}" for k, v in (spec.get("versions") or {}).items()),
    }
    return [(name, str(value)) for name, value in named.items() if value not in (None, "")]


def _schedule(steps: Sequence[Mapping[str, Any]]) -> str:
    said = (f"{s.get('at', 0):g}s {s.get('action', '')} {s.get('target') or ''}" for s in steps)
    return "; ".join(each.strip() for each in said)
