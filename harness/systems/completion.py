"""What a system of the user's own need not say: methods that follow from its name.

A store that was started by `node.start_daemon(name, …)` can be ended, frozen and deleted without
its help. Whatever the user's class says itself is left alone.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from partita.harness.nodes.cluster import FOLDER, Node

# From the system's name to the method, by the method's name.
_BY_NAME: Mapping[str, Callable[[str], Callable[..., Any]]] = MappingProxyType(
    {
        "install": lambda name: lambda node: None,
        "versions": lambda name: lambda node: "not said",
        "running": lambda name: lambda node: node.daemon_runs(name),
        "stop": lambda name: lambda node: node.stop_daemon(name),
        "kill": lambda name: lambda node: node.stop_daemon(name, signal="KILL"),
        "pause": lambda name: lambda node: node.signal_daemon(name, "STOP"),
        "resume": lambda name: lambda node: node.signal_daemon(name, "CONT"),
        "wipe": lambda name: lambda node: node.wipe(name),
        "logs": lambda name: _logs(name),
    }
)
_NEEDED = ("start", "healthy", "client")


def complete(system: Any) -> list[str]:
    """Give a system the methods that it lacks; return what nobody can supply."""
    missing = [f"{method}()" for method in _NEEDED if not hasattr(system, method)]
    if not isinstance(getattr(system, "name", None), str):
        return ["name", *missing]
    # A class that ends its store itself may have no daemon that we could look for or freeze.
    left_out = ("running", "pause", "resume") if hasattr(system, "kill") else ()
    for method, make in _BY_NAME.items():
        if not hasattr(system, method) and method not in left_out:
            setattr(system, method, make(system.name))
    return missing


def _logs(name: str) -> Callable[[Node], Sequence[str]]:
    return lambda node: [f"{FOLDER}/{name}/output.log"]
