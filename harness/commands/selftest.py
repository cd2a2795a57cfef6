"""`partita selftest`: the proof that the instrument works.

Runs the raft example as it is, which must be valid, and then with each of its planted mistakes,
each of which must be found, and called by its name where it has one.
"""

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from partita.harness.commands.selftest_cases import (
    CASES,
    CORRECT,
    CORRECT_SHORT,
    SHORT,
    SHOWS,
)
from partita.harness.commands.summary import wrapped
from partita.harness.commands.test import test
from partita.harness.run.progress import Progress
from partita.harness.run.session import Unavailable, conduct
from partita.harness.systems.raft import BUGS

ATTEMPTS = 6


@dataclass(slots=True)
class Result:
    """What came of one case: as expected or not, after how many runs and seconds.

    `named` are the anomalies of transactions that were found, and the rules that were broken.
    `as_expected` is None where this machine cannot have a fault of the case; then `said` says why.
    """

    bug: str | None
    explanation: str
    command: str
    as_expected: bool | None
    verdict: Any
    runs: int
    seconds: float
    said: str | None
    run: str
    named: list[str]


@click.command()
@click.argument("bugs", nargs=-1)
@click.option("--short", is_flag=True, help=f"Only the correct store and {', '.join(SHORT)}.")
@click.option("--seed", default=1, show_default=True, help="The first run's; each next one's +1.")
@click.option(
    "--runs-dir",
    default="runs",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as one JSON array.")
def selftest(bugs: Sequence[str], short: bool, seed: int, runs_dir: Path, as_json: bool) -> int:
    """Prove that planted mistakes are found, and that a correct store is not blamed.

    BUGS are those to look for [all]. Each is looked for in several runs, if need be.
    """
    unknown = [bug for bug in bugs if bug not in CASES]
    if unknown:
        raise click.UsageError(f"no bug is called {unknown[0]}: choose from {', '.join(CASES)}")
    progress = Progress()
    results = []
    try:
        if not bugs:
            results.append(_correct(short, seed, runs_dir, progress))
            _print(results[-1], as_json)
        for bug in bugs or (SHORT if short else CASES):
            results.append(_look_for(bug, seed, runs_dir, progress))
            _print(results[-1], as_json)
    finally:
        progress.close()
    if as_json:
        click.echo(json.dumps([asdict(result) for result in results], indent=1))
    else:
        _print_total(results)
    return 1 if any(result.as_expected is False for result in results) else 0


def arguments(bug: str | None, *, short: bool = False) -> str:
    """Return the arguments of `partita test` that a case is, without its seed."""
    if bug is None:
        return f"raft {CORRECT_SHORT if short else CORRECT}"
    return f"raft --bug {bug} {CASES[bug]}"


def _correct(short: bool, seed: int, runs_dir: Path, progress: Progress) -> Result:
    """Run the correct store; again only if nobody can say, as when a fault did not bite."""
    words = arguments(None, short=short)
    progress.say("running the correct store")
    return _until(None, words, seed, runs_dir, progress)


def _look_for(bug: str, seed: int, runs_dir: Path, progress: Progress) -> Result:
    """Run until the bug is found, a few times at most."""
    progress.say(f"looking for {bug}")
    try:
        return _until(bug, arguments(bug), seed, runs_dir, progress)
    except Unavailable as refusal:
        command = f"partita test {arguments(bug)} --seed {seed}"
        said = refusal.message
        return Result(bug, BUGS[bug], command, None, "unknown", 0, 0.0, said, "", [])


def _until(bug: str | None, words: str, seed: int, runs_dir: Path, progress: Progress) -> Result:
    began = time.monotonic()
    for runs in range(1, ATTEMPTS + 1):
        outcome = _run(words, seed + runs - 1, runs_dir, progress)
        if _as_expected(bug, outcome) or (bug is None and outcome["valid"] is False):
            break
    return _result(bug, words, outcome, runs, began)


def _as_expected(bug: str | None, outcome: Mapping[str, Any]) -> bool:
    """Say whether a correct store is valid, or a mistake was found and called by its name."""
    if bug is None or bug not in SHOWS:
        return bool(outcome["valid"] is (bug is None))
    named = set(_named(outcome))
    return all(named & set(names) for names in SHOWS[bug])


def _named(outcome: Mapping[str, Any]) -> list[str]:
    """Return the names of what the checks found: anomalies of transactions, rules that broke."""
    figures = [row["figures"] for row in outcome["checks"].values()]
    anomalies = [each["name"] for found in figures for each in found.get("anomalies", ())]
    return anomalies + [rule for found in figures for rule in found.get("violations", ())]


def _run(words: str, seed: int, runs_dir: Path, progress: Progress) -> dict[str, Any]:
    more = ["--seed", str(seed), "--runs-dir", str(runs_dir)]
    options = test.make_context("test", [*shlex.split(words), *more]).params
    outcome = conduct(options["system"], options, runs_dir, progress)
    if outcome["interrupted"]:
        raise click.Abort  # whoever pressed Ctrl-C meant all of it
    return outcome


def _result(
    bug: str | None,
    words: str,
    outcome: dict[str, Any],
    runs: int,
    began: float,
) -> Result:
    return Result(
        bug=bug,
        explanation=BUGS[bug] if bug else "No mistake: this one must be valid.",
        command=f"partita test {words} --seed {outcome['seed']}",
        as_expected=_as_expected(bug, outcome),
        verdict=outcome["valid"],
        runs=runs,
        seconds=round(time.monotonic() - began, 1),
        said=outcome["reason"],
        run=outcome["run"],
        named=_named(outcome),
    )


def _print(result: Result, as_json: bool) -> None:
    """Print a case: what was found in how long, what the mistake is, and how to see it again."""
    if as_json:
        return
    if result.bug is None:
        word = "valid, as it must be" if result.as_expected else "NOT VALID"
    else:
        word = "found" if result.as_expected else "NOT FOUND"
    colour = "green" if result.as_expected else "red"
    if result.as_expected is None:
        word, colour = "cannot be looked for here", "yellow"
    runs = "" if result.runs == 1 else f", {result.runs} runs"
    head = click.style(f"{result.bug or 'correct store':21}", bold=True)
    click.echo(f"{head} {click.style(word, fg=colour)} in {result.seconds:.0f} s{runs}")
    click.echo(wrapped(result.explanation))
    if result.said:
        click.echo(wrapped(f"Partita says: {result.said}"))
    click.echo(f"  {result.command}\n", nl=True)


def _print_total(results: Sequence[Result]) -> None:
    tried = [result for result in results if result.as_expected is not None]
    good = sum(bool(result.as_expected) for result in tried)
    seconds = sum(result.seconds for result in results)
    left = len(results) - len(tried)
    more = f"; {left} cannot be looked for on this machine" if left else ""
    click.echo(f"{good} of {len(tried)} as they must be, in {seconds:.0f} s{more}")
