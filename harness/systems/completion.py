"""What a system of the user's own need not say: what follows from its name.

A store that was started by `node.start_daemon(name, …)` can be ended, frozen and deleted without
its help. Whatever the user's class says itself is left alone.
"""

from typing import Any

from partita.harness.systems.daemon import Daemon
from partita.harness.systems.over_registers import offered

_NEEDED = ("start", "healthy")
_SUPPLIED = (
    "install", "versions", "running", "stop", "kill", "pause", "resume", "wipe", "logs", "data",
)  # fmt: skip


def complete(system: Any) -> list[str]:
    """Give a system the methods that it lacks; return what nobody can supply."""
    missing = [f"{method}()" for method in _NEEDED if not hasattr(system, method)]
    if not hasattr(system, "client") and not hasattr(system, "offers"):
        missing.append("client()")
    if not isinstance(getattr(system, "name", None), str):
        return ["name", *missing]
    # A class that ends its store itself may have no daemon that we could look for or freeze.
    left_out = ("running", "pause", "resume") if hasattr(system, "kill") else ()
    for method in _SUPPLIED:
        if not hasattr(system, method) and method not in left_out:
            setattr(system, method, getattr(Daemon, method).__get__(system))
    if not hasattr(system, "offers") and not missing:
        system.offers = offered(system.client)
    return missing
