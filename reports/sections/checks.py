"""What each check was asked, and what it found."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from partita.checker.explain import capital
from partita.reports.figures.checks import CheckResult, checks_of
from partita.reports.fragments import fragment
from partita.reports.section import Part
from partita.reports.sentences import because, stopped, unasked
from partita.reports.stored import StoredRun

WORDS = {True: ("holds", "valid"), False: ("broken", "invalid"), "unknown": ("unknown", "unknown")}


@dataclass(frozen=True, slots=True)
class Row:
    """A check as a row of the table; `tone` is the verdict's CSS class, `levels` have one each."""

    name: str
    how: str
    expected: str
    why: str
    word: str
    tone: str
    levels: tuple[tuple[str, str, str], ...]
    said: tuple[str, ...]


class Checks:
    """What each check was asked, and what it found."""

    title = "What was checked"
    order = 5

    def applies(self, run: StoredRun) -> bool:
        return bool(checks_of(run.results))

    def draw(self, run: StoredRun) -> Iterator[Part]:
        system = str(run.spec.get("system", "the system"))
        told: set[str] = set()  # of two checks that know a level the first explains it
        rows = [_row(check, system, told) for check in checks_of(run.results)]
        yield fragment("checks.html", rows=rows)


def _row(check: CheckResult, system: str, told: set[str]) -> Row:
    word, tone = WORDS.get(check.valid, ("not judged", ""))
    expected, why = _expected(check, system)
    levels = tuple(_level(check, level, check.levels[level]) for level in _shown(check))
    return Row(
        check.name, _how(check), expected, why, word, tone, levels, tuple(_said(check, told))
    )


def _shown(check: CheckResult) -> Collection[str]:
    """The levels to show: of models of isolation those that matter, for a section has them all."""
    if not check.tells_anomalies:
        return check.levels
    return [level for level in check.levels if level in (check.expected, check.holds)]


def _expected(check: CheckResult, system: str) -> tuple[str, str]:
    """Which level was expected, and why."""
    if check.expected is None:
        promised = f"{system}, as it was run, promises none of it"
        return (
            "nothing",
            promised if check.asked == "promise" else "nobody promises or asks for any",
        )
    why = {
        "promise": f"promised by {system} as it was run",
        "expect": "asked for with --expect",
    }
    return check.expected, why.get(check.asked, "what the check asks of any store")


def _level(check: CheckResult, level: str, answer: Any) -> tuple[str, str, str]:
    """A level with its sign and its tone: only what was expected is alarming if it is missing."""
    sign = {True: "✓", False: "✗"}.get(answer, "?")
    alarming = answer is not True and level == check.expected
    return level, sign, "valid" if answer is True else WORDS[answer][1] if alarming else "open"


def _said(check: CheckResult, told: set[str]) -> Iterator[str]:
    """What does not hold, and why; what is not known.

    Where a level that was expected is broken, those above it need no words.
    """
    missing = [str(check.expected)] if check.failed else check.unasked
    for level in missing:
        if level not in told:
            yield _why_not(check, level)
    told.update(missing)
    if check.reason:
        yield stopped(capital(check.reason))
    for note in check.notes:
        yield stopped(capital(note))


def _why_not(check: CheckResult, level: str) -> str:
    asked = "" if level == check.expected else f", which is {unasked(check)}"
    return stopped(f"Not {level}{asked}{because(check, level)}")


def _how(check: CheckResult) -> str:
    """By which means the check was made, and how long it took."""
    named: Mapping[str, str] = {"model": check.model, "engine": check.engine}
    said = [f"{name} {value}" for name, value in named.items() if value]
    if check.seconds is not None:
        ms = check.seconds * 1000
        said.append(f"{check.seconds:.2f} s" if ms >= 100 else f"{ms:.0f} ms")
    return ", ".join(said)
