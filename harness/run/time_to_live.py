"""How long a session lives unrenewed: as the workload asks, and as the store has it at least."""

from collections.abc import Mapping
from typing import Any

import click

from partita.harness.run.owners import make_workload
from partita.harness.systems.system import HasShortestSession, System
from partita.workloads.workload import HasTtl, Workload


def lengthened(
    store: System, workload: Workload, options: Mapping[str, Any]
) -> tuple[Workload, Mapping[str, Any]]:
    """Return the workload and the options with a time to live that the store grants.

    Faults that outlast a session go by it, so it must be true before the run. That it is another
    than was asked for is said.
    """
    if not isinstance(store, HasShortestSession) or not isinstance(workload, HasTtl):
        return workload, options
    least = store.shortest_session_s
    if workload.ttl >= least:
        return workload, options
    click.echo(
        f"partita: a session of {store.name} lives {least:g} s at least: that is the time to live "
        f"of this run, not {workload.ttl:g} s",
        err=True,
    )
    longer = {**options, "ttl": least}
    return make_workload(options["workload"], longer), longer
