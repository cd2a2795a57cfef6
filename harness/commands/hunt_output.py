"""What a hunt says: a line for each try, each step that was taken, and at the end the command."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from partita.harness.commands.summary import WORDS, wrapped
from partita.harness.hunting.hunt import Findings, Found
from partita.harness.hunting.shrinking import Smaller, Trial
from partita.harness.hunting.tries import Row
from partita.nemesis.blocks import text_of

_PURPOSES = {"look": "seed {seed}", "rate": "again", "shrink": "shorter"}


class Telling:
    """Tells how it goes, on stdout; in JSON there is only the end."""

    def __init__(self, as_json: bool) -> None:
        self._quiet = as_json

    def row(self, row: Row) -> None:
        word, colour = WORDS[row.valid]
        what = _PURPOSES[row.purpose].format(seed=row.seed)
        schedule = row.schedule or "no fault"
        self._say(
            f"{what:9} {click.style(f'{word:7}', fg=colour)} {row.seconds:5.0f} s  {schedule}"
        )
        if row.reason and (row.purpose == "look" or not row.failed):
            self._say(wrapped(row.reason))

    def measured(self, found: Found) -> None:
        self._say(f"fails {found.failed} of {found.runs} times")

    def smaller(self, smaller: Smaller) -> None:
        self._say(f"still fails with {smaller.what}: {_size(smaller.trial)}")

    def _say(self, text: str) -> None:
        if not self._quiet:
            click.echo(text)


def document(
    system: str,
    workload: str,
    findings: Findings,
    rows: Sequence[Row],
    commands: Mapping[str, str],
) -> dict[str, Any]:
    """Return all that is to be known of a hunt, as JSON has it."""
    run = findings.smallest.run if findings.smallest else None
    return {
        "found": findings.first is not None,
        "stopped": findings.stopped,
        "system": system,
        "workload": workload,
        "runs": len(rows),
        "seconds": round(sum(row.seconds for row in rows), 1),
        "first": _found(findings.first, commands.get("first")),
        "smallest": _found(findings.smallest, commands.get("smallest")),
        "report": f"{run}/report.html" if run else None,
        "reason": next((row.reason for row in rows if run and row.run == run), None),
        "steps": [_step(step) for step in findings.steps],
        "tried": _tried(findings, rows),
        "tries": [asdict(row) for row in rows],
    }


def summary(document: Mapping[str, Any]) -> str:
    """Return the end of a hunt for a terminal, several lines without a final newline."""
    lines = ["", *_table(document["tried"])]
    stopped = f" ({document['stopped']})" if document["stopped"] else ""
    made = f"{document['runs']} runs in {document['seconds']:.0f} s{stopped}"
    if not document["found"]:
        return "\n".join([*lines, "", f"nothing failed: {made}"])
    first, smallest = document["first"], document["smallest"]
    head = click.style("FAILS", fg="red", bold=True)
    lines += [
        "",
        f"{head} {smallest['failed']} of {smallest['runs']} times: {_shorter(first, smallest)}",
        wrapped(document["reason"] or ""),
        f"  {smallest['command']}",
        "",
        f"  {made}; {document['report']}",
    ]
    return "\n".join(lines)


def _found(found: Found | None, command: str | None) -> dict[str, Any] | None:
    if found is None:
        return None
    rate = {"failed": found.failed, "runs": found.runs}
    return {"command": command, "seed": found.seed, **rate, **_trial(found.trial)}


def _step(step: Smaller) -> dict[str, Any]:
    return {"what": step.what, "failed": step.failed, "runs": step.runs, **_trial(step.trial)}


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "schedule": text_of(trial.blocks),
        "faults": trial.faults,
        "time_limit": trial.time_limit,
        "options": dict(trial.options),
    }


def _tried(findings: Findings, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Count in how many tries each fault was, by its target, and in how many that failed."""
    tries: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for row in rows:
        if row.purpose == "look":
            parts = [part.split() for part in row.schedule.split("; ") if part]
            names = {" ".join(part[1:3]) for part in parts if part[1] not in ("heal", "start")}
            tries.update(names)
            failed.update(names if row.failed else ())
    return [
        {"fault": name, "tries": count, "failed": failed[name]}
        for name, count in sorted(tries.items())
    ]


def _table(tried: Sequence[Mapping[str, Any]]) -> list[str]:
    if not tried:
        return []
    width = max(len(row["fault"]) for row in tried)
    lines = [f"  {'tried':{width}}  in tries  that failed"]
    return lines + [
        f"  {row['fault']:{width}}  {row['tries']:8}  {row['failed'] or '':>11}" for row in tried
    ]


def _shorter(first: Mapping[str, Any], smallest: Mapping[str, Any]) -> str:
    faults = f"{_faults(smallest['faults'])} in place of {first['faults']}"
    return f"{faults}, {smallest['time_limit']:g} s in place of {first['time_limit']:g}"


def _size(trial: Trial) -> str:
    options = "".join(f", {name} {value}" for name, value in trial.options.items())
    return f"{_faults(trial.faults)} in {trial.time_limit:g} s{options}"


def _faults(count: int) -> str:
    return "1 fault" if count == 1 else f"{count or 'no'} faults"
