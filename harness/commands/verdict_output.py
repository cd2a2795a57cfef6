"""A verdict on a stored history, for eyes and for programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from partita.checker import NEVER, Counterexample, History, Verdict
from partita.checker.explain import action, when
from partita.harness.commands import anomalies_output
from partita.harness.commands.summary import WIDTH, WORDS

# So much of what an operation was is printed.
_ACTION_MAX = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of one file. `history` is None if it could not be read in time."""

    file: Path
    history: History | None
    verdict: Verdict
    load_seconds: float
    notes: list[str]
    checks: Mapping[str, Mapping[str, Any]] | None = None  # by name, if they were asked for so


def as_object(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as `--json` prints it."""
    verdict = outcome.verdict
    return {
        "file": str(outcome.file),
        "valid": verdict.valid,
        "engine": verdict.engine,
        "model": verdict.model,
        "operations": verdict.operations,
        "keys": verdict.keys,
        "seconds": round(verdict.seconds, 6),
        "load_seconds": round(outcome.load_seconds, 6),
        "peak_memory_mb": round(peak_memory() / 1e6, 1),
        "counterexample": _counterexample(outcome.history, verdict.counterexample),
        "reason": verdict.reason,
        "details": verdict.details,
        "notes": outcome.notes,
        **({"checks": outcome.checks} if outcome.checks is not None else {}),
    }


def as_text(outcome: Outcome, *, anomalies: bool = False) -> str:
    """Return the outcome in a few lines of at most 80 columns, without a final newline.

    If `anomalies`, all that were found are told, and not only what decides.
    """
    verdict = outcome.verdict
    word, colour = WORDS[verdict.valid]
    keys = "1 key" if verdict.keys == 1 else f"{verdict.keys:,} keys"
    lines = [
        f"{click.style(word, fg=colour, bold=True)}  {outcome.file}",
        f"  {verdict.operations:,} operations, {keys}, model {verdict.model},"
        f" engine {verdict.engine}, {verdict.seconds:.3g} s",
    ]
    if verdict.reason:
        lines.append(_wrapped(verdict.reason))
    for name, row in (outcome.checks or {}).items():
        asked = f"{row['expected']} expected" if row["expected"] else "no level was promised"
        lines.append(_wrapped(f"{name}: {_holding(row)}, {asked}"))
    if (figures := anomalies_of(outcome)) is not None:
        lines += map(_wrapped, anomalies_output.summary(figures))
    if figures is not None and anomalies:
        lines += [line for told in anomalies_output.each_told(figures)
                  for line in ("", _wrapped(told))]  # fmt: skip
    elif verdict.counterexample and outcome.history:
        lines += ["", _wrapped(verdict.counterexample.explanation), ""]
        lines += _rows(outcome.history, verdict.counterexample)
    return "\n".join([*lines, *(_wrapped(f"note: {note}") for note in outcome.notes)])


def anomalies_of(outcome: Outcome) -> Mapping[str, Any] | None:
    """Return the figures of the check that tells anomalies, None if none does."""
    figures = (row["figures"] for row in (outcome.checks or {}).values())
    return next((each for each in figures if "anomalies" in each), None)


def _holding(row: Mapping[str, Any]) -> str:
    """Say what holds; that nothing is known of a level does not mean that it does not hold."""
    if row["holds"] or all(each is False for each in row["levels"].values()):
        return f"{row['holds'] or 'no level'} holds"
    return "no level is known to hold"


def _counterexample(history: History | None, found: Counterexample | None) -> dict[str, Any] | None:
    if history is None or found is None:
        return None
    return {
        "explanation": found.explanation,
        "key": found.key,
        "operations": [_operation(history, row) for row in found.operations],
    }


def _operation(history: History, row: int) -> dict[str, Any]:
    """Times are ns, events count from 1 as lines do; null where unknown."""
    op = history[row]
    completed = int(history.completed_rank[row])
    return {
        "index": row,
        "process": op.process,
        "f": op.f,
        "key": op.key,
        "input": op.input,
        "output": op.output,
        "outcome": op.outcome,
        "version": None if op.version < 0 else op.version,
        "error": op.error,
        "node": op.node,
        "invoked": None if op.invoked < 0 else op.invoked,
        "completed": None if op.completed is None or op.completed < 0 else op.completed,
        "invoked_event": int(history.invoked_rank[row]) + 1,
        "completed_event": None if completed == NEVER else completed + 1,
    }


def _rows(history: History, found: Counterexample) -> list[str]:
    table = [
        (f"process {history.process_of(row)}", _cut(action(history, row)), when(history, row))
        for row in found.operations
    ]
    # What only events show, as a watch that fires twice, has no operations.
    widths = [max((len(row[column]) for row in table), default=0) for column in (0, 1)]
    return [f"    {who:<{widths[0]}}  {what:<{widths[1]}}  {at}" for who, what, at in table]


def _cut(text: str) -> str:
    """Leave out the end of what nobody would read: transactions may be as long as a page."""
    return text if len(text) <= _ACTION_MAX else f"{text[: _ACTION_MAX - 1]}…"


def _wrapped(text: str) -> str:
    """Wrap each line of a text."""
    return "\n".join(
        click.wrap_text(line, width=WIDTH, initial_indent="  ", subsequent_indent="  ")
        for line in text.splitlines()
    )


def peak_memory() -> int:
    """Return the most bytes that this process has held.

    Not by getrusage, which counts also what held the process that started this one.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
