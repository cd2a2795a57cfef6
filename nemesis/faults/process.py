"""Ending and freezing the store's processes, and letting them run again.

`kill` is a crash of the process: it ends at once, but what it had written is in the machine's
memory and survives, as it would not survive a power cut. `stop` ends it as an administrator
would, `pause` freezes it as a long garbage collection or a suspended virtual machine would. What
that means for a store is its system's business.
"""

from collections.abc import Mapping
from typing import Any

from partita.nemesis.fault import Lasted, Scene, Storm, Traits
from partita.nemesis.hosts import Host, on_some
from partita.nemesis.targets import Scope

# A controller that died left its paused processes paused. Harmless for those that run.
_RESUME = """
for file in /srv/partita/*/pid; do
    [ ! -e "$file" ] || kill -CONT "$(cat "$file")" 2>/dev/null
done
true
"""


SIGNALS = "signals to the store's process"


def _nothing(fault: object, host: Host) -> str | None:
    """Say that it needs nothing but the store."""
    return None


def _silent(fault: object, scene: Scene, scope: Scope) -> Mapping[str, Any]:
    """It bit if none of the processes answers."""
    serving = scene.serving(scope)
    silent = sorted(set(scope.nodes) - set(serving))
    return {"bit": not serving and bool(silent), "silent": silent}


def _still_silent(fault: object, scene: Scene, scope: Scope) -> Lasted:
    """Who serves again was started by another hand."""
    serving = scene.serving(scope)
    return Lasted({"serving_again": serving} if serving else {})


def _start(fault: object, scene: Scene, scope: Scope) -> None:
    scene.start(scope)


class Kill:
    """Crashes the store's process: it ends at once, what it wrote stays in the page cache."""

    name = "kill"
    traits = Traits(
        strikes="nodes", silences=True, restarts=True, how=SIGNALS, storm=Storm(3, (0.5, 3.0))
    )

    def begin(self, scene: Scene, scope: Scope) -> None:
        on_some(scene.hosts, scope.nodes, lambda node: scene.store.do("kill", node))

    lacks, prove, lasted, end = _nothing, _silent, _still_silent, _start


class Stop:
    """Ends the store's process as an administrator would."""

    name = "stop"
    traits = Traits(
        strikes="nodes", silences=True, restarts=True, how=SIGNALS, storm=Storm(1, (0.5, 3.0))
    )

    def begin(self, scene: Scene, scope: Scope) -> None:
        on_some(scene.hosts, scope.nodes, lambda node: scene.store.do("stop", node))

    lacks, prove, lasted, end = _nothing, _silent, _still_silent, _start


class Pause:
    """Freezes the store's process, as a long garbage collection would."""

    name = "pause"
    traits = Traits(
        strikes="nodes",
        silences=True,
        survives_restart=False,
        needs=("pause", "resume"),
        storm=Storm(2, (1.0, 4.0)),
        how=SIGNALS,
        heal=_RESUME,
    )

    def begin(self, scene: Scene, scope: Scope) -> None:
        on_some(scene.hosts, scope.nodes, lambda node: scene.store.do("pause", node))

    def end(self, scene: Scene, scope: Scope) -> None:
        """Let it go on, and start it where it ended meanwhile."""
        on_some(scene.hosts, scope.nodes, lambda node: scene.store.do("resume", node))
        _start(self, scene, scope)

    lacks, prove, lasted = _nothing, _silent, _still_silent
