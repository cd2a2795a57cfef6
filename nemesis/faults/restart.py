"""Stores that are started anew: once, one node after another, or again and again.

A restart is over as soon as the node serves again; its step needs no heal. A node that is kept
down by another fault is stopped, and not started.
"""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, Protocol

from partita.checker.settings import Setting
from partita.nemesis.fault import Lasted, Scene, Storm, Traits
from partita.nemesis.hosts import Host, on_some
from partita.nemesis.targets import Scope

_LOOK_S = 0.1

Patience = Annotated[
    float, Setting("Seconds in which a node has to serve again.", least=1, most=600)
]


def _nothing(fault: object, host: Host) -> str | None:
    """Say that it needs nothing but the store."""
    return None


def _over(fault: object, scene: Scene, scope: Scope) -> Lasted:
    """It was over when it had been proven."""
    return Lasted()


def _no_end(fault: object, scene: Scene, scope: Scope) -> None:
    """There is nothing to undo."""


class _Again:
    """Stops nodes, starts them, and waits until they serve, remembering how it went."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self.stopped: list[str] = []  # did not answer in between
        self.seconds: dict[str, float] = {}  # until it served again

    def carry_out(self, scene: Scene, node: str) -> None:
        begun = time.monotonic()
        scene.store.do("stop", node)
        if not scene.store.serves(node):
            self.stopped.append(node)
        if node in scene.held:
            return
        scene.store.start(node)
        while time.monotonic() - begun < self._patience_s:
            if scene.store.serves(node):
                self.seconds[node] = round(time.monotonic() - begun, 1)
                return
            time.sleep(_LOOK_S)

    def proof(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """It bit if each was silent in between, and each that may serves again."""
        living = scene.living & set(scope.nodes)
        back = living - set(scene.held)
        return {
            "bit": bool(living) and living <= set(self.stopped) and back <= set(self.seconds),
            "serves_again_after_s": dict(sorted(self.seconds.items())),
        }


class Restart:
    """Stops the store as an administrator would and starts it again, on all these nodes at once."""

    name = "restart"
    traits = Traits(
        strikes="nodes",
        silences=True,
        restarts=True,
        momentary=True,
        how="the store's own start and stop",
        storm=Storm(1, (1.0, 2.0)),
    )

    def __init__(self, patience: Patience = 60) -> None:
        self._again = _Again(patience)

    def begin(self, scene: Scene, scope: Scope) -> None:
        on_some(scene.hosts, scope.nodes, lambda node: self._again.carry_out(scene, node))

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        return self._again.proof(scene, scope)

    lacks, lasted, end = _nothing, _over, _no_end


class RollingRestart:
    """Restarts the store on one node after another, each as soon as the last one serves again."""

    name = "rolling-restart"
    traits = Traits(
        strikes="nodes",
        silences=True,
        restarts=True,
        momentary=True,
        how="the store's own start and stop",
        storm=Storm(1, (1.0, 2.0)),
    )

    def __init__(self, patience: Patience = 60) -> None:
        self._again = _Again(patience)

    def begin(self, scene: Scene, scope: Scope) -> None:
        for node in scope.nodes:
            on_some(scene.hosts, [node], lambda node: self._again.carry_out(scene, node))

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        return self._again.proof(scene, scope)

    lacks, lasted, end = _nothing, _over, _no_end


class _Changes(Protocol):
    """A fault that takes nodes to another release."""

    to: str | None  # the release, None until it is known
    newest: bool
    again: _Again


def _no_release(fault: _Changes, store: Any, host: Host) -> str | None:
    """Say that the system has no such release."""
    if fault.to is None or fault.to in store.releases:
        return None
    return f"there is no release to={fault.to}: choose from {', '.join(store.releases)}"


def _prepare(fault: _Changes, scene: Scene) -> None:
    """Bring the release to each node, which may have to be fetched."""
    if fault.to is None:
        known = scene.store.do("releases", min(scene.living))
        fault.to = known[-1] if fault.newest else known[0]
    on_some(scene.hosts, scene.living, lambda node: scene.store.do("bring", node, fault.to))


def _change(fault: _Changes, scene: Scene, scope: Scope) -> None:
    """One node after another, as an administrator would."""

    def change(node: str) -> None:
        scene.store.do("choose", node, fault.to)
        fault.again.carry_out(scene, node)

    for node in scope.nodes:
        on_some(scene.hosts, [node], change)


def _changed(fault: _Changes, scene: Scene, scope: Scope) -> Mapping[str, Any]:
    """As of a restart, with what each node says that it runs."""
    said = on_some(scene.hosts, scope.nodes, lambda node: scene.store.do("versions", node))
    return {**fault.again.proof(scene, scope), "versions": dict(sorted(said.items()))}


_RELEASES = Traits(
    strikes="nodes",
    silences=True,
    restarts=True,
    momentary=True,
    needs=("releases", "bring", "choose"),
    how="the store's own start and stop, of another release",
)

To = Annotated[str | None, Setting("The release, as its system calls it.")]


class Upgrade:
    """Takes the store to a newer release (the newest), one node after another."""

    name = "upgrade"
    traits = _RELEASES

    def __init__(self, to: To = None, patience: Patience = 60) -> None:
        self.to, self.newest, self.again = to, True, _Again(patience)

    lacks, misses, prepare, begin = _nothing, _no_release, _prepare, _change
    prove, lasted, end = _changed, _over, _no_end


class Downgrade:
    """Takes the store to an older release (the oldest), one node after another."""

    name = "downgrade"
    traits = replace(_RELEASES, spoils=True)  # an old release may refuse what a new one wrote

    def __init__(self, to: To = None, patience: Patience = 60) -> None:
        self.to, self.newest, self.again = to, False, _Again(patience)

    lacks, misses, prepare, begin = _nothing, _no_release, _prepare, _change
    prove, lasted, end = _changed, _over, _no_end


class CrashLoop:
    """Crashes the store again and again, each time as soon as it serves, until it is healed."""

    name = "crash-loop"
    traits = Traits(
        strikes="nodes",
        silences=True,
        restarts=True,
        how="signals to the store's process",
        storm=Storm(1, (2.0, 6.0)),
    )

    def __init__(self) -> None:
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._crashes: dict[str, int] = {}

    def begin(self, scene: Scene, scope: Scope) -> None:
        on_some(scene.hosts, scope.nodes, lambda node: self._crash(scene, node))
        for node in scope.nodes:
            thread = threading.Thread(target=self._go_on, args=(scene, node), daemon=True)
            self._threads.append(thread)
            thread.start()

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """It bit if each was crashed at least once."""
        living = scene.living & set(scope.nodes)
        return {"bit": bool(living) and living <= set(self._crashes)}

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        return Lasted(figures={"crashes": sum(self._crashes.values())})

    def end(self, scene: Scene, scope: Scope) -> None:
        """Crash no more, and start it."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        scene.start(scope)

    def _crash(self, scene: Scene, node: str) -> None:
        scene.store.do("kill", node)
        self._crashes[node] = self._crashes.get(node, 0) + 1

    def _go_on(self, scene: Scene, node: str) -> None:
        started = False
        while not self._over.wait(_LOOK_S):
            with suppress(Exception):  # a host that is lost, or a store that is slow to die
                if not started:
                    scene.store.start(node)
                    started = True
                elif scene.store.serves(node):
                    self._crash(scene, node)
                    started = False

    lacks = _nothing
