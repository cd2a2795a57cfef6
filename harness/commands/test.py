"""`partita test` and `partita test-all`: runs, from arguments to exit code."""

import itertools
import json
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from partita.harness.cli import HARNESS_FAILED, code_of
from partita.harness.commands import options as groups
from partita.harness.commands.announce import tell_github, write_reports
from partita.harness.commands.owned import Named, Owned, RunCommand
from partita.harness.commands.summary import summary, table
from partita.harness.run.gate import exit_code, worst
from partita.harness.run.series import conduct_all, not_run
from partita.harness.run.session import prepare, stored

Options = Mapping[str, Any]


@click.command(cls=RunCommand)
@click.argument("system", required=False, type=Named("systems"))
@groups.where
@groups.load
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

    SYSTEM is one of `partita list systems`, or your own as path/to/file.py:Class. By default it
    runs on five nodes made of namespaces on this machine. Further options depend on what the
    line names: partita test etcd --help shows those of etcd as well.
    """
    if repeat is not None:
        system, options = _repeated(context, system, repeat, options)
    if system is None:
        raise click.UsageError("Missing argument 'SYSTEM': zookeeper, for instance")
    runs = [(system, _seeded(options, number)) for number in range(test_count)]
    return _do(runs, options)


@click.command("test-all", cls=RunCommand)
@click.option(
    "--systems",
    default="zookeeper",
    show_default=True,
    type=Named("systems", several=True),
    help="Separated by commas.",
)
@click.option(
    "--workloads",
    default="append,register",
    show_default=True,
    type=Named("workloads", several=True),
)
@click.option(
    "--nemeses",
    default="none,leader-minority",
    show_default=True,
    help="Separated by commas; a + joins faults that take turns in one run.",
)
@groups.where
@groups.load
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
    lists = {"systems": systems, "workloads": workloads, "nemeses": nemeses}
    product = itertools.product(*(_names(option, text) for option, text in lists.items()))
    runs = []
    for number, ((system, workload, nemesis), _) in enumerate(
        itertools.product(product, range(test_count))
    ):
        chosen = {"workload": workload, "nemesis": nemesis.replace("+", ","), "schedule": None}
        runs.append((system, _seeded(options, number) | chosen))
    return _do(runs, options)


def _do(runs: Sequence[tuple[str, Options]], options: Options) -> int:
    """Do the runs one after the other, print what came out, and return the exit code."""
    files = {name: options[name] for name in ("junit", "summary")}
    if files["junit"] is not None and files["junit"] == files["summary"]:
        raise click.UsageError("--junit and --summary name the same file")
    names = _names_of(runs)
    # Whatever ends us, and whatever is refused from here on, the files do not speak of a pass.
    waiting = [not_run(*run, "Partita was ended before this run was over") for run in runs]
    write_reports(dict(zip(names, waiting, strict=True)), **files)
    for system, each in runs:
        prepare(system, each)  # what cannot be done is said before the first run, not hours later
    outcomes, failure = conduct_all(runs, options["runs_dir"])
    named = dict(zip(names, outcomes, strict=True))
    tell_github(named)
    codes = [*map(_code, outcomes), *_written_last(named, files)]
    if failure is not None and len(runs) == 1:
        raise failure
    if isinstance(failure, Exception) and code_of(failure) is None:
        traceback.print_exception(failure)
    if len(outcomes) == 1:
        click.echo(_json(outcomes[0]) if options["as_json"] else summary(outcomes[0]))
    else:
        passed = all(outcome["passed"] for outcome in outcomes)
        together = {"valid": _worst_verdict(outcomes), "passed": passed, "runs": outcomes}
        click.echo(_json(together) if options["as_json"] else table(outcomes))
    return worst(codes)


def _names_of(runs: Sequence[tuple[str, Options]]) -> list[str]:
    """Name each run by what it is asked to do: the same in every build, whatever comes of it."""
    asked = [
        f"{system} {each['workload']}, {each['schedule'] or each['nemesis'] or 'none'}"
        for system, each in runs
    ]
    counts = [asked[: number + 1].count(name) for number, name in enumerate(asked)]
    return [
        name if count == 1 else f"{name} ({count})"
        for name, count in zip(asked, counts, strict=True)
    ]


def _written_last(outcomes: Mapping[str, Mapping[str, Any]], files: Mapping[str, Any]) -> list[int]:
    """Write the reports; what goes wrong must not take the place of what the runs showed."""
    try:
        write_reports(outcomes, **files)
    except click.ClickException as error:
        click.echo(f"partita: {error.format_message()}", err=True)
        return [HARNESS_FAILED]
    return []


def _code(outcome: Mapping[str, Any]) -> int:
    return outcome["exit_code"] if outcome.get("error") else exit_code(outcome)


def _worst_verdict(outcomes: Iterable[Mapping[str, Any]]) -> Any:
    verdicts = [outcome["valid"] for outcome in outcomes]
    return next((bad for bad in (False, "unknown") if bad in verdicts), True)


def _names(option: str, text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise click.UsageError(f"--{option} names nothing: leave it out, or say what is to be run")
    return names


def _seeded(options: Options, number: int) -> dict[str, Any]:
    """Give a run its seed: the one asked for, and those after it."""
    seed = options["seed"]
    return dict(options) | {"seed": None if seed is None else seed + number}


def _repeated(
    context: click.Context, system: str | None, run: Path, options: Options
) -> tuple[str, dict[str, Any]]:
    """Merge a stored run's options with those that were given."""
    before, kept = stored(run)
    kept = _typed(context, kept)
    given = {
        name: value
        for name, value in options.items()
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT or name not in kept
    }
    if given.get("nemesis") or given.get("schedule"):
        kept |= {"nemesis": None, "schedule": None}
    if any(given.get(name) for name in ("single", "listed", "nodes_file")):
        kept |= {"local_count": None}
    elif given.get("local_count") is not None:
        kept |= {"single": (), "listed": None, "nodes_file": None}
    output = ("runs_dir", "as_json", "junit", "summary", "leave_running")
    return system or before, kept | given | {name: options[name] for name in output}


def _typed(context: click.Context, stored: Options) -> dict[str, Any]:
    """Return stored options as the command line would have them; refuse what it would refuse."""
    options = {option.name: option for option in context.command.get_params(context)}
    typed = {}
    for name, value in stored.items():
        try:
            known = name in options and value is not None
            typed[name] = _read(context, options[name], value) if known else value
        except TypeError as error:
            raise click.UsageError(f"--repeat: {name} {value!r} is foreign: {error}") from error
    return {name: value for name, value in typed.items() if value is not None}


def _read(context: click.Context, option: click.Parameter, value: Any) -> Any:
    """Read a stored option. Raises `TypeError` for what no line could have given."""
    if isinstance(option, click.Option) and option.is_flag:
        fits, kind = isinstance(value, bool), "true or false"
    elif option.multiple:
        fits = isinstance(value, list) and all(isinstance(each, str) for each in value)
        kind = "a list of texts"
    else:
        fits = isinstance(value, str | int | float) and not isinstance(value, bool)
        fits, kind = fits or isinstance(option.type, Owned), "a text or a number"
    if not fits:
        raise TypeError(f"this is not {kind}")
    return option.process_value(context, value)


def _json(document: Any) -> str:
    return json.dumps(document, indent=1)
