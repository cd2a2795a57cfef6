"""`partita hunt`: random storms until one makes a run fail, and the shortest command that does."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from partita.checker import History
from partita.checker.plugins import PluginError
from partita.harness.commands import hunt_output as output
from partita.harness.commands import options as groups
from partita.harness.commands.command_line import command_line
from partita.harness.commands.owned import Named, RunCommand, keys_of
from partita.harness.commands.test import test
from partita.harness.hunting.hunt import Findings, Found, Hunt, Told
from partita.harness.hunting.kept import KeptNodes
from partita.harness.hunting.shrinking import Trial
from partita.harness.hunting.tries import Budget, Tries
from partita.harness.nodes import user_namespace
from partita.harness.run import results
from partita.harness.run.gate import FAILED, PASSED, UNKNOWN
from partita.harness.run.owners import workload_owner
from partita.harness.run.progress import Progress
from partita.harness.run.run import RunSpec
from partita.harness.run.session import conduct, node_names, prepare
from partita.nemesis import faults
from partita.nemesis.blocks import blocks_of, steps_of
from partita.nemesis.roles import by_role
from partita.nemesis.schedule import ScheduleError
from partita.nemesis.storms import RANDOM

Options = Mapping[str, Any]
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
# More happens in a second than in a run that is to be watched, and a run is over sooner.
_DEFAULTS = {"nemesis": RANDOM, "time_limit": 30.0, "rate": 150.0}


class Duration(click.ParamType[float]):
    """Seconds, minutes or hours: 90, 90s, 10m, 1.5h."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return seconds."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", str(value).strip())
        if match is None or float(match[1]) == 0:
            self.fail(f"{value!r} is no duration: write 90s, 10m or 1h", param, ctx)
        return float(match[1]) * _UNITS[match[2]]


