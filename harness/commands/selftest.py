"""`partita selftest`: the proof that the instrument works.

Runs the stores of the examples as they are, which must be valid, and then with each of their
planted mistakes, each of which must be found, and called by its name where it has one.
"""

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from partita.harness.commands import options as groups
from partita.harness.commands.selftest_cases import RAFT
from partita.harness.commands.selftest_messages import MAELSTROM_RAFT
from partita.harness.commands.selftest_suite import Suite
from partita.harness.commands.summary import wrapped
from partita.harness.commands.test import test
from partita.harness.run.progress import Progress
from partita.harness.run.session import Unavailable, conduct

SUITES = (RAFT, MAELSTROM_RAFT)
ATTEMPTS = 6


@dataclass(slots=True)
class Result:
    """What came of one case: as expected or not, after how many runs and seconds.

    `named` are the anomalies of transactions that were found, the rules that were broken, and the
    checks that refused.
    `as_expected` is None where this machine cannot have a fault of the case; then `said` says why.
    """

    store: str
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
@click.option(
    "--store",
    type=click.Choice([suite.store for suite in SUITES]),
    help="Only this store and its mistakes. [default: all]",
)
@click.option("--short", is_flag=True, help="Only the correct stores and a few mistakes.")
@click.option("--seed", default=1, show_default=True, help="The first run's; each next one's +1.")
@groups.runs_dir
@click.option("--json", "as_json", is_flag=True, help="Print the results as one JSON array.")
def selftest(
    bugs: Sequence[str],
    store: str | None,
    short: bool,
    seed: int,
    runs_dir: Path,
    as_json: bool,
) -> int:
    """Prove that planted mistakes are found, and that a correct store is not blamed.

    BUGS are those to look for [all]. Each is looked for in several runs, if need be.
    """
    suites = [suite for suite in SUITES if store in (None, suite.store)]
    known = [bug for suite in suites for bug in suite.cases]
    unknown = [bug for bug in bugs if bug not in known]
    if unknown:
        raise click.UsageError(f"no bug is called {unknown[0]}: choose from {', '.join(known)}")
    if bugs and short:
        raise click.UsageError("--short says which bugs to look for: name none, or leave it out")
    progress = Progress()
    results = []
    try:
        for suite in suites:
            for bug in _wanted(suite, bugs, short=short):
                results.append(_tried(suite, bug, short, seed, runs_dir, progress))
                _print(results[-1], as_json)
    finally:
        progress.close()
    if as_json:
        click.echo(json.dumps([asdict(result) for result in results], indent=1))
    else:
        _print_total(results)
    return 1 if any(result.as_expected is False for result in results) else 0


def _wanted(suite: Suite, bugs: Sequence[str], *, short: bool) -> list[str | None]:
    """Return what is to be tried of a suite: the correct store first, unless bugs are named."""
    if bugs:
        return [bug for bug in bugs if bug in suite.cases]
    return [None, *(suite.short if short else suite.cases)]


def _tried(
    suite: Suite, bug: str | None, short: bool, seed: int, runs_dir: Path, progress: Progress
) -> Result:
    """Run until the bug is found, a few times at most.

    The correct store is run again only if nobody can say, as when a fault did not bite.
    """
    words = suite.arguments(bug, short=short)
    progress.say(f"looking for {bug}" if bug else f"running the correct {suite.store}")
    began = time.monotonic()
    try:
        for runs in range(1, ATTEMPTS + 1):
            outcome = _run(words, seed + runs - 1, runs_dir, progress)
            found = suite.as_expected(bug, outcome["valid"], _named(outcome))
            if found or (bug is None and outcome["valid"] is False):
                break
    except Unavailable as refusal:
        if bug is None:
            raise
        outcome = {"seed": seed, "valid": "unknown", "reason": refusal.message, "run": ""}
        found, runs = None, 0
    return Result(
        store=suite.store,
        bug=bug,
        explanation=suite.mistakes[bug] if bug else "No mistake: this one must be valid.",
        command=f"partita test {words} --seed {outcome['seed']}",
        as_expected=found,
        verdict=outcome["valid"],
        runs=runs,
        seconds=round(time.monotonic() - began, 1),
        said=outcome["reason"],
        run=outcome["run"],
        named=_named(outcome),
    )


def _named(outcome: Mapping[str, Any]) -> list[str]:
    """Return what was found by name: anomalies of transactions, rules that broke, and checks."""
    checks = outcome.get("checks", {})
    figures = [row["figures"] for row in checks.values()]
    anomalies = [each["name"] for found in figures for each in found.get("anomalies", ())]
    rules = [rule for found in figures for rule in found.get("violations", ())]
    return anomalies + rules + [name for name, row in checks.items() if row.get("valid") is False]


def _run(words: str, seed: int, runs_dir: Path, progress: Progress) -> dict[str, Any]:
    more = ["--seed", str(seed), "--runs-dir", str(runs_dir)]
    options = test.make_context("test", [*shlex.split(words), *more]).params
    outcome = conduct(options["system"], options, runs_dir, progress)
    if outcome["interrupted"]:
        raise click.Abort  # whoever pressed Ctrl-C meant all of it
    return outcome


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
    head = click.style(f"{result.bug or f'correct {result.store}':21}", bold=True)
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
