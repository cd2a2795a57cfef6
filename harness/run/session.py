"""One run from its options: nodes made or reached, the run, and all of it taken down again.

`options` are those of the command line by name (`harness/commands/options.py`). They stand in
run.json, so that a run can be repeated from there.
"""

import itertools
import random
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Any

import click

from partita.checker.settings import REQUIRED, in_force
from partita.harness.clients.client_node import ClientNode
from partita.harness.nodes import local, user_namespace
from partita.harness.nodes.cluster import Node, on_all
from partita.harness.nodes.doctor import examine_tools
from partita.harness.nodes.ssh import SshError
from partita.harness.run.any_run import checks_of
from partita.harness.run.expectations import promised
from partita.harness.run.gate import Thresholds, thresholds
from partita.harness.run.journal import require_runs
from partita.harness.run.levels import expected
from partita.harness.run.logs import alarms_of
from partita.harness.run.losses import living
from partita.harness.run.owners import (
    fault_owner,
    limits_given,
    make_workload,
    system_owner,
    workload_owner,
)
from partita.harness.run.places import Place, brought, nodes_of, refuse_hosts
from partita.harness.run.progress import Progress
from partita.harness.run.run import (
    RunSpec,
    run,
    session_s,
    tear_down,
    uninterrupted,
)
from partita.harness.run.time_to_live import lengthened
from partita.harness.systems import (
    BringsNodes,
    HasFetch,
    StoreError,
    System,
    load_system,
)
from partita.nemesis import disks, faults
from partita.nemesis import schedule as plans
from partita.nemesis.fault import HasDemands
from partita.nemesis.storms import RANDOM, storm
from partita.reports import read_spec
from partita.workloads.workload import HasBetween, HasClientNodes, Workload

Options = Mapping[str, Any]
SECONDS_MAX = 1_000_000  # eleven days
RATE_MAX = 1_000_000
CONCURRENCY_MAX = 10_000


class Unavailable(click.ClickException):
    """What a schedule asks for cannot be had on these nodes: a sentence for each thing."""


def prepare(system: str, options: Options) -> tuple[System, Workload, RunSpec]:
    """Make the system, the workload and the run's specification; refuse what cannot be done.

    Touches nothing but this machine's cache, into which a store's program may have to be fetched.
    Raises `click.UsageError`, `PluginError` or `ScheduleError`.
    """
    store = load_system(system, system_owner(system).settings(options))
    workload = make_workload(options["workload"], options)
    if workload.capability not in store.offers:
        raise click.UsageError(
            f"workload {workload.name} needs a system that offers {workload.capability}, "
            f"and {store.name} offers {', '.join(store.offers) or 'nothing'}"
        )
    workload, options = lengthened(store, workload, options)
    spec = _spec(system, store, workload, node_names(options), options)
    limits_of(options, workload)
    _fetch(store)
    return store, workload, spec


def conduct(
    system: str,
    options: Options,
    runs: Path,
    progress: Progress,
    *,
    place: Place = nodes_of,
    draw: bool = True,
) -> dict[str, Any]:
    """Do one run as the options say and return its results.

    `place` lends it the nodes for as long as it takes; it may keep them for the next run.
    """
    store, workload, spec = prepare(system, options)
    require_runs(runs)
    names = node_names(options)
    keep = options["leave_running"]
    if isinstance(store, BringsNodes):
        place = brought(store)
    elif not names:
        user_namespace.enter()
    elif _wanted(workload) and not spec.client_nodes and options.get("client_count") is None:
        said = f"{workload.name} asks for clients on nodes of their own; they stay on this machine"
        click.echo(f"partita: {said}: --client-node HOST names one", err=True)
    if _nemeses(options) == [RANDOM]:
        drawn = "; ".join(map(str, spec.schedule))
        click.echo(f'partita: seed {spec.seed} draws --schedule "{drawn}"', err=True)
    limits = limits_of(options, workload)
    with place(names, spec, options, keep=keep) as (nodes, hosts), ExitStack() as last:
        if names:
            _require_tools([*nodes, *hosts], spec)
            if not keep:
                last.callback(uninterrupted, lambda: tear_down(store, living(nodes)))
        # Local nodes are all alike.
        _require_faults(store, [*nodes, *hosts] if names else nodes[:1], spec)
        settings = system_owner(system).settings(options)
        clients = [ClientNode(host, system, settings, nodes) for host in hosts]
        last.enter_context(_started(clients))
        outcome = run(spec, store, workload, nodes, runs, progress, limits, clients, draw=draw)
        progress.say("tearing down")
    before = options.get("repeats")
    if before is not None and before != spec.versions:
        click.echo(f"partita: repeated with {spec.versions}, the stored run had {before}", err=True)
    return outcome


