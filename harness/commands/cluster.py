"""`partita cluster`: the local cluster by hand."""

import os

import click

from partita.harness.nodes import local, user_namespace


@click.group()
def cluster() -> None:
    """Make, look at and take down clusters of namespaces on this machine."""


@cluster.command()
@click.argument("count", type=click.IntRange(1, local.NODES_MAX), default=5)
@click.option("--name", default="default", show_default=True, help="To tell clusters apart.")
@click.option(
    "--client-nodes",
    default=0,
    type=click.IntRange(0, local.CLIENTS_MAX),
    metavar="N",
    help="N more, c1 and so on, for clients of the store.",
)
def up(count: int, name: str, client_nodes: int) -> None:
    """Make COUNT nodes (default 5) and print how to reach them."""
    user_namespace.enter(name)
    made = local.up(count, name, clients=client_nodes)
    login = made.login
    for node in made.everyone:
        click.echo(f"{node.name}\t{node.address}")
    click.echo(
        f"partita cluster ssh n1 --name {name}, or: "
        f"ssh -i {login.key} -o UserKnownHostsFile={login.known_hosts} "
        f"root@{made.nodes[0].address}",
        err=True,
    )


@cluster.command()
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Also those that a running test uses.")
def down(names: tuple[str, ...], everything: bool) -> None:
    """Take clusters down; without NAMES, all but those that a running test made for itself."""
    found = local.clusters()
    for name in names:
        if local.find(name) is None:
            raise click.UsageError(f"no cluster is called {name}: partita cluster status")
    for each in found:
        if each.name in names or (not names and (everything or not each.owned())):
            local.down(each.name)
            click.echo(f"{each.name}: down")
        elif not names:
            click.echo(f"{each.name}: left to the test that uses it")


@cluster.command()
def status() -> None:
    """List the clusters on this machine."""
    for each in local.clusters():
        use = "in use by a running test" if each.owned() else "free"
        nodes = " ".join(f"{node.name}={node.address}" for node in each.everyone)
        click.echo(f"{each.name}\t{each.status()}\t{use}\t{nodes}")


@cluster.command()
@click.argument("node")
@click.argument("command", nargs=-1)
@click.option("--name", default="default", show_default=True, help="Which cluster.")
def ssh(node: str, command: tuple[str, ...], name: str) -> None:
    """Log in to NODE, or run COMMAND there."""
    user_namespace.enter(name)
    found = local.find(name)
    if found is None:
        raise click.UsageError(f"no cluster is called {name}: partita cluster up --name {name}")
    addresses = {each.name: each.address for each in found.everyone}
    if node not in addresses:
        raise click.UsageError(f"no node is called {node}: {', '.join(addresses)}")
    login = found.login
    arguments = ["ssh", "-i", str(login.key), "-o", f"UserKnownHostsFile={login.known_hosts}"]
    os.execvp("ssh", [*arguments, "-l", "root", addresses[node], *command])
