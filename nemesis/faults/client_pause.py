"""Freezing clients: what a long garbage collection does to who holds a lock.

All processes on the host are stopped that clients consist of, their libraries' threads with them.
Meanwhile the store ends their sessions, and when they go on they do not know it yet.
"""

from collections.abc import Mapping
from typing import Any

from partita.nemesis.fault import Lasted, Scene, TimesToLive, Traits
from partita.nemesis.hosts import CLIENTS_MARK, Host, on_all
from partita.nemesis.targets import Scope

# Prints each process and its state: the third word of its line, behind the name in brackets.
_STATES = f"""
states() {{
    for file in $(grep -lsz "^{CLIENTS_MARK}=" /proc/[0-9]*/environ); do
        folder=${{file%/environ}}
        state=$(sed "s/.*) //" "$folder/stat" 2>/dev/null | cut -d " " -f 1)
        case $state in ""|Z|X) ;; *) echo "${{folder#/proc/}} $state" ;; esac
    done
}}
"""

# Again until none runs: what is stopped late may have begun another meanwhile.
_FREEZE = f"""{_STATES}
i=0
while running=$(states | grep -v " T$") && [ $i -lt 100 ]; do
    for pid in $(echo "$running" | cut -d " " -f 1); do kill -STOP "$pid" 2>/dev/null; done
    i=$((i + 1)); sleep 0.01
done
"""

_THAW = f"""{_STATES}
for pid in $(states | cut -d " " -f 1); do kill -CONT "$pid" 2>/dev/null; done
true
"""


class ClientPause:
    """Freezes the clients on a node of theirs, past the time to live of their sessions."""

    name = "client-pause"
    traits = Traits(
        strikes="clients",
        stacks="replace",
        target="holder",
        refuses=("minority", "majority"),
        how="signals to the clients' processes",
        heal=_THAW,
    )

    def __init__(self, ttl: TimesToLive = 3) -> None:
        self._ttl = ttl

    def lasts(self, session_s: float | None) -> float | None:
        return None if session_s is None else self._ttl * session_s

    def lacks(self, host: Host) -> str | None:
        return None

    def begin(self, scene: Scene, scope: Scope) -> None:
        def put(host: Host) -> None:
            script = _FREEZE if host.name in scope.nodes else _THAW
            host.run(["sh", "-c", script, "freeze" if script is _FREEZE else "thaw"])

        on_all(scene.clients, put)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """It bit if there are processes on each of the hosts, and all of them are stopped."""
        states = _states(scene, scope)
        frozen = {name: len(each) for name, each in states.items() if set(each) == {"T"}}
        return {"bit": bool(states) and len(frozen) == len(states), "frozen": frozen}

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        """Who runs was let go on by another hand."""
        states = _states(scene, scope)
        running = sorted(name for name, each in states.items() if set(each) != {"T"})
        return Lasted({"running_again": running} if running else {})

    def end(self, scene: Scene, scope: Scope) -> None:
        struck = [host for host in scene.clients if host.name in scope.nodes]
        on_all(struck, lambda host: host.run(["sh", "-c", _THAW, "thaw"]))


def _states(scene: Scene, scope: Scope) -> dict[str, list[str]]:
    """Return the states of the clients' processes on each struck host, S, R, T and so on."""
    struck = [host for host in scene.clients if host.name in scope.nodes]
    said = on_all(struck, lambda host: host.run(["sh", "-c", _STATES + "states", "states"]).stdout)
    return {name: lines.split()[1::2] for name, lines in said.items()}