def limits_of(options: Options, workload: Workload) -> Thresholds:
    """Gather the thresholds of a run with these options. Raises `click.UsageError`."""
    of_checks = limits_given(workload.checks, options)
    return thresholds(options, tuple(workload.operations), of_checks)


def stored(directory: Path) -> tuple[str, dict[str, Any]]:
    """Return the system and the options of a stored run, as they stand in its run.json.

    Raises `click.UsageError`, and `RunError` for what is no run of ours.
    """
    run = read_spec(directory)
    try:
        arguments = run["arguments"] | {"seed": run["seed"], "repeats": run["versions"]}
        return arguments.pop("system"), arguments
    except (KeyError, TypeError):
        raise click.UsageError(f"--repeat {directory}: its run.json has no arguments") from None


def _fetch(store: System) -> None:
    if isinstance(store, HasFetch):
        try:
            store.fetch()
        except StoreError as error:
            raise click.UsageError(str(error)) from error


def _require_tools(nodes: Sequence[Node], spec: RunSpec) -> None:
    """Refuse nodes on which no fault could be injected, before anything is started there."""
    if spec.schedule:
        for finding in itertools.chain.from_iterable(on_all(nodes, examine_tools)):
            if finding.fix:
                text = f"{finding.where}: {finding.what}: {finding.found}: {finding.fix}"
                raise click.ClickException(text)


def _require_faults(store: System, nodes: Sequence[Node], spec: RunSpec) -> None:
    """Refuse a schedule of which a fault does not work on some node, before anything is started."""
    kinds = store.ground.faults if isinstance(store, BringsNodes) else faults.NONE
    made = [step.fault(kinds) for step in spec.schedule if step.begins]
    lacking = faults.lacking(nodes, made)
    for fault in made:
        if isinstance(fault, HasDemands) and (why := fault.misses(store, nodes[0])):
            lacking.append(f"{fault.name}: {why}")
    if not lacking:
        said = zip(nodes, on_all(nodes, disks.find(spec.disk).lacks), strict=True)
        lacking = [f"--disk {spec.disk} on {node.name}: {lack}" for node, lack in said if lack]
    if lacking:
        raise Unavailable("; ".join(lacking))


@contextmanager
def _started(clients: Sequence[ClientNode]) -> Iterator[None]:
    """Let the programs on client nodes run for as long as the block lasts."""
    try:
        try:
            by_name = {each.name: each for each in clients}
            on_all([each.node for each in clients], lambda node: by_name[node.name].start())
        except SshError as error:
            raise click.ClickException(str(error)) from error
        yield
    finally:
        for each in clients:
            each.close()


