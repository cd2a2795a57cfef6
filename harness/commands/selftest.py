"""`partita selftest`: the proof that the instrument works.

Runs the raft example as it is, which must be valid, and then with each of its planted mistakes,
each of which must be found. A case is the arguments of `partita test`, so that whoever doubts
it can run it alone.
"""

import json
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from partita.checker import Validity
from partita.harness.commands.test import test
from partita.harness.run.progress import Progress
from partita.harness.run.session import conduct
from partita.harness.systems.raft import BUGS

ATTEMPTS = 6
WIDTH = 80

# Enough workers that each node has several in flight when a fault begins: what is in flight
# then is what tells a wrong store from a right one.
BUSY = "--rate 150 --concurrency 6n --keys 3"

CUTS = (
    "2s partition leader-minority; 6s heal; 9s partition leader; 13s heal; "
    "16s partition leader-minority; 20s heal"
)
# Many elections among four, with messages so slow that two of the four often stand at a time.
ELECTIONS = "; ".join(f"{start}s partition leader; {start + 3}s heal" for start in (2, 7, 12, 17))
ONE_WAYS = (
    "2s partition one-way; 5s heal; 8s partition one-way; 11s heal; "
    "14s partition one-way; 17s heal; 20s partition one-way; 23s heal"
)
EVERYTHING = (
    "3s partition leader-minority; 9s heal; 12s partition one-way; 17s heal; 20s kill leader; "
    "22s heal; 25s pause leader; 29s heal; 32s kill all; 33s heal; 37s partition leader; "
    "39s kill minority; 43s heal; 47s partition majorities-ring; 52s heal"
)
# The order of events of figure 8 in the Raft paper, with messages slow enough to meet it: a
# leader is cut off with entries that few have, then the next one as soon as it is elected, and
# then the first one again, once it has counted its old entries on a majority. Many keys and no
# load afterwards, so that nothing is written over what was lost.
FIGURE_8 = (
    "4s partition leader-minority; 6.2s partition leader-minority; "
    "12.8s partition leader-minority; 17s heal"
)
SLOW = '--server-args "--delay 0.5 --batch 4 --election-timeout 1.5 --heartbeat 0.25"'

A_LITTLE = (
    "3s partition leader-minority; 8s heal; 10s kill leader; 12s heal; 14s pause one; 16s heal"
)

# Messages slow enough that what is only checked, or only read, too early is so every time.
LAGGING = '--rate 80 --concurrency 6n --time-limit 8 --server-args "--delay 0.1"'

CORRECT = f'{BUSY} --time-limit 60 --schedule "{EVERYTHING}"'
CORRECT_SHORT = f'{BUSY} --time-limit 20 --schedule "{A_LITTLE}"'
CASES: dict[str, str] = {
    "stale-follower-read": f"{LAGGING} --keys 3",
    "stale-leader-read": f'{BUSY} --time-limit 14 --schedule "2s partition leader; 11s heal"',
    "ack-early": f'{BUSY} --time-limit 24 --schedule "{CUTS}"',
    "lost-log": f'{BUSY} --time-limit 12 --schedule "6s kill all; 7s heal"',
    "double-vote": f'{BUSY} --time-limit 24 --schedule "{ELECTIONS}" '
    '--server-args "--delay 0.15 --election-timeout 0.5"',
    "commit-earlier-term": "--rate 30 --concurrency 5n --keys 30 --time-limit 18 --timeout 12 "
    f'{SLOW} --schedule "{FIGURE_8}"',
    "apply-twice": f'{BUSY} --time-limit 26 --timeout 10 --schedule "{ONE_WAYS}"',
    "cas-early-check": f"{LAGGING} --keys 1",
    # Messages so slow that many a write commits after its client has given up.
    "definite-timeout": "--rate 40 --concurrency 6n --keys 3 --time-limit 12 --timeout 0.7 "
    '--server-args "--delay 0.4 --election-timeout 1.5 --heartbeat 0.25"',
    "split-brain": f'{BUSY} --time-limit 26 --schedule "{ONE_WAYS}"',
    "own-write-unseen": f"{LAGGING} --keys 3 --reads local",
}
SHORT = ("stale-follower-read", "cas-early-check", "lost-log")


@dataclass(slots=True)
class Result:
    """What came of one case: as expected or not, after how many runs and seconds."""

    bug: str | None
    explanation: str
    command: str
    as_expected: bool
    verdict: Any
    runs: int
    seconds: float
    said: str | None
    run: str


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
    return 0 if all(result.as_expected for result in results) else 1


def arguments(bug: str | None, *, short: bool = False) -> str:
    """Return the arguments of `partita test` that a case is, without its seed."""
    if bug is None:
        return f"raft {CORRECT_SHORT if short else CORRECT}"
    return f"raft --bug {bug} {CASES[bug]}"


def _correct(short: bool, seed: int, runs_dir: Path, progress: Progress) -> Result:
    """Run the correct store; again only if nobody can say, as when a fault did not bite."""
    words = arguments(None, short=short)
    progress.say("running the correct store")
    return _until(lambda valid: valid != "unknown", None, words, seed, runs_dir, progress)


def _look_for(bug: str, seed: int, runs_dir: Path, progress: Progress) -> Result:
    """Run until the bug is found, a few times at most."""
    progress.say(f"looking for {bug}")
    return _until(lambda valid: valid is False, bug, arguments(bug), seed, runs_dir, progress)


def _until(
    enough: Callable[[Validity], bool],
    bug: str | None,
    words: str,
    seed: int,
    runs_dir: Path,
    progress: Progress,
) -> Result:
    began = time.monotonic()
    for runs in range(1, ATTEMPTS + 1):
        outcome = _run(words, seed + runs - 1, runs_dir, progress)
        if enough(outcome["valid"]):
            break
    as_expected = outcome["valid"] is (bug is None)
    return _result(bug, words, outcome, as_expected, runs, began)


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
    as_expected: bool,
    runs: int,
    began: float,
) -> Result:
    return Result(
        bug=bug,
        explanation=BUGS[bug] if bug else "No mistake: this one must be valid.",
        command=f"partita test {words} --seed {outcome['seed']}",
        as_expected=as_expected,
        verdict=outcome["valid"],
        runs=runs,
        seconds=round(time.monotonic() - began, 1),
        said=outcome["reason"],
        run=outcome["run"],
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
    runs = "" if result.runs == 1 else f", {result.runs} runs"
    head = click.style(f"{result.bug or 'correct store':21}", bold=True)
    click.echo(f"{head} {click.style(word, fg=colour)} in {result.seconds:.0f} s{runs}")
    click.echo(_wrapped(result.explanation))
    if result.said:
        click.echo(_wrapped(f"Partita says: {result.said}"))
    click.echo(f"  {result.command}\n", nl=True)


def _print_total(results: Sequence[Result]) -> None:
    good = sum(result.as_expected for result in results)
    seconds = sum(result.seconds for result in results)
    click.echo(f"{good} of {len(results)} as they must be, in {seconds:.0f} s")


def _wrapped(text: str) -> str:
    return click.wrap_text(text, width=WIDTH, initial_indent="  ", subsequent_indent="  ")