@click.command(cls=RunCommand, context_settings={"default_map": _DEFAULTS})
@click.argument("system", type=Named("systems"))
@click.option("--tries", default=20, show_default=True, type=click.IntRange(1), help="Seeds.")
@click.option(
    "--budget",
    default="10m",
    show_default=True,
    type=Duration(),
    help="Time for everything, such as 90s, 10m or 1h. A run that would end later is not begun.",
)
@groups.where
@groups.load
@groups.faults
@groups.gate
@click.option(
    "--runs-dir",
    default="runs",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as one JSON object.")
@click.pass_context
def hunt(
    context: click.Context,
    /,
    system: str,
    tries: int,
    budget: float,
    runs_dir: Path,
    as_json: bool,
    **options: Any,
) -> int:
    """Look for a run of SYSTEM that fails, and make it short.

    Each try is a run with faults drawn by its seed, the first one --seed [1]. At the first that
    fails, it is measured how often it does. Then all is left out that it does not need. The end
    is one command. Exits with 1 if something fails, with 0 if nothing did.
    """
    asked = options | {"junit": None, "summary": None, "leave_running": False}
    if (
        options["schedule"]
        and context.get_parameter_source("nemesis") is ParameterSource.DEFAULT_MAP
    ):
        asked["nemesis"] = None
    seed = 1 if options["seed"] is None else options["seed"]
    _, _, spec = prepare(system, asked | {"seed": seed})  # bad input is said before anything
    if not node_names(asked):
        user_namespace.enter()
    progress = Progress(brief=True)
    with _kept(progress) as kept:
        asked |= {"spared": _lacking_here(kept, spec, asked, progress)}
        telling = output.Telling(as_json)
        done = Tries(
            asked,
            lambda each: conduct(system, each, runs_dir, progress, place=kept.lend, draw=False),
            Budget(budget),
            telling.row,
        )
        findings = Hunt(
            done,
            partial(_drawn, system, asked),
            _by_role,
            lambda number, trial: _possible(system, done.options_of(number, trial)),
            _simpler(spec, asked),
            Told(telling.measured, telling.smaller),
        ).run(range(seed, seed + tries))
    commands = _commands(context, system, findings, done)
    _draw(findings)
    document = output.document(system, spec.workload, findings, done.rows, commands)
    click.echo(json.dumps(document, indent=1) if as_json else output.summary(document))
    return _code(findings, done)


def _is_default(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.DEFAULT_MAP


@contextmanager
def _kept(progress: Progress) -> Iterator[KeptNodes]:
    kept = KeptNodes()
    try:
        yield kept
    finally:
        progress.say("tearing down")
        kept.close()
        progress.close()


def _lacking_here(
    kept: KeptNodes, spec: RunSpec, options: Options, progress: Progress
) -> list[str]:
    """Find out which faults cannot be had on these nodes, and say so: a storm goes without them."""
    if options["schedule"] or options["nemesis"] != RANDOM:
        return []
    progress.say("looking which faults can be had here")
    made = [faults.make(name, {}) for name in _drawable()]
    with kept.lend(node_names(options), spec, options, keep=False) as (nodes, _):
        lacking = faults.lacking(nodes if node_names(options) else nodes[:1], made)
    for line in lacking:
        click.echo(f"partita: left out of the storms: {line}", err=True)
    return sorted({line.split(" on ")[0] for line in lacking})


def _drawable() -> list[str]:
    found = []
    for name in faults.names():
        try:
            found += [name] if faults.kind_of(name).traits.storm else []
        except PluginError:  # partita list tells of it
            continue
    return found


def _drawn(system: str, options: Options, seed: int) -> Trial:
    _, _, spec = prepare(system, dict(options) | {"seed": seed})
    return Trial(blocks_of(spec.schedule), spec.time_limit)


def _by_role(trial: Trial, run: str) -> Trial:
    """Name the leader where chance met it in that run."""
    others = History.read(Path(run) / "history.jsonl").others
    return replace(trial, blocks=blocks_of(by_role(steps_of(trial.blocks), others)))


def _possible(system: str, options: Options) -> bool:
    try:
        prepare(system, options)
    except (ScheduleError, click.UsageError):
        return False
    return True


def _simpler(spec: RunSpec, options: Options) -> list[tuple[str, Sequence[Any]]]:
    """Return options that make a run simpler the smaller they are: keys, clients, nodes."""
    found: list[tuple[str, Sequence[Any]]] = []
    keys = workload_owner(options["workload"]).in_force(options).get("keys")
    if isinstance(keys, int):
        found.append(("keys", [count for count in (1, 2, keys // 2) if count < keys]))
    clients = [count for count in (1, 2, 4) if count * len(spec.nodes) < spec.concurrency]
    found.append(("concurrency", [f"{count}n" for count in clients]))
    if not node_names(options) and len(spec.nodes) > 3:
        found.append(("local_count", [3]))
    return found


def _commands(
    context: click.Context, system: str, findings: Findings, done: Tries
) -> dict[str, str]:
    """Return the commands of what was found, as a person would give them."""
    own = {each.name for each in hunt.params}
    owned = [each for each in context.command.get_params(context) if each.name not in own]
    defaults = test.make_context("test", [system]).params
    unsaid = keys_of(context, "fault")  # the schedule has them

    def line(found: Found) -> str:
        options = done.options_of(found.seed, found.trial)
        return command_line(system, options, [*test.params, *owned], defaults, unsaid)

    both = {"first": findings.first, "smallest": findings.smallest}
    return {name: line(found) for name, found in both.items() if found}


def _draw(findings: Findings) -> None:
    """Draw the report of a failing run of the shortest command: of the others none is drawn."""
    if findings.smallest and findings.smallest.run:
        results.draw(Path(findings.smallest.run))


def _code(findings: Findings, done: Tries) -> int:
    """1: something fails; 0: nothing did; 2: no run was decided, or the hunt was interrupted."""
    if findings.first:
        return FAILED
    decided = any(row.valid is True for row in done.rows)
    return PASSED if decided and findings.stopped != "interrupted" else UNKNOWN
