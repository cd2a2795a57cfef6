"""Results for machines and for a CI job's page: JUnit XML, Markdown, GitHub annotations."""

import os
import re
import socket
import sys
import xml.etree.ElementTree as xml
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
        write_cases(junit, [_case(*each) for each in outcomes.items()])
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


@dataclass(frozen=True, slots=True)
class Case:
    """A test case of JUnit. `kind` is "failure", "error" or None, which is a pass.

    `said` and `more` say why it is none, and `told` what is to be known of any.
    """

    of: str
    name: str
    seconds: float
    kind: str | None
    type: str
    said: str
    told: tuple[str, ...]
    more: tuple[str, ...] = ()


def write_cases(path: Path, cases: Sequence[Case]) -> None:
    """Write test cases as JUnit XML. Raises `click.ClickException` if that is not possible."""
    _write(path, _junit(cases))


def _case(name: str, outcome: Outcome) -> Case:
    """A failure is a violation or a missed threshold, an error the rest."""
    kind = _kind(outcome)
    return Case(
        f"partita.{outcome['system']}",
        name,
        _seconds(outcome),
        kind,
        _word(outcome),
        _why(outcome) if kind else "",
        tuple(_told(name, outcome)),
        tuple(_checks(outcome)),
    )


def _junit(cases: Sequence[Case]) -> str:
    """Has what the stricter of the schemas in use ask for, and nothing that another one forbids."""
    kinds = [case.kind for case in cases]
    suite = xml.Element(
        "testsuite",
        id="0",
        name="partita",
        package="partita",
        tests=str(len(cases)),
        failures=str(kinds.count("failure")),
        errors=str(kinds.count("error")),
        time=f"{sum(case.seconds for case in cases):.3f}",
        timestamp=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        hostname=socket.gethostname() or "localhost",
    )
    xml.SubElement(suite, "properties")
    for each in cases:
        time = f"{each.seconds:.3f}"
        case = xml.SubElement(suite, "testcase", classname=each.of, name=each.name, time=time)
        if each.kind:
            said = _clean(each.said)
            problem = xml.SubElement(case, each.kind, type=each.type, message=_first_line(said))
            problem.text = "\n".join([said, *each.more])
    told = [_clean(line) for each in cases for line in each.told]
    xml.SubElement(suite, "system-out").text = "\n".join(told)
    xml.SubElement(suite, "system-err")
    suites = xml.Element("testsuites")
    suites.append(suite)
    xml.indent(suites)
    document: bytes = xml.tostring(suites, encoding="utf-8", xml_declaration=True)
    return document.decode() + "\n"


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""


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
