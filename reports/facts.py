"""What was run, as pairs of a name and a value."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Facts = list[tuple[str, str]]


def facts_of(spec: Mapping[str, Any]) -> Facts:
    """What was run (run.json), as pairs of a name and a value, the most important first."""
    known = [
        ("system", spec.get("system")),
        *_of_system(spec),
        ("workload", spec.get("workload")),
        *_settings(_owned(spec, "workload")),
        ("expected", ", ".join(f"{k}={v}" for k, v in (spec.get("expect") or {}).items())),
        ("nodes", " ".join(spec.get("nodes", ()))),
        ("rate", f"{spec['rate']:g} operations/s" if spec.get("rate") else None),
        ("concurrency", spec.get("concurrency")),
        ("time limit", f"{spec['time_limit']:g} s" if spec.get("time_limit") else None),
        ("time-out", f"{spec['timeout']:g} s"),
        ("faults", _schedule(spec.get("schedule") or ())),
        *_of_faults(spec),
        ("seed", spec.get("seed")),
        ("started", spec.get("started")),
        ("versions", ", ".join(f"{k} {v}" for k, v in (spec.get("versions") or {}).items())),
    ]
    return [(name, str(value)) for name, value in known if value not in (None, "")]


def settings_of(spec: Mapping[str, Any]) -> Facts:
    """What was set about system and workload, also of runs that did not say whose it was."""
    found = [*_of_system(spec), *_settings(_owned(spec, "workload"))]
    return [(name, str(value)) for name, value in found if value not in (None, "")]


def steps_of(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The steps of the schedule that begin a fault."""
    return [s for s in spec.get("schedule") or () if s.get("action") not in ("heal", "start")]


def _of_system(spec: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if spec.get("options"):
        yield from _settings(_owned(spec, "system"))
        return
    arguments = spec.get("arguments") or {}
    yield "bug", arguments.get("bug")
    yield "server arguments", arguments.get("server_args")
    yield "reads", spec.get("reads")


def _of_faults(spec: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for fault, settings in _owned(spec, "faults").items():
        for name, value in _settings(settings if isinstance(settings, Mapping) else {}):
            yield f"{fault}: {name}", value


def _owned(spec: Mapping[str, Any], owner: str) -> Mapping[str, Any]:
    return (spec.get("options") or {}).get(owner) or {}


def _settings(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        yield name.replace("_", " "), _said(value)


def _said(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(map(str, value))
    return value


def _schedule(steps: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(map(_step, steps))


def _step(step: Mapping[str, Any]) -> str:
    given = [f"{name}={value}" for name, value in (step.get("settings") or {}).items()]
    said = [f"{step.get('at', 0):g}s", step.get("action"), step.get("target"), *given]
    return " ".join(str(each) for each in said if each)
