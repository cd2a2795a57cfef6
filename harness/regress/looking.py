"""Looks for a row: the failing version until it fails, and then what keeps the promise as often.

It runs nothing itself, so that it is tested with runs that were made up. Unknown is no success:
it is neither what was to be found, nor a control that is valid.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from partita.harness.regress.finding import Finding, Row, Shows
from partita.harness.run.gate import FAILED, exit_code

# Does one run of a command with a seed; returns its results, with `error` if there was no run.
Conduct = Callable[[str, int], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Try:
    """One run: of the failing version or the control, and whether it came out as it must.

    `said` is the violation as Partita tells it, or what came out in its place.
    """

    control: bool
    number: int
    seed: int
    good: bool
    valid: Any
    said: str
    seconds: float
    run: str | None


@dataclass(slots=True)
class Result:
    """What became of a row. `searches` are the seconds of each search, None: it was not found."""

    row: Row
    tries: list[Try] = field(default_factory=list)
    searches: list[float | None] = field(default_factory=list)

    @property
    def failing(self) -> list[Try]:
        return [each for each in self.tries if not each.control]

    @property
    def control(self) -> list[Try]:
        return [each for each in self.tries if each.control]

    @property
    def found(self) -> Try | None:
        """The first run that showed it."""
        return next((each for each in self.failing if each.good), None)

    @property
    def times(self) -> list[float]:
        """The seconds of the searches that found it."""
        return [seconds for seconds in self.searches if seconds is not None]

    @property
    def seconds_to_find(self) -> float | None:
        """In how many seconds it was found, in the median."""
        return median(self.times) if self.times else None

    @property
    def as_expected(self) -> bool:
        """Whether each search found it, and each run of the control was valid."""
        return self.problem is None

    @property
    def problem(self) -> str | None:
        """What is not as the row says, in a sentence; None if nothing."""
        if len(self.times) < len(self.searches):
            last = next(each for each in reversed(self.failing) if not each.good)
            return (
                f"found in {len(self.times)} of {len(self.searches)} searches, "
                f"each of which had {self.row.finding.time_limit:g} s; a run said: {last.said}"
            )
        bad = [each for each in self.control if not each.good]
        if bad or not self.control:
            said = f"; a run said: {bad[0].said}" if bad else ""
            count = len(self.control)
            return f"the control is valid in {count - len(bad)} of {count} runs{said}"
        return None


def look_for(
    row: Row,
    conduct: Conduct,
    *,
    times: int,
    seed: int,
    told: Callable[[Try], None],
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """Search so many times for what the row shows; then run its control as often as that took.

    `told` is called after each run. A run that could not be made ends its search.
    """
    result = Result(row)
    finding = row.finding

    def once(control: bool, number: int) -> Try:
        began = clock()
        command = finding.control.command if control else finding.command
        outcome = conduct(command, seed + number - 1)
        seconds = round(clock() - began, 1)
        done = _tried(finding, outcome, control, number, seed + number - 1, seconds)
        result.tries.append(done)
        told(done)
        return done

    def search() -> bool:
        began = clock()
        while True:
            done = once(False, len(result.failing) + 1)
            if done.good:
                return True
            if done.run is None or clock() - began >= finding.time_limit:
                return False

    for _ in range(times):
        began = clock()
        found = search()
        result.searches.append(round(clock() - began, 1) if found else None)
    for number in range(1, len(result.failing) + 1):
        once(True, number)
    return result


def evidence(shows: Shows, outcome: Mapping[str, Any]) -> str | None:
    """Return the sentence by which a run shows what was to come out; None if it does not."""
    if outcome.get("error"):
        return None
    told = _missed(shows, outcome) if shows.verdict == "missed" else _violated(shows, outcome)
    return next((text for text in told if all(word in text for word in shows.words)), None)


def _tried(
    finding: Finding,
    outcome: Mapping[str, Any],
    control: bool,
    number: int,
    seed: int,
    seconds: float,
) -> Try:
    said = None if control else evidence(finding.shows, outcome)
    good = _kept(outcome) if control else said is not None
    text = f"{said}{_lost(outcome)}" if said else _came_out(outcome)
    run = outcome.get("run")
    return Try(control, number, seed, good, outcome["valid"], text, seconds, run)


def _kept(outcome: Mapping[str, Any]) -> bool:
    """A control must be valid, and miss no threshold."""
    return outcome["valid"] is True and bool(outcome.get("passed")) and not outcome.get("error")


def _violated(shows: Shows, outcome: Mapping[str, Any]) -> Iterator[str]:
    if outcome["valid"] is not False:
        return
    for name, check in outcome["checks"].items():
        meant = check["valid"] is False and shows.check in (None, name)
        if meant and (shows.rule is None or shows.rule in _rules(check["figures"])):
            yield str(check["explanation"] or outcome["reason"])


def _rules(figures: Mapping[str, Any]) -> list[str]:
    """Return the rules that were broken, and the anomalies of transactions."""
    named = [each["name"] for each in figures.get("anomalies", ())]
    return [*figures.get("violations", ()), *named]


def _missed(shows: Shows, outcome: Mapping[str, Any]) -> Iterator[str]:
    """A threshold that was missed, with the last words of a node that did not come back."""
    if exit_code(outcome) != FAILED or not outcome["missed"]:
        return
    missed = "; ".join(outcome["missed"])
    yield missed
    for node, words in (outcome.get("down") or {}).items():
        for line in words.splitlines():
            if any(word in line for word in shows.words):
                yield f"{missed}; {node} said last: {line.strip()}"


def _lost(outcome: Mapping[str, Any]) -> str:
    """Say how much was lost, where elements are counted."""
    lost = outcome.get("lost")
    return f" {lost} of {outcome['acknowledged']} acknowledged elements were lost." if lost else ""


def _came_out(outcome: Mapping[str, Any]) -> str:
    """Say what came out in a line."""
    said = [outcome.get("error") or outcome.get("reason"), *outcome.get("missed", ())]
    text = "; ".join(each for each in said if each)
    word = {True: "valid", False: "invalid"}.get(outcome["valid"], "unknown")
    return " ".join(f"{word}: {text}".split()) if text else word
