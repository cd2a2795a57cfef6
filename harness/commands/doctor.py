"""`partita doctor` and `partita heal`: what is wrong with a machine, and undoing faults."""

import json
from contextlib import suppress
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import click

from partita.checker.plugins import PluginError, find, names
from partita.harness.clients.client_node import examine_client_node
from partita.harness.commands import options as groups
from partita.harness.nodes import local
from partita.harness.nodes.cluster import Node, local_client_nodes, local_nodes, on_all
from partita.harness.nodes.doctor import Finding, examine_here, examine_node, examine_program
from partita.harness.nodes.fault_probe import faults_here
from partita.harness.run.places import reach
from partita.harness.run.session import client_names, node_names
from partita.harness.systems import HasExamine
from partita.nemesis import faults, switch

LACKS_SOMETHING = 254


@click.command()
@groups.named
@click.option("--runs-dir", default="runs", show_default=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def doctor(runs_dir: Path, as_json: bool, **options: Any) -> int:
    """Look whether this machine, or the named nodes, have what a run needs; name each fix."""
    names, clients = node_names(options), client_names(options)
    if names or clients:
        nodes, hosts = reach(names, options), reach(clients, options)
        found = on_all(nodes, examine_node) + on_all(hosts, examine_client_node)
        findings = [*chain.from_iterable(found), *chain.from_iterable(on_all(nodes, _faults_of))]
    else:
        findings = examine_here(runs_dir) + _programs() + _faults_here()
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    for finding in findings if not as_json else ():
        click.echo(f"{_mark(finding)}  {finding.where}  {finding.what}: {finding.found}")
        if finding.fix:
            click.echo(f"       {finding.fix}")
    return LACKS_SOMETHING if any(each.fix and each.needed for each in findings) else 0


def _programs() -> list[Finding]:
    """Look for the programs of systems that have to be fetched. A system that is broken is told
    by `partita list`."""
    found = []
    for name in names("systems"):
        with suppress(PluginError):
            system = find("systems", name)
            if isinstance(system, HasExamine):
                found.append(examine_program(name, system.examine))
    return found


def _faults_here() -> list[Finding]:
    """Try all faults on a node that is thrown away."""
    try:
        return [_of_fault("this machine", each) for each in faults_here()]
    except local.LocalError as error:
        return [Finding("this machine", "faults", f"not tried: {error}", "", needed=False)]


def _faults_of(node: Node) -> list[Finding]:
    """Try on a node of the store the faults that strike nodes, in a corner of it."""
    return [_of_fault(node.name, each) for each in faults.available([node])]


def _of_fault(where: str, each: faults.Available) -> Finding:
    """Without a fault some runs can be made all the same. What it lacks is said in one line."""
    fix = None if each.lack is None else ""
    return Finding(where, f"{each.kind} {each.name}", each.said, fix, needed=False)


def _mark(finding: Finding) -> str:
    if finding.fix is None:
        return click.style("ok ", fg="green")
    return click.style("FIX", fg="red") if finding.needed else click.style("no ", fg="yellow")


@click.command()
@groups.named
@click.option("--cluster", help="The nodes of this local cluster.")
def heal(cluster: str | None, **options: Any) -> None:
    """Undo every fault of Partita's on the named nodes, and touch nothing else of theirs."""
    nodes = _nodes(cluster, options)
    switch.heal(nodes)
    switch.disarm(nodes)
    for node in nodes:
        click.echo(f"{node.name}: healed")
        node.close()


def _nodes(cluster: str | None, options: dict[str, Any]) -> list[Node]:
    names = node_names(options) + client_names(options)
    if bool(names) == bool(cluster):
        raise click.UsageError("name the nodes with --node, or a local cluster with --cluster")
    if cluster is None:
        return reach(names, options)
    found = local.find(cluster)
    if found is None:
        raise click.UsageError(f"no cluster is called {cluster}: partita cluster status")
    return local_nodes(found) + local_client_nodes(found)
