"""`partita regress`: known failures of released software, found again, each with its control."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from partita.harness.cli import WRONG_ARGUMENTS, code_of, said
from partita.harness.commands import options as groups
from partita.harness.commands import regress_output as output
from partita.harness.commands.announce import write_cases
from partita.harness.commands.test import test
from partita.harness.hunting.kept import KeptNodes
from partita.harness.nodes import user_namespace
from partita.harness.regress.finding import FindingError, Row, commands, rows, words_of
from partita.harness.regress.looking import Result, look_for
from partita.harness.run import results
from partita.harness.run.any_run import checks_of
from partita.harness.run.journal import require_runs
from partita.harness.run.progress import Progress
from partita.harness.run.session import conduct, node_names, prepare
from partita.reports import read_spec

Options = Mapping[str, Any]


@click.command()
@click.argument("names", nargs=-1, metavar="[ROW]...")
@click.option("--quick", is_flag=True, help="Look once for each; leave out what takes long.")
@click.option("--list", "lists", is_flag=True, help="Say which rows there are, and run nothing.")
@click.option(
    "--runs",
    type=click.IntRange(1),
    metavar="N",
    help="How often each is to be found [as its file says].",
)
@click.option("--seed", default=1, show_default=True, help="The first run's; each next one's +1.")
@groups.runs_dir
@click.option("--json", "as_json", is_flag=True, help="Print the results as one JSON array.")
@click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the results as JUnit XML, a test case for each row.",
)
def regress(
    names: Sequence[str],
    quick: bool,
    lists: bool,
    runs: int | None,
    seed: int,
    runs_dir: Path,
    as_json: bool,
    junit: Path | None,
) -> int:
    """Find known failures of released software again, each with its control.

    A ROW is a name of `partita regress --list`, or your own as path/to/file.toml, or a folder of
    such files; without one, all of ours are meant. The failing version is run until it fails, and
    then as often what keeps the promise, which must be valid. Exits with 0 if all came out as
    their files say, with 1 if not.
    """
    asked = rows(names)
    if quick and not names:
        asked = [row for row in asked if row.finding.quick]
    if lists:
        click.echo(output.listed(asked, as_json=as_json))
        return 0
    for row in asked:
        _require(row)
    if junit is not None:  # whatever ends us, it does not speak of a pass
        write_cases(junit, [output.not_looked_for(row) for row in asked])
    require_runs(runs_dir)
    user_namespace.enter()
    telling = output.Telling(as_json)
    done = []
    kept, progress = KeptNodes(), Progress(brief=True)
    try:
        for row in asked:
            times = runs or (1 if quick else row.finding.runs)
            telling.begins(row)
            one = partial(_run, runs_dir=runs_dir, progress=progress, kept=kept)
            result = look_for(row, one, times=times, seed=seed, told=telling.tried)
            _draw(result)
            telling.ended(result)
            done.append(result)
    finally:
        progress.close()
        kept.close()
        if junit is not None:
            left = [output.not_looked_for(row) for row in asked[len(done) :]]
            write_cases(junit, [*map(output.case, done), *left])
    if as_json:
        click.echo(json.dumps([output.document(each, _versions) for each in done], indent=1))
    else:
        click.echo(output.total(done))
    return 0 if all(each.as_expected for each in done) else 1


def _require(row: Row) -> None:
    """Refuse a row with a command that cannot be run, before anything is run."""
    for key, command in commands(row.finding).items():
        try:
            system, options = _asked(command)
            workload = prepare(system, options)[1]
        except Exception as error:
            if code_of(error) != WRONG_ARGUMENTS:
                raise
            raise FindingError(f"{row.path}: {key}: {' '.join(said(error).split())}") from error
        if node_names(options):
            raise FindingError(f"{row.path}: {key}: a row runs on a local cluster: leave nodes out")
        check, known = row.finding.shows.check, [each.name for each in checks_of(workload)]
        if check not in (None, *known):
            raise FindingError(
                f"{row.path}: shows.check: {workload.name} has no check {check}: choose from "
                f"{', '.join(known)}"
            )


def _asked(command: str) -> tuple[str, dict[str, Any]]:
    """Return the system and the options that a command asks for."""
    options = test.make_context("test", words_of(command)).params
    if options["system"] is None:
        raise click.UsageError("no system is named")
    return options["system"], options


def _run(
    command: str, seed: int, *, runs_dir: Path, progress: Progress, kept: KeptNodes
) -> dict[str, Any]:
    """Do one run. One that could not be made is told as an error."""
    system, options = _asked(command)
    options |= {"seed": seed, "runs_dir": runs_dir}
    try:
        outcome = conduct(system, options, runs_dir, progress, place=kept.lend, draw=False)
    except Exception as error:
        if code_of(error) is None:
            raise
        return {"valid": "unknown", "error": said(error), "run": None}
    if outcome["interrupted"]:
        raise click.Abort  # whoever pressed Ctrl-C meant all of it
    return outcome


def _draw(result: Result) -> None:
    """Draw the report of the run that is told of; `partita report` draws any other."""
    if result.found and result.found.run:
        results.draw(Path(result.found.run))


def _versions(run: str) -> Mapping[str, str]:
    """Return what a run says about the versions of what it used."""
    versions: Mapping[str, str] = read_spec(Path(run)).get("versions") or {}
    return versions
