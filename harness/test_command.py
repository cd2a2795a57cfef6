"""`partita test`: one run, from arguments to exit code."""

import json
import random
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

from harness import local, user_namespace
from harness.cluster import Node, local_nodes, remote_nodes
from harness.progress import Progress
from harness.results import EXIT_CODES
from harness.run import RunSpec, run, tear_down
from harness.ssh import Login, SshError
from harness.summary import summary
from harness.systems import HasPause, HasPrimaries, System, load_system
from nemesis import process
from nemesis import schedule as plans
from nemesis.grudges import GRUDGES
from workloads.workload import WORKLOADS

Command = Callable[..., Any]


def _options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_where = _options(
    click.option(
        "--local", "local_count", type=int, metavar="N", help="N nodes on this machine [5]."
    ),
    click.option("--node", "-n", "single", multiple=True, help="A node to use; may be repeated."),
    click.option("--nodes", "listed", help="Nodes to use, separated by commas."),
    click.option("--nodes-file", type=click.Path(path_type=Path), help="A file, a node a line."),
    click.option("--username", default="root", show_default=True, help="Logs in to the nodes."),
    click.option(
        "--ssh-private-key", type=click.Path(path_type=Path), help="The key to log in with."
    ),
    click.option("--ssh-port", default=22, show_default=True, type=click.IntRange(1, 65535)),
    click.option(
        "--strict-host-key-checking/--no-strict-host-key-checking",
        "strict",
        default=True,
        show_default=True,
        help="Refuse nodes whose host key is not in known_hosts.",
    ),
)

_load = _options(
    click.option(
        "--workload", "-w", default="register", show_default=True, help=", ".join(WORKLOADS) + "."
    ),
    click.option("--keys", type=click.IntRange(1, 10_000), help="Registers [5], or lists [1]."),
    click.option(
        "--concurrency", default="2n", show_default=True, help="Clients; n means the nodes' number."
    ),
    click.option(
        "--rate", "-r", default=50.0, show_default=True, help="Operations a second, in total."
    ),
    click.option("--time-limit", default=60.0, show_default=True, help="Seconds of load."),
    click.option("--timeout", default=5.0, show_default=True, help="Seconds for an operation."),
)

_store = _options(
    click.option("--reads", help="How the system is to read; depends on the system."),
    click.option("--binary", type=click.Path(path_type=Path), help="The store's program to use."),
    click.option("--archive", metavar="FILE-OR-URL", help="An archive that contains the program."),
    click.option("--bug", help="A mistake for raft to make, see partita selftest."),
    click.option(
        "--server-args", default="", help='More for the store\'s program: "--flag value".'
    ),
)

_faults = _options(
    click.option(
        "--nemesis", help=f"Faults in turn: none, {', '.join((*GRUDGES, *process.NAMES))}."
    ),
    click.option(
        "--nemesis-interval",
        type=float,
        help="Seconds that each fault lasts [15, or less if they would not all have a turn].",
    ),
    click.option("--schedule", help=f"Faults at set times: {plans.FORM}."),
    click.option("--seed", type=int, help="Repeats a run's choices [random]."),
)