def _spec(
    system: str, store: System, workload: Workload, names: Sequence[str], options: Options
) -> RunSpec:
    """Make the run's specification, refusing what cannot be done before anything is touched."""
    count = len(names) or (5 if options["local_count"] is None else options["local_count"])
    if not 1 <= count <= local.NODES_MAX:
        raise click.UsageError(f"--local must be between 1 and {local.NODES_MAX}, not {count}")
    for name in ("time_limit", "timeout"):
        if not 0 < options[name] <= SECONDS_MAX:
            raise click.UsageError(
                f"--{name.replace('_', '-')} must be more than 0, and {SECONDS_MAX:,} s at most"
            )
    if not 0 <= options["rate"] <= RATE_MAX:
        raise click.UsageError(
            f"--rate must be between 0 (as fast as the clients go) and {RATE_MAX:,}"
        )
    nodes = tuple(names) or tuple(f"n{number}" for number in range(1, count + 1))
    clients = _client_nodes(names, workload, options)
    seed = random.SystemRandom().randrange(2**31) if options["seed"] is None else options["seed"]
    schedule = _schedule(store, workload, nodes, clients, options, seed)
    if isinstance(store, BringsNodes):
        refuse_hosts(store.name, store.ground, [*names, *clients], _actions(schedule), options)
    return RunSpec(
        system=store.name,
        workload=workload.name,
        nodes=nodes,
        client_nodes=clients,
        concurrency=_concurrency(options["concurrency"], count),
        rate=0.0 if isinstance(workload, HasBetween) else options["rate"],
        time_limit=options["time_limit"],
        timeout=options["timeout"],
        seed=seed,
        reconnect=options["reconnect"],
        schedule=schedule,
        disk=_disk(store, schedule, options),
        options={
            "system": system_owner(system).in_force(options),
            "workload": workload_owner(options["workload"]).in_force(options),
            "faults": {name: _fault_settings(name, options) for name in _actions(schedule)},
        },
        operations={f: asdict(each) for f, each in workload.operations.items()},
        promised=promised(store, workload),
        expect=expected(
            options.get("expect") or (), checks_of(workload), f"workload {workload.name}"
        ),
        fail_on_log=_fail_on_log(store, options),
        arguments={"system": system} | {name: _plain(value) for name, value in options.items()},
        command=shlex.join(["partita", *sys.argv[1:]]),
    )


def _fail_on_log(store: System, options: Options) -> tuple[str, ...]:
    asked = tuple(options.get("fail_on_log") or ())
    alarms_of(store, asked)
    return asked


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _nemeses(options: Options) -> list[str]:
    return plans.in_turn(options["nemesis"] or "")


def _schedule(
    store: System,
    workload: Workload,
    nodes: Sequence[str],
    clients: Sequence[str],
    options: Options,
    seed: int,
) -> tuple[plans.Step, ...]:
    names = _nemeses(options)
    for name in ("schedule", "nemesis"):
        if options[name] is not None and not options[name].strip(" ,;"):
            raise click.UsageError(f"--{name} is empty: leave it out, or say what is to be done")
    if options["schedule"] and names:
        raise click.UsageError("--schedule and --nemesis exclude each other")

    def given(fault: str) -> Mapping[str, Any]:
        return fault_owner(fault).given(options)

    has = partial(hasattr, store)
    if options["schedule"]:
        steps = plans.parse(options["schedule"], nodes, given, clients)
    elif RANDOM in names:
        if len(names) > 1:
            raise click.UsageError(f"--nemesis {RANDOM} draws its faults itself: name no others")
        without = _never_drawn(store, options)
        steps = storm(
            seed,
            options["time_limit"],
            len(nodes),
            has,
            given,
            disk=disks.find(options.get("disk") or options.get("storm_disk") or disks.PLAIN),
            without=without,
        )
    else:
        interval, time_limit = options["nemesis_interval"], options["time_limit"]
        steps = plans.plan(names, interval, time_limit, given, session_s(workload))
    plans.check(steps, len(nodes), options["time_limit"], has=has, clients=len(clients))
    return steps


def _never_drawn(store: System, options: Options) -> set[str]:
    """Return the faults that were found not to be had, or that nodes of this kind cannot have."""
    spared = set(options.get("spared") or ())
    if isinstance(store, BringsNodes):
        spared |= set(faults.names()) - set(store.ground.faults)
    return spared


def _disk(store: System, steps: Iterable[plans.Step], options: Options) -> str:
    """Return what the store's data are to lie on: what is asked for, or what a fault needs."""
    needs = [(step, step.fault().traits.own_disk) for step in steps if step.begins]
    needed = any(what for _, what in needs)
    asked = options.get("disk") or (disks.DEFAULT if needed else disks.PLAIN)
    if asked != disks.PLAIN and not hasattr(store, "data"):
        raise click.UsageError(
            f"--disk {asked} needs a system that says where its data lie: data()"
        )
    for step, what in needs:
        if what and not hasattr(disks.find(asked), what):
            those = " or ".join(f"--disk {each.name}" for each in disks.having(what))
            raise click.UsageError(f'"{step}" cannot be had with --disk {asked}, but with {those}')
    return str(asked)


