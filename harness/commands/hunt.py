"""`partita hunt`: random storms until one makes a run fail, and the shortest command that does."""

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
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
from partita.harness.hunting.hunt import Findings, Hunt, Told
from partita.harness.hunting.kept import KeptNodes
from partita.harness.hunting.novelty import least_tried_first
from partita.harness.hunting.shrinking import Trial
from partita.harness.hunting.spreading import Spread
from partita.harness.hunting.tries import Budget, Tries
from partita.harness.nodes import user_namespace
from partita.harness.run import results
from partita.harness.run.gate import FAILED, PASSED, UNKNOWN
from partita.harness.run.journal import require_runs
from partita.harness.run.owners import workload_owner
from partita.harness.run.progress import Progress
from partita.harness.run.run import RunSpec
from partita.harness.run.session import conduct, node_names, prepare
from partita.harness.scheduler import connected
from partita.harness.systems import BringsNodes
from partita.nemesis import disks, faults
from partita.nemesis.blocks import blocks_of, steps_of
from partita.nemesis.roles import by_role
from partita.nemesis.schedule import ScheduleError, in_turn
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
@groups.runs_dir
@click.option(
    "--shrink/--no-shrink", "shrinks", default=True, show_default=True, help="Make it short."
)
@click.option("--executor", help="dask://HOST:PORT makes the runs on a Dask cluster's workers.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as one JSON object.")
@click.pass_context
def hunt(
    context: click.Context,
    /,
    system: str,
    tries: int,
    budget: float,
    runs_dir: Path,
    shrinks: bool,
    executor: str | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Look for a run of SYSTEM that fails, and make it short.

    Each try is a run with faults drawn by its seed, the first one --seed [1]. At the first that
    fails, it is measured how often it does. Then all is left out that it does not need. The end
    is one command. Exits with 1 if something fails, with 0 if nothing did.
    """
    asked = options | {"junit": None, "summary": None, "leave_running": False}
    # Storms may have the faults of a disk that a store gets for them, if it can have one.
    asked["storm_disk"] = options["disk"] or disks.DEFAULT
    if (
        options["schedule"]
        and context.get_parameter_source("nemesis") is ParameterSource.DEFAULT_MAP
    ):
        asked["nemesis"] = None
    seed = 1 if options["seed"] is None else options["seed"]
    store, _, spec = prepare(system, asked | {"seed": seed})  # bad input is said before anything
    if budget <= spec.time_limit:
        raise click.UsageError(
            f"--budget {budget:g}s has no room for a run of {spec.time_limit:g} s: give more, or a "
            "shorter --time-limit"
        )
    require_runs(runs_dir)
    hosts = not isinstance(store, BringsNodes)
    if executor is not None and node_names(asked):
        raise click.UsageError("--executor goes with local clusters, one on each worker")
    if executor is None and hosts and not node_names(asked):
        user_namespace.enter()
    line = _lines(context, system)
    telling = output.Telling(as_json)
    looks = hosts and in_turn(options["nemesis"] or "") == [RANDOM]
    with _somewhere(system, line, spec, asked, runs_dir, executor, looks=looks) as place:
        asked |= {"spared": place.spared}
        done = Tries(asked, place.conduct, Budget(budget), telling.row, place.begin)
        draw = cache(partial(_drawn, system, asked))
        findings = Hunt(
            done,
            draw,
            _by_role,
            lambda number, trial: _possible(system, done.options_of(number, trial)),
            _simpler(spec, asked),
            Told(telling.measured, telling.smaller),
            shrinks=shrinks,
            ahead=place.ahead,
        ).run(least_tried_first(range(seed, seed + tries), draw))
    ends = {"first": findings.first, "smallest": findings.smallest}
    asked_of = {name: done.options_of(each.seed, each.trial) for name, each in ends.items() if each}
    commands = {name: line(each) for name, each in asked_of.items()}
    _draw(findings)
    document = output.document(system, spec.workload, findings, done.rows, commands)
    click.echo(json.dumps(document, indent=1) if as_json else output.summary(document))
    return _code(findings, done)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where runs are made: here, or on workers. `spared` are the faults that cannot be had."""

    conduct: Callable[[Options], Mapping[str, Any]]
    spared: Sequence[str]
    begin: Callable[[Options], None] | None = None
    ahead: int = 0


@contextmanager
def _somewhere(
    system: str,
    line: Callable[[Options], str],
    spec: RunSpec,
    options: Options,
    runs_dir: Path,
    executor: str | None,
    *,
    looks: bool,
) -> Iterator[_Place]:
    """Yield where runs are made; `looks`: which faults can be had there is found out first."""
    if executor is None:
        progress = Progress(brief=True)
        with _kept(progress) as kept:
            lacking = _lacking_here(kept, spec, options, progress) if looks else []
            yield _Place(
                lambda each: conduct(system, each, runs_dir, progress, place=kept.lend, draw=False),
                _spared(lacking),
            )
        return

    def words(each: Options) -> list[str]:
        return [*shlex.split(line(each))[1:], "--json", "--runs-dir", str(runs_dir.absolute())]

    with connected(executor) as client:
        spread = Spread(client, words)
        try:
            spared = _spared(spread.lacking(options["storm_disk"]) if looks else [])
            yield _Place(spread.conduct, spared, spread.begin, spread.width - 1)
        finally:
            spread.finish()


def _spared(lacking: Sequence[str]) -> list[str]:
    """Say which faults cannot be had, and return their names: a storm goes without them."""
    for each in lacking:
        click.echo(f"partita: left out of the storms: {each}", err=True)
    return sorted({each.split(" on ")[0] for each in lacking})


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
    """Find out which faults cannot be had on these nodes."""
    progress.say("looking which faults can be had here")
    made = [faults.make(name, {}) for name in _drawable()]
    with kept.lend(node_names(options), spec, options, keep=False) as (nodes, _):
        disk = disks.find(options["storm_disk"])
        return faults.lacking(nodes if node_names(options) else nodes[:1], made, disk)


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
    history = Path(run) / "history.jsonl"
    if not history.exists():  # it lies where it was made
        return trial
    others = History.read(history).others
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


def _lines(context: click.Context, system: str) -> Callable[[Options], str]:
    """Return what makes a command of the options of a run, as a person would give it."""
    own = {each.name for each in hunt.params}
    owned = [each for each in context.command.get_params(context) if each.name not in own]
    defaults = test.make_context("test", [system]).params
    unsaid = keys_of(context, "fault")  # the schedule has them

    def line(options: Options) -> str:
        return command_line(system, options, [*test.params, *owned], defaults, unsaid)

    return line


def _draw(findings: Findings) -> None:
    """Draw the report of a failing run of the shortest command: of the others none is drawn."""
    run = findings.smallest and findings.smallest.run
    if run and Path(run).exists():  # a run elsewhere may have left it there
        results.draw(Path(run))


def _code(findings: Findings, done: Tries) -> int:
    """1: something fails; 0: nothing did; 2: no run was decided, or the hunt was interrupted."""
    if findings.first:
        return FAILED
    decided = any(row.valid is True for row in done.rows)
    return PASSED if decided and findings.stopped != "interrupted" else UNKNOWN
