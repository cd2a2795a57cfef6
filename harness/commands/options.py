"""The options of the commands that make runs, in groups."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from partita.checker.plugins import names
from partita.harness.commands.owned import Named
from partita.harness.commands.parameters import finite
from partita.nemesis import disks
from partita.nemesis import schedule as plans

Command = Callable[..., Any]
_FILE = click.Path(path_type=Path, dir_okay=False)


def together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Make one decorator out of several options."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


named = together(
    click.option("--node", "-n", "single", multiple=True, help="A node to use; may be repeated."),
    click.option("--nodes", "listed", help="Nodes to use, separated by commas."),
    click.option("--nodes-file", type=click.Path(path_type=Path), help="A file, a node a line."),
    click.option(
        "--client-node",
        "client_hosts",
        multiple=True,
        metavar="HOST",
        help="A node for clients of the store; may be repeated.",
    ),
    click.option("--username", default="root", show_default=True, help="Logs in to the nodes."),
    click.option("--ssh-private-key", type=_FILE, help="The key to log in with."),
    click.option("--ssh-port", default=22, show_default=True, type=click.IntRange(1, 65535)),
    click.option(
        "--strict-host-key-checking/--no-strict-host-key-checking",
        "strict",
        default=True,
        show_default=True,
        help="Refuse nodes whose host key is not in known_hosts.",
    ),
)

where = together(
    click.option(
        "--local", "local_count", type=int, metavar="N", help="N nodes on this machine [5]."
    ),
    click.option(
        "--client-nodes",
        "client_count",
        type=int,
        metavar="N",
        help="N more on this machine for clients of the store, 0: none [what the workload wants].",
    ),
    named,
)

load = together(
    click.option(
        "--workload",
        "-w",
        default="register",
        show_default=True,
        type=Named("workloads"),
        help=", ".join(names("workloads")) + ", or path/to/file.py:Class.",
    ),
    click.option(
        "--concurrency", default="2n", show_default=True, help="Clients; n means the nodes' number."
    ),
    click.option(
        "--rate",
        "-r",
        default=50.0,
        show_default=True,
        callback=finite,
        help="Operations a second, in total.",
    ),
    click.option(
        "--time-limit", default=60.0, show_default=True, callback=finite, help="Seconds of load."
    ),
    click.option(
        "--timeout",
        default=5.0,
        show_default=True,
        callback=finite,
        help="Seconds for an operation.",
    ),
    click.option(
        "--reconnect",
        default="same",
        show_default=True,
        type=click.Choice(["same", "any"]),
        help="Where a client goes that lost its connection: to the same node, or to any other.",
    ),
)

faults = together(
    click.option(
        "--nemesis",
        type=Named("faults", several=True),
        help="Faults in turn, separated by commas: a fault and its target, such as kill-leader, "
        "or a target alone, for a partition, such as leader-minority; random: drawn by the seed; "
        "none.",
    ),
    click.option(
        "--nemesis-interval",
        type=float,
        callback=finite,
        help="Seconds that each fault lasts [15, or less if they would not all have a turn].",
    ),
    click.option("--schedule", help=f"Faults at set times: {plans.FORM}."),
    click.option(
        "--disk",
        type=click.Choice(names("disks")),
        help="What the store's data lie on: the node's own disk (plain), or one that can lose its "
        f"power [{disks.DEFAULT} if a fault needs it].",
    ),
    click.option("--seed", type=int, help="Repeats a run's choices [random]."),
)


gate = together(
    click.option(
        "--expect",
        multiple=True,
        metavar="[CHECK=]LEVEL",
        help="A level to be reached, in place of what the system promises.",
    ),
    click.option(
        "--min-availability",
        type=click.FloatRange(0, 1),
        callback=finite,
        help="Share of operations acknowledged in time, 0 to 1.",
    ),
    click.option(
        "--max-unavailability",
        type=click.FloatRange(0),
        callback=finite,
        metavar="S",
        help="Longest time in which nothing is acknowledged.",
    ),
    click.option(
        "--max-recovery",
        type=click.FloatRange(0),
        callback=finite,
        metavar="S",
        help="Longest time from a heal to a write on every node.",
    ),
    click.option(
        "--require-recovery",
        is_flag=True,
        help="Every node serves again after the last heal.",
    ),
    click.option(
        "--fail-on-log",
        multiple=True,
        metavar="REGEX",
        help="What must stand in no log of a node, besides the panics that the system names.",
    ),
    click.option(
        "--min-ok",
        multiple=True,
        metavar="[WHAT=]N",
        help="Least number that succeed; WHAT is an f such as write, or faults (during each).",
    ),
    click.option(
        "--unknown",
        type=click.Choice(["fail", "pass"]),
        default="fail",
        show_default=True,
        help="What an unknown verdict means for the exit code.",
    ),
)

runs_dir = click.option(
    "--runs-dir",
    default="runs",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
)

output = together(
    runs_dir,
    click.option("--json", "as_json", is_flag=True, help="Print the results as one JSON object."),
    click.option("--junit", type=_FILE, metavar="FILE", help="Write the results as JUnit XML."),
    click.option("--summary", type=_FILE, metavar="FILE", help="Write the results as Markdown."),
    click.option("--leave-running", is_flag=True, help="Leave system and cluster running."),
)
