"""`partita test` and `partita test-all`: runs, from arguments to exit code."""

import itertools
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from harness import options as groups
from harness.announce import announce
from harness.gate import exit_code, worst
from harness.journal import JournalError
from harness.local import LocalError
from harness.progress import Progress
from harness.session import conduct, prepare, stored
from harness.ssh import SshError
from harness.summary import summary, table
from harness.systems import StoreError

log = logging.getLogger(__name__)

HARNESS_FAILED = 255
Options = Mapping[str, Any]


@click.command()
@click.argument("system", required=False)
@groups.where
@groups.load
@groups.store
@groups.faults
@groups.gate
@click.option(
    "--test-count",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Runs, each with a seed of its own; the worst verdict counts.",
)
@click.option(
    "--repeat",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Take everything that is not given here, the seed too, from a stored run.",
)
@groups.output
@click.pass_context
def test(
    context: click.Context,
    /,
    system: str | None,
    repeat: Path | None,
    test_count: int,
    **options: Any,
) -> int:
    """Drive SYSTEM, break its network, and check what it promised.

    SYSTEM is zookeeper, etcd, consul, raft, or your own as path/to/file.py:Class. By default
    it runs on five nodes made of namespaces on this machine.
    """
    if repeat is not None:
        system, options = _repeated(context, system, repeat, options)
    if system is None:
        raise click.UsageError("Missing argument 'SYSTEM': zookeeper, for instance")
    runs = [(system, _seeded(options, number)) for number in range(test_count)]
    return _do(runs, options)


@click.command("test-all")
@click.option("--systems", default="zookeeper", show_default=True, help="Separated by commas.")
@click.option("--workloads", default="append,register", show_default=True)
@click.option(
    "--nemeses",
    default="none,leader-minority",
    show_default=True,
    help="Separated by commas; a + joins faults that take turns in one run.",
)
@groups.where
@groups.load
@groups.store
@groups.faults
@groups.gate
@click.option("--test-count", default=1, show_default=True, type=click.IntRange(1))
@groups.output
@click.pass_context
def test_all(
    context: click.Context,
    /,
    systems: str,
    workloads: str,
    nemeses: str,
    test_count: int,
    **options: Any,
) -> int:
    """Do a run for each combination of systems, workloads and nemeses; the worst one counts."""
    for name in ("workload", "nemesis", "schedule"):
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"--{name} goes with partita test; here: --workloads, --nemeses")
    product = itertools.product(_names(systems), _names(workloads), _names(nemeses))
    runs = []
    for number, ((system, workload, nemesis), _) in enumerate(
        itertools.product(product, range(test_count))
    ):
        chosen = {"workload": workload, "nemesis": nemesis.replace("+", ","), "schedule": None}
        runs.append((system, _seeded(options, number) | chosen))
    return _do(runs, options)


def _do(runs: Sequence[tuple[str, Options]], options: Options) -> int:
    """Do the runs one after the other, print what came out, and return the exit code."""
    for system, each in runs:
        prepare(system, each)  # what cannot be done is said before the first run, not hours later
    progress, outcomes, failure = Progress(), [], None
    try:
        for system, each in runs:
            try:
                outcomes.append(conduct(system, each, options["runs_dir"], progress))
            except (JournalError, LocalError, SshError, StoreError) as error:
                log.exception("the run failed")
                outcomes.append(_broken(system, each, error))
                failure = error
    finally:
        progress.close()
        announce(outcomes, junit=options["junit"], summary=options["summary"])
    if failure is not None and len(runs) == 1:
        raise failure
    if len(outcomes) == 1:
        click.echo(_json(outcomes[0]) if options["as_json"] else summary(outcomes[0]))
    else:
        together = {"valid": _worst_verdict(outcomes), "runs": outcomes}
        click.echo(_json(together) if options["as_json"] else table(outcomes))
    return worst([_code(outcome) for outcome in outcomes])


def _broken(system: str, options: Options, error: Exception) -> dict[str, Any]:
    """Return what stands for the results of a run that could not be made."""
    return {
        "valid": "unknown",
        "passed": False,
        "error": str(error),
        "reason": str(error),
        "system": system,
        "workload": options["workload"],
        "seed": options["seed"],
        "run": None,
    }


def _code(outcome: Mapping[str, Any]) -> int:
    return HARNESS_FAILED if outcome.get("error") else exit_code(outcome)


def _worst_verdict(outcomes: Iterable[Mapping[str, Any]]) -> Any:
    verdicts = [outcome["valid"] for outcome in outcomes]
    return next((bad for bad in (False, "unknown") if bad in verdicts), True)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _seeded(options: Options, number: int) -> dict[str, Any]:
    """Give a run its seed: the one asked for, and those after it."""
    seed = options["seed"]
    return dict(options) | {"seed": None if seed is None else seed + number}


def _repeated(
    context: click.Context, system: str | None, run: Path, options: Options
) -> tuple[str, dict[str, Any]]:
    """Merge a stored run's options with those that were given."""
    before, kept = stored(run)
    given = {
        name: value
        for name, value in options.items()
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT or name not in kept
    }
    if given.get("nemesis") or given.get("schedule"):
        kept |= {"nemesis": None, "schedule": None}
    output = ("runs_dir", "as_json", "junit", "summary", "leave_running")
    merged = kept | given | {name: options[name] for name in output}
    for name in ("ssh_private_key", "nodes_file", "binary"):
        merged[name] = Path(merged[name]) if merged[name] else None
    return system or before, merged


def _json(document: Any) -> str:
    return json.dumps(document, indent=1)
