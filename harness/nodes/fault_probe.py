"""Which faults this machine can have on its local nodes, tried on a node that is thrown away.

As a program it prints them as JSON: so it is asked inside a user namespace, where there is no root.
"""

import json
import os
import random
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import astuple

from partita.harness.nodes import local, user_namespace
from partita.harness.nodes.cluster import local_client_nodes, local_nodes
from partita.nemesis import faults
from partita.nemesis.faults import Available


def faults_here() -> list[Available]:
    """Try each fault on a node made for it. Raises `local.LocalError` where none can be made."""
    if os.geteuid() == 0:
        return _tried()
    user_namespace.require(user_namespace.ENTER)
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__]
    script = 'ip link set lo up && exec "$@"'
    done = subprocess.run(
        [*user_namespace.ENTER, "--", "sh", "-c", script, "inside", *command],
        env=os.environ | {local.INSIDE: "1", local.STATE: str(local.state_root())},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise local.LocalError(said[-1])
    return [Available(*each) for each in json.loads(done.stdout)]


def _tried() -> list[Available]:
    name = f"doctor-{random.SystemRandom().randrange(16**6):06x}"
    with local.cluster_of(1, name, clients=1) as cluster, ExitStack() as stack:
        nodes, clients = local_nodes(cluster), local_client_nodes(cluster)
        for node in [*nodes, *clients]:
            stack.callback(node.close)
        return faults.available(nodes, clients)


if __name__ == "__main__":
    try:
        print(json.dumps([astuple(each) for each in _tried()]))
    except local.LocalError as error:
        sys.exit(str(error))
