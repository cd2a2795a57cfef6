"""The local cluster without root: the whole command again, as root of a user namespace.

Everything else then runs as it is. The network that the command sees there is private too, so
the nodes are reached from inside only.
"""

import os
import subprocess
import sys
from collections.abc import Sequence

from partita.harness.nodes import local

ENTER = ("unshare", "--user", "--map-root-user", "--map-auto", "--net", "--mount")


def enter(name: str | None = None) -> None:
    """Without root: run this very command again inside a user namespace, as root there.

    With the name of a cluster that is up, inside that cluster's namespace. Returns only if
    nothing needs doing; raises `local.LocalError` where the machine does not allow it.
    """
    if os.geteuid() == 0:
        return
    environment = os.environ | {local.INSIDE: "1", local.STATE: str(local.state_root())}
    command = [sys.executable, "-m", "partita", *sys.argv[1:]]
    cluster = local.find(name) if name else None
    if cluster is not None and cluster.holders and cluster.holders[0].alive():
        target = str(cluster.holders[0].pid)
        into = ["nsenter", "-t", target, "-U", "-n", "-m", "--preserve-credentials", "--"]
    else:
        require(ENTER)
        into = [*ENTER, "--"]
        command = ["sh", "-c", 'ip link set lo up && exec "$@"', "inside", *command]
    os.execvpe(into[0], into + command, environment)


def require(into: Sequence[str]) -> None:
    """Try whether the machine lets us in; raise `LocalError` with the way out if not."""
    try:
        probe = subprocess.run([*into, "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise local.LocalError("unshare is missing: apt-get install util-linux") from None
    if probe.returncode != 0:
        said = probe.stderr.strip().splitlines() or ["no reason given"]
        raise local.LocalError(
            f"a local cluster needs root, or user namespaces, which failed ({said[-1]}): run it "
            "with sudo, or: apt-get install uidmap, an entry for your user in /etc/subuid and "
            "/etc/subgid, and kernel.unprivileged_userns_clone=1 where that setting exists"
        )