@click.command()
@click.argument("system")
@_where
@_load
@_store
@_faults
@click.option(
    "--runs-dir",
    default="runs",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as one JSON object.")
@click.option("--leave-running", is_flag=True, help="Leave the system and the cluster running.")
def test(system: str, as_json: bool, leave_running: bool, runs_dir: Path, **options: Any) -> int:
    """Drive SYSTEM, break its network, and check what it promised.

    SYSTEM is zookeeper, etcd, consul, raft, or your own as path/to/file.py:Class. By default
    it runs on five nodes made of namespaces on this machine.
    """
    store = load_system(system, _shape(options))
    names = _node_names(options)
    spec = _spec(system, store, names, options)
    if not names:
        user_namespace.enter()
    progress = Progress()
    try:
        with (
            _nodes(names, len(spec.nodes), options, keep=leave_running) as nodes,
            ExitStack() as last,
        ):
            if not leave_running and names:
                last.callback(tear_down, store, nodes)
            workload = WORKLOADS[spec.workload](spec.keys)
            outcome = run(spec, store, workload, nodes, runs_dir, progress)
            progress.say("tearing down")
    finally:
        progress.close()
    click.echo(json.dumps(outcome, indent=1) if as_json else summary(outcome), nl=True)
    return EXIT_CODES[outcome["valid"]]


@contextmanager
def _nodes(
    names: Sequence[str], count: int, options: dict[str, Any], *, keep: bool
) -> Iterator[list[Node]]:
    """Reach the named nodes, or make a local cluster for as long as the block lasts."""
    with ExitStack() as stack:
        if names:
            login = Login(
                username=options["username"],
                port=options["ssh_port"],
                key=options["ssh_private_key"],
                strict=options["strict"],
            )
            try:
                nodes = remote_nodes(names, login)
            except SshError as error:
                raise click.ClickException(str(error)) from error
        else:
            name = f"test-{random.SystemRandom().randrange(16**6):06x}"
            if keep:
                cluster = local.up(count, name)
                click.echo(f"partita cluster down {name} ends the cluster", err=True)
            else:
                cluster = stack.enter_context(local.cluster_of(count, name))
            nodes = local_nodes(cluster)
        for node in nodes:
            stack.callback(node.close)
        yield nodes


def _spec(system: str, store: System, names: Sequence[str], options: dict[str, Any]) -> RunSpec:
    """Make the run's specification, refusing what cannot be done before anything is touched."""
    count = len(names) or (5 if options["local_count"] is None else options["local_count"])
    if not 1 <= count <= local.NODES_MAX:
        raise click.UsageError(f"--local must be between 1 and {local.NODES_MAX}, not {count}")
    workload = options["workload"]
    if workload not in WORKLOADS:
        raise click.UsageError(
            f"no workload is called {workload!r}: choose from {', '.join(WORKLOADS)}"
        )
    for name in ("time_limit", "timeout"):
        if options[name] <= 0:
            raise click.UsageError(f"--{name.replace('_', '-')} must be more than 0")
    if options["rate"] < 0:
        raise click.UsageError("--rate must not be negative (0: as fast as the clients go)")
    nodes = tuple(names) or tuple(f"n{number}" for number in range(1, count + 1))
    return RunSpec(
        system=Path(system).stem if ":" in system else system,
        workload=workload,
        nodes=nodes,
        concurrency=_concurrency(options["concurrency"], count),
        rate=options["rate"],
        time_limit=options["time_limit"],
        timeout=options["timeout"],
        seed=random.SystemRandom().randrange(2**31) if options["seed"] is None else options["seed"],
        schedule=_schedule(store, count, options),
        keys=options["keys"] or (1 if workload == "append" else 5),
        reads=options["reads"],
        command=shlex.join(["partita", *sys.argv[1:]]),
    )


def _schedule(store: System, count: int, options: dict[str, Any]) -> tuple[plans.Step, ...]:
    names = [name for name in (options["nemesis"] or "").split(",") if name and name != "none"]
    if options["schedule"] and names:
        raise click.UsageError("--schedule and --nemesis exclude each other")
    if options["schedule"]:
        steps = plans.parse(options["schedule"])
    else:
        steps = plans.plan(names, options["nemesis_interval"], options["time_limit"])
    plans.check(
        steps,
        count,
        options["time_limit"],
        has_leader=isinstance(store, HasPrimaries),
        can_pause=isinstance(store, HasPause),
    )
    return steps


def _shape(options: dict[str, Any]) -> dict[str, Any]:
    """Gather the options that the system itself takes."""
    try:
        more = tuple(shlex.split(options["server_args"]))
    except ValueError as error:
        raise click.UsageError(f"--server-args: {error}") from None
    names = ("reads", "binary", "archive", "bug")
    return {name: options[name] for name in names} | {"server_args": more}


def _concurrency(text: str, nodes: int) -> int:
    match = re.fullmatch(r"(\d+)(n?)", text)
    count = int(match[1]) * (nodes if match[2] else 1) if match else 0
    if not 1 <= count <= 10_000:
        raise click.UsageError(f"--concurrency is a number such as 10 or 2n, not {text!r}")
    return count


def _node_names(options: dict[str, Any]) -> list[str]:
    """Gather the nodes from all three options; none means a local cluster."""
    names = list(options["single"]) + (options["listed"] or "").split(",")
    if options["nodes_file"]:
        try:
            names += options["nodes_file"].read_text().splitlines()
        except OSError as error:
            raise click.UsageError(
                f"--nodes-file {options['nodes_file']}: {error.strerror}"
            ) from None
    names = [name.strip() for name in names if name.strip() and not name.startswith("#")]
    if names and options["local_count"] is not None:
        raise click.UsageError("--local and named nodes exclude each other")
    if len(set(names)) < len(names):
        raise click.UsageError("a node is named twice")
    return names
