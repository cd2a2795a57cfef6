"""Where a run takes place: nodes that are reached or made, for as long as it lasts."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import click

from partita.harness.nodes import local
from partita.harness.nodes.cluster import Node, local_client_nodes, local_nodes, remote_nodes
from partita.harness.nodes.ssh import Login, SshError
from partita.harness.run.run import RunSpec
from partita.harness.systems import BringsNodes
from partita.nemesis import disks
from partita.nemesis.ground import Ground

Options = Mapping[str, Any]
# Lends the nodes of the store, and those of its clients: called as `nodes_of` is.
Place = Callable[..., AbstractContextManager[tuple[list[Node], list[Node]]]]


@contextmanager
def nodes_of(
    names: Sequence[str], spec: RunSpec, options: Options, *, keep: bool
) -> Iterator[tuple[list[Node], list[Node]]]:
    """Reach the named nodes, or make a local cluster for as long as the block lasts.

    The nodes of the store come first, and then those of its clients.
    """
    with ExitStack() as stack:
        if names:
            nodes, hosts = reach(names, options), reach(spec.client_nodes, options)
        else:
            counts = len(spec.nodes), f"test-{random.SystemRandom().randrange(16**6):06x}"
            if keep:
                cluster = local.up(*counts, clients=len(spec.client_nodes))
                click.echo(f"partita cluster down {cluster.name} ends the cluster", err=True)
            else:
                made = local.cluster_of(*counts, clients=len(spec.client_nodes))
                cluster = stack.enter_context(made)
            nodes, hosts = local_nodes(cluster), local_client_nodes(cluster)
        for node in [*nodes, *hosts]:
            stack.callback(node.close)
        yield nodes, hosts


def brought(store: BringsNodes) -> Place:
    """Return the place of a store that makes its own nodes."""

    @contextmanager
    def lend(
        names: Sequence[str], spec: RunSpec, options: Options, *, keep: bool
    ) -> Iterator[tuple[list[Node], list[Node]]]:
        with store.nodes(spec.nodes, spec.seed) as nodes:
            yield [*nodes], []

    return lend


def refuse_hosts(
    store: str, ground: Ground, hosts: Sequence[str], actions: Sequence[str], options: Options
) -> None:
    """Refuse what needs hosts, for a store that makes its own nodes. Raises `click.UsageError`."""
    if hosts or options["leave_running"]:
        raise click.UsageError(
            f"the nodes of {store} are made for each run, on this machine: leave out named nodes, "
            "client nodes and --leave-running; --local says how many"
        )
    if options.get("disk") not in (None, disks.PLAIN):
        raise click.UsageError(
            f"the nodes of {store} are no hosts, so that they have no disks: leave --disk out"
        )
    for action in actions:
        if action not in ground.faults:
            raise click.UsageError(
                f"the nodes of {store} are no hosts, so that {action} cannot be done: choose from "
                f"{', '.join(sorted(ground.faults))}"
            )


def reach(names: Sequence[str], options: Options) -> list[Node]:
    """Log in to the named nodes. Raises `click.ClickException` for one that cannot be reached."""
    login = Login(
        username=options["username"],
        port=options["ssh_port"],
        key=options["ssh_private_key"],
        strict=options["strict"],
    )
    try:
        return remote_nodes(names, login)
    except SshError as error:
        raise click.ClickException(str(error)) from error
