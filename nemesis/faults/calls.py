"""Disks that take long, and disks that fail: calls by which a store writes wait, or are refused.

A program of ours traces the store's processes (ptrace), in whatever language they are written. Its
end heals, and no disk of their own is needed. The source is `nemesis/native/calls/`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from partita.checker.settings import Setting
from partita.nemesis import programs
from partita.nemesis.background import Background
from partita.nemesis.calls import PROGRAM, of_store
from partita.nemesis.fault import Lasted, Scene, Storm, Traits
from partita.nemesis.hosts import Host, on_all
from partita.nemesis.targets import Scope

_BY_TRACING = "a program of Partita's that traces the store (ptrace)"
_SLOW, _ERROR = Background(PROGRAM, "slow-fsync"), Background(PROGRAM, "disk-error")


def _lacks(fault: object, host: Host) -> str | None:
    lack = programs.lacks(host, PROGRAM)
    if lack is None:
        path = programs.path(PROGRAM)
        said = host.run([path, "--try", programs.PROGRAMS], check=False)
        lack = None if said.status == 0 else "no process can be traced there (ptrace)"
    return lack


def _begin(program: Background, options: list[str], scene: Scene, scope: Scope) -> None:
    def start(host: Host) -> None:
        where = of_store(scene.store.do("data", host.name))
        program.start(host, [*where, *options])

    on_all(scene.struck(scope), start)


def _prove(program: Background, scene: Scene, scope: Scope) -> Mapping[str, Any]:
    """It bit if each process that serves is traced. That calls are struck is counted at the end.

    A process may have ended of the first call that failed, before anybody could look.
    """
    counted = program.figures(scene.struck(scope))
    met = {name: each for name, each in counted.items() if each.get("processes")}
    met |= {name: each for name, each in counted.items() if each.get("struck")}
    traced = {name: each.get("processes", 0) for name, each in met.items()}
    others = scope.without(tuple(traced))
    missed = scene.serving(others) if others.nodes else []
    said = {"bit": bool(traced) and not missed, "processes": sum(traced.values())}
    return said | ({"missed_on": missed} if missed else {})


def _lasted(program: Background, word: str, scene: Scene, scope: Scope) -> Lasted:
    struck = scene.struck(scope)
    gone = sorted(program.ended(struck))
    count = sum(each.get("struck", 0) for each in program.figures(struck).values())
    return Lasted({"gone_on": gone} if gone else {}, {word: count})


class SlowFsync:
    """Lets each fsync of the store wait before it is carried out."""

    name = "slow-fsync"
    traits = Traits(
        strikes="nodes", needs=("data",), storm=Storm(1), how=_BY_TRACING, heal=_SLOW.heal
    )

    def __init__(
        self,
        ms: Annotated[
            float, Setting("Milliseconds that each one waits.", least=1, most=60000)
        ] = 100,
    ) -> None:
        self._options = ["--delay-ms", f"{ms}"]

    lacks = _lacks

    def begin(self, scene: Scene, scope: Scope) -> None:
        _begin(_SLOW, self._options, scene, scope)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        return _prove(_SLOW, scene, scope)

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        return _lasted(_SLOW, "calls_delayed", scene, scope)

    def end(self, scene: Scene, scope: Scope) -> None:
        on_all(scene.struck(scope), _SLOW.stop)


class DiskError:
    """Refuses the store's calls to its disk with an I/O error (EIO), as a dying disk does."""

    name = "disk-error"
    traits = Traits(
        strikes="nodes",
        needs=("data",),
        spoils=True,
        storm=Storm(1, (0.5, 3.0)),
        how=_BY_TRACING,
        heal=_ERROR.heal,
    )

    def __init__(
        self,
        calls: Annotated[Literal["fsync", "write", "both"], Setting("Which calls fail.")] = "fsync",
        percent: Annotated[float, Setting("How many of them fail.", least=0.1, most=100)] = 100,
    ) -> None:
        syncs, writes = int(calls != "write"), int(calls != "fsync")
        which = ["--syncs", f"{syncs}", "--writes", f"{writes}"]
        self._options = ["--fail", "1", *which, "--percent", f"{percent}"]

    lacks = _lacks

    def begin(self, scene: Scene, scope: Scope) -> None:
        _begin(_ERROR, self._options, scene, scope)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        return _prove(_ERROR, scene, scope)

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        return _lasted(_ERROR, "calls_failed", scene, scope)

    def end(self, scene: Scene, scope: Scope) -> None:
        """Let all calls through, and start what ended because of them: a store should."""
        on_all(scene.struck(scope), _ERROR.stop)
        scene.start(scope)
