"""What `partita regress` says: a line for each run, then what became of each row."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from partita.harness.commands.announce import Case
from partita.harness.commands.summary import WORDS, wrapped
from partita.harness.regress.finding import Row, as_object
from partita.harness.regress.looking import Result, Try

Versions = Callable[[str], Mapping[str, str]]
_WIDTH = 30


class Telling:
    """Tells how it goes, on stdout; in JSON there is only the end."""

    def __init__(self, as_json: bool) -> None:
        self._quiet = as_json

    def begins(self, row: Row) -> None:
        self._say(f"{click.style(row.name, bold=True)}: {row.finding.title}")

    def tried(self, done: Try) -> None:
        word, colour = WORDS[done.valid]
        if done.control:
            what = "control"
        else:
            what = "found" if done.good else "not found"
        verdict = click.style(f"{word:7}", fg=colour)
        self._say(f"  {what:9} {verdict} {done.seconds:5.0f} s  seed {done.seed}")
        if not done.good:
            self._say(wrapped(done.said))

    def ended(self, result: Result) -> None:
        self._say(_row(result))
        if result.found:
            self._say(wrapped(result.found.said))
        if result.problem:
            self._say(click.style(wrapped(f"not as expected: {result.problem}"), fg="red"))
        self._say("")

    def _say(self, text: str) -> None:
        if not self._quiet:
            click.echo(text)


def listed(rows: Sequence[Row], *, as_json: bool) -> str:
    """Return which rows there are."""
    if as_json:
        return json.dumps([as_object(row) for row in rows], indent=1)
    lines = []
    for row in rows:
        finding = row.finding
        slow = "" if finding.quick else ", not with --quick"
        lines.append(f"{click.style(f'{row.name:{_WIDTH}}', bold=True)} {finding.title}")
        lines.append(f"  {finding.software} {finding.version}, {finding.kind}{slow}")
    return "\n".join(lines)


def document(result: Result, versions: Versions) -> dict[str, Any]:
    """Return what became of a row, ready for JSON."""
    found, control = result.found, result.control
    of_failing = next((each.run for each in result.failing if each.run), None)
    of_control = next((each.run for each in control if each.run), None)
    return {
        **as_object(result.row),
        "as_expected": result.as_expected,
        "problem": result.problem,
        "searches": len(result.searches),
        "found": len(result.times),
        "runs_of_failing": len(result.failing),
        "seconds_to_find": result.seconds_to_find,
        "seconds": result.searches,
        "control_valid": sum(each.good for each in control),
        "control_runs": len(control),
        "explanation": found.said if found else None,
        "versions": versions(of_failing) if of_failing else {},
        "control_versions": versions(of_control) if of_control else {},
        "report": f"{found.run}/report.html" if found else None,
        "tries": [asdict(each) for each in result.tries],
    }


def total(results: Sequence[Result]) -> str:
    """Return the table at the end."""
    good = sum(each.as_expected for each in results)
    return "\n".join([*map(_row, results), f"{good} of {len(results)} as their files say"])


def case(result: Result) -> Case:
    """Return the test case that a row is."""
    told = [_counts(result), *([result.found.said] if result.found else [])]
    told += [f"{each.run}/report.html" for each in (result.found,) if each]
    seconds = sum(each.seconds for each in result.tries)
    kind = None if result.as_expected else "failure"
    return _case(result.row, seconds, kind, result.problem or "", told)


def not_looked_for(row: Row) -> Case:
    """Return the test case of a row that was not looked for."""
    return _case(row, 0.0, "error", "Partita was ended before this row was looked for", [])


def _case(row: Row, seconds: float, kind: str | None, said: str, told: Sequence[str]) -> Case:
    of = f"partita.regress.{row.finding.software}"
    return Case(of, row.name, seconds, kind, "not as expected", said, tuple(told))


def _row(result: Result) -> str:
    word, colour = ("found", "green") if result.as_expected else ("NOT AS EXPECTED", "red")
    name = f"{result.row.name:{_WIDTH}}"
    return f"{name} {click.style(word, fg=colour)} {_counts(result)}"


def _counts(result: Result) -> str:
    """Say how often it was found, in how many seconds, and what the control came to."""
    parts = [f"{len(result.times)} of {len(result.searches)}"]
    if result.times:
        parts.append(f"in {result.seconds_to_find:.0f} s{_range(result.times)}")
    if len(result.failing) > len(result.searches):
        parts.append(f"({len(result.failing)} runs)")
    good = sum(each.good for each in result.control)
    return f"{' '.join(parts)}; control valid {good} of {len(result.control)}"


def _range(times: Sequence[float]) -> str:
    return "" if len(times) == 1 else f" ({min(times):.0f} to {max(times):.0f})"
