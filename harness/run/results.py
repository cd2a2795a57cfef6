"""From a run directory to its results: the check, the evidence, the verdict, the pictures.

A verdict of the checker is not yet a verdict on the run. A run in which an operation never
succeeded, nothing was read, or a fault did not bite has shown nothing, and is unknown.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from partita import reports
from partita.checker import History, vacuous
from partita.harness.run.any_run import further, judged_after, worse
from partita.harness.run.gate import Thresholds, judge
from partita.harness.run.journal import write_json
from partita.harness.run.judging import deciding, judged, notes
from partita.harness.run.owners import workload_of
from partita.workloads.workload import Workload

_NOBODY: Mapping[str, str] = MappingProxyType({})
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def conclude(
    directory: Path,
    workload: Workload,
    problems: Sequence[str],
    limits: Thresholds,
    *,
    down: Mapping[str, str] = _NOBODY,
    interrupted: bool = False,
    measured: Mapping[str, Any] = _NOTHING,
) -> dict[str, Any]:
    """Check a run's history, weigh the evidence, write results.json and return its content.

    `problems` are reasons, known to whoever made the run, not to trust it. `limits` decide
    whether it passed, not whether it is valid. `down` are the nodes that did not come back after
    the last heal, each with its log's last words: that is a finding of its own. A run that was
    `interrupted` is never valid: that is one of the problems. `measured` is what the system says
    of itself.
    """
    run = json.loads((directory / "run.json").read_text())
    history = History.read(directory / "history.jsonl")
    own = judged(history, workload.checks, run)
    after = judged_after(history, further(workload), run)
    checks = own | after
    decisive = worse(deciding(own), after)
    summary = reports.summarise(history, run)
    spared = [f for f, operation in workload.operations.items() if not operation.needed]
    nothing = vacuous(history, spared)
    doubts = [*problems, *_doubts(summary, workload), *([nothing] if nothing else [])]
    reasons = list(doubts)
    if decisive["valid"] not in (True, False):
        reasons.append(decisive["reason"] or _nothing_asked(run))
    valid = decisive["valid"] if decisive["valid"] is False or not reasons else "unknown"
    outcome: dict[str, Any] = {
        "valid": valid,
        "reason": decisive["explanation"] if valid is False else "; ".join(reasons) or None,
        "notes": notes(checks),
        "doubts": doubts,
        "down": dict(down),
        "interrupted": interrupted,
        "system": run["system"],
        "workload": run["workload"],
        **_set_counts(checks),
        **measured,
        **summary,
        "checks": checks,
        "verdict": decisive | {"operations": len(history)},
        "seed": run["seed"],
        "run": str(directory),
    }
    outcome |= judge(outcome, limits)
    write_json(directory / "results.json", outcome)
    return outcome


def _nothing_asked(run: Mapping[str, Any]) -> str:
    return (
        f"{run['system']} promises nothing that this workload is judged by, with these settings: "
        "--expect names a level that it must reach"
    )


def recover(directory: Path) -> dict[str, Any]:
    """Make the results and the report of a run whose controller died, from its journal.

    Such a run is never valid: it ended before it was over. Raises `RunError` for what is no run,
    and `click.UsageError` for a run that has its results.
    """
    run = reports.read_spec(directory)
    if reports.is_alive(directory):
        raise click.UsageError(f"{directory} is still in progress: partita serve follows it")
    if _has_results(directory):
        raise click.UsageError(f"{directory} has its results already: partita report {directory}")
    cut_off = "the run was cut off before it was over"
    workload = workload_of(run)
    outcome = conclude(directory, workload, [cut_off], Thresholds(), interrupted=True)
    draw(directory)
    return outcome


def _has_results(directory: Path) -> bool:
    """Whether there are results that can be read: half of them are none."""
    with suppress(reports.RunError):
        return (directory / "results.json").exists() and bool(reports.read_results(directory))
    return False


def draw(directory: Path) -> None:
    """Draw the charts and the page of a run."""
    reports.write_all(directory)


def _doubts(summary: dict[str, Any], workload: Workload) -> list[str]:
    """Say what in the figures forbids a verdict of valid."""
    doubts = []
    if not summary["availability"]:
        doubts.append("no operation of the load was acknowledged in time")
    by_f = summary["statistics"]["by_f"]
    for f, operation in workload.operations.items():
        if not operation.needed:
            continue
        if f not in by_f:
            doubts.append(f"no {f} was ever invoked")
        elif by_f[f]["ok"] and not summary["load_ok"][f]:
            doubts.append(f"no {f} succeeded before the final reads")
    if any(True for _ in workload.final()):
        doubts += _unread(summary["final_reads"])
    for fault in summary["faults"]:
        if not fault["bit"]:
            what = f"{fault['action']} {fault['target']}".strip()
            doubts.append(f"fault {fault['fault']} ({what}) did not bite: {_why(fault)}")
    return doubts


def _unread(final: dict[str, Any] | None) -> list[str]:
    """What was acknowledged last is only known to be there if it was read at the end."""
    if final is None or (final["ok"] and not final["unread"]):
        return []
    what = f"of {', '.join(final['unread'])} " if final["ok"] else ""
    return [f"no final read {what}succeeded, so that nobody knows what is left in the store"]


def _why(fault: dict[str, Any]) -> str:
    if fault.get("error"):
        return str(fault["error"])
    return ", ".join(f"{name} {value}" for name, value in (fault["proof"] or {}).items())


def _set_counts(checks: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What became of elements, by the first check that counts them: only a queue reorders."""
    figures = [check["figures"] for check in checks.values()]
    known: Mapping[str, Any] = next((each for each in figures if "acknowledged" in each), {})
    return {name: known.get(name) for name in ("acknowledged", *reports.FATES)}