def _fault_settings(name: str, options: Options) -> dict[str, Any]:
    """Return what holds for a fault where a step says nothing else, which it may have to."""
    owner = fault_owner(name)
    values = in_force(owner.make, owner.given(options))
    return {setting: value for setting, value in values.items() if value is not REQUIRED}


def _actions(steps: Iterable[plans.Step]) -> list[str]:
    return sorted({step.action for step in steps if step.begins})


def _client_nodes(names: Sequence[str], workload: Workload, options: Options) -> tuple[str, ...]:
    """Return the names of the nodes that clients are to live on. Raises `click.UsageError`."""
    hosts, count = client_names(options), options.get("client_count")
    if hosts and not names:
        raise click.UsageError("--client-node goes with named nodes; here: --client-nodes N")
    if hosts and count is not None:
        raise click.UsageError("--client-node and --client-nodes exclude each other")
    if names and count:
        raise click.UsageError("--client-nodes goes with a local cluster; here: --client-node HOST")
    if both := sorted(set(hosts) & set(names)):
        raise click.UsageError(f"{both[0]} cannot be a node of the store and of its clients")
    if names:
        return tuple(hosts)
    count = _wanted(workload) if count is None else count
    if not 0 <= count <= local.CLIENTS_MAX:
        raise click.UsageError(
            f"--client-nodes must be between 0 and {local.CLIENTS_MAX}, not {count}"
        )
    return tuple(f"c{number}" for number in range(1, count + 1))


def _wanted(workload: Workload) -> int:
    return workload.client_nodes if isinstance(workload, HasClientNodes) else 0


def _concurrency(text: str, nodes: int) -> int:
    match = re.fullmatch(r"(\d{1,9})(n?)", text)
    count = int(match[1]) * (nodes if match[2] else 1) if match else 0
    if not 1 <= count <= CONCURRENCY_MAX:
        raise click.UsageError(
            f"--concurrency is a number such as 10 or 2n, {CONCURRENCY_MAX:,} at most, not {text!r}"
        )
    return count


def node_names(options: Options) -> list[str]:
    """Gather the nodes from all three options; none of them means a local cluster.

    An option that names nobody, such as a variable of a script that is not set, must not mean it.
    """
    names = [name for text in options["single"] for name in _named("--node", [text])]
    if options["listed"] is not None:
        names += _named("--nodes", options["listed"].split(","))
    if options["nodes_file"]:
        try:
            lines = _text(options["nodes_file"]).splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "this is no text"
            raise click.UsageError(f"--nodes-file {options['nodes_file']}: {reason}") from None
        names += _named(f"--nodes-file {options['nodes_file']}", lines)
    if names and options.get("local_count") is not None:
        raise click.UsageError("--local and named nodes exclude each other")
    if len(set(names)) < len(names):
        raise click.UsageError("a node is named twice")
    return names


def _text(file: Path) -> str:
    return file.read_text() if file.is_file() else _piped(file)


@cache
def _piped(file: Path) -> str:
    """Read what can be read only once, such as a pipe."""
    return file.read_text()


def client_names(options: Options) -> list[str]:
    """Gather the named nodes that clients of the store are to live on."""
    given = options.get("client_hosts") or ()
    names = [name for text in given for name in _named("--client-node", [text])]
    if len(set(names)) < len(names):
        raise click.UsageError("a client node is named twice")
    return names


def _named(option: str, texts: Iterable[str]) -> list[str]:
    """Return the names among texts, of which one at least must be there."""
    names = [text.strip() for text in texts if not re.match(r"\s*(#|$)", text)]
    if not names:
        raise click.UsageError(f"{option} names no node")
    return names
