"""Results for machines and for a CI job's page: JUnit XML, Markdown, GitHub annotations."""

import os
import re
import socket
import sys
import xml.etree.ElementTree as xml
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from partita.harness.run.gate import FAILED, exit_code
from partita.reports import brief_checks, check_sentences

Outcome = Mapping[str, Any]
Outcomes = Mapping[str, Outcome]  # by the names of the runs


def write_reports(outcomes: Outcomes, *, junit: Path | None, summary: Path | None) -> None:
    """Write what was asked for. Raises `click.ClickException` if a file cannot be written."""
    if junit is not None:
        _write(junit, _junit(outcomes))
    if summary is not None:
        _write(summary, _markdown(outcomes))


def tell_github(outcomes: Outcomes) -> None:
    """Annotate a GitHub job, where this is one, and add to the job's page.

    What cannot be written there is said, and no more: it is an extra.
    """
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(_markdown(outcomes))
        except OSError as error:
            click.echo(f"partita: cannot write {path}: {error.strerror}", err=True)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for name, outcome in outcomes.items():
            if not outcome["passed"]:
                text = _escaped(f"{name}: {_why(outcome)}")
                print(f"::error title=Partita::{text}", file=sys.stderr)


def _junit(outcomes: Outcomes) -> str:
    """One test case a run: a failure is a violation or a missed threshold, an error the rest.

    Has what the stricter of the schemas in use ask for, and nothing that another one forbids.
    """
    kinds = [_kind(outcome) for outcome in outcomes.values()]
    suite = xml.Element(
        "testsuite",
        id="0",
        name="partita",
        package="partita",
        tests=str(len(outcomes)),
        failures=str(kinds.count("failure")),
        errors=str(kinds.count("error")),
        time=f"{sum(map(_seconds, outcomes.values())):.3f}",
        timestamp=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        hostname=socket.gethostname() or "localhost",
    )
    xml.SubElement(suite, "properties")
    for (name, outcome), kind in zip(outcomes.items(), kinds, strict=True):
        of, time = f"partita.{outcome['system']}", f"{_seconds(outcome):.3f}"
        case = xml.SubElement(suite, "testcase", classname=of, name=name, time=time)
        if kind:
            said = _why(outcome)
            problem = xml.SubElement(case, kind, type=_word(outcome), message=said.splitlines()[0])
            problem.text = "\n".join([said, *_checks(outcome)])
    told = [line for name, outcome in outcomes.items() for line in _told(name, outcome)]
    xml.SubElement(suite, "system-out").text = "\n".join(told)
    xml.SubElement(suite, "system-err")
    suites = xml.Element("testsuites")
    suites.append(suite)
    xml.indent(suites)
    document: bytes = xml.tostring(suites, encoding="utf-8", xml_declaration=True)
    return document.decode() + "\n"


def _told(name: str, outcome: Outcome) -> list[str]:
    """What a passed run has to say, too: where its report is, and what each check found."""
    if not outcome["run"]:
        return []
    where = f"{outcome['run']}/report.html (seed {outcome['seed']})"
    return [where, *(f"{name}: {said}" for said in _checks(outcome))]


def _checks(outcome: Outcome) -> list[str]:
    return [f"{name}: {_clean(said)}" for name, said in check_sentences(outcome).items()]


def _markdown(outcomes: Outcomes) -> str:
    lines = ["## Partita", "", "| verdict | run | seed | availability | checks | why |"]
    lines.append("|---|---|---|---|---|---|")
    for name, outcome in outcomes.items():
        share, seed = outcome.get("availability"), outcome["seed"]
        available = "" if share is None else f"{100 * share:.1f} %"
        why = "" if outcome["passed"] else _cell(_why(outcome))
        known = "" if seed is None else seed
        checks = "; ".join(f"{name}: {said}" for name, said in brief_checks(outcome).items())
        cells = [_word(outcome), _cell(name), str(known), available, _cell(checks), why]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _kind(outcome: Outcome) -> str | None:
    """A failure is what is known to be wrong with the store, an error is all else."""
    if outcome["passed"]:
        return None
    known = not outcome.get("error") and exit_code(outcome) == FAILED
    return "failure" if known else "error"


def _word(outcome: Outcome) -> str:
    if outcome.get("error"):
        return "harness failure"
    if outcome["valid"] is False:
        return "invalid"
    if _kind(outcome) == "failure":
        return "threshold missed"
    return "valid" if outcome["valid"] is True else "unknown"


def _why(outcome: Outcome) -> str:
    reasons = [outcome["reason"], *outcome.get("missed", ())]
    text = "; ".join(reason for reason in reasons if reason) or "no reason given"
    return _clean(text)


def _clean(text: str) -> str:
    """A text without what no XML may contain: a store's log may stand in it, with colours."""
    return re.sub(r"\x1b\[[0-9;]*m|[^\t\n\x20-\ud7ff\ue000-\ufffd]", "", text)


def _seconds(outcome: Outcome) -> float:
    return float(outcome.get("seconds") or 0)


def _escaped(text: str) -> str:
    """Escape as GitHub's workflow commands want it, so that text stays text."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from error
