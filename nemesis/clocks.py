"""Other clocks for single processes: a program of ours writes over the code that they ask.

The machine's own clock is never touched: it is everybody's, and the history's too. What was changed
lies in the memory of the process and ends with it; nothing of ours goes on. A process that is
started anew has the true time.

The source is `nemesis/native/clock/`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from partita.nemesis import programs
from partita.nemesis.fault import Scene
from partita.nemesis.hosts import Host, on_all

PROGRAM = "partita-clock"

# A controller that died in the middle may have left a process stopped: see `pause`.
_HEAL = '[ ! -x "PROGRAM" ] || "PROGRAM" heal'


@dataclass(frozen=True, slots=True)
class Reading:
    """What a process reads from its clock, and what that was told to be.

    It is off by so many seconds, at least and at most, and `rate` seconds pass in one. `error` is
    how far it is from `jump`, `skew`, `strobe` and `factor` together, and `monotonic` how far
    that clock is off that must never be.
    """

    least: float
    most: float
    rate: float
    monotonic: float
    error: float
    jump: float
    skew: float
    strobe: float
    factor: float


def heal() -> str:
    """Return the shell lines by which a host gives all its processes the true time again."""
    return _HEAL.replace("PROGRAM", programs.path(PROGRAM))


def lacks(host: Host) -> str | None:
    """Shift the clock of a process that is nobody's; say why that cannot be, or None if it can."""
    lack = programs.lacks(host, PROGRAM)
    if lack is None:
        command = ["sh", "-c", '"$1" try 2>&1', "try", programs.path(PROGRAM)]
        said = host.run(command, check=False)
        lack = said.stdout.strip().removeprefix(f"{PROGRAM}: ") if said.status else None
    return lack


def change(scene: Scene, options: Mapping[str, Sequence[str]]) -> None:
    """Change the clocks of the store's processes, on each host by the options named for it."""

    def put(host: Host) -> None:
        programs.bring(host, PROGRAM)
        host.run([programs.path(PROGRAM), "set", *_whose(scene, host), *options[host.name]])

    on_all([host for host in scene.hosts if host.name in options], put)


def read(scene: Scene, nodes: Sequence[str], seconds: float = 0) -> dict[str, list[Reading]]:
    """Look for so long at the clocks of the store's processes, by the nodes that they are on."""

    def look(host: Host) -> list[Reading]:
        asked = [*_whose(scene, host), "--seconds", f"{seconds:.3f}"]
        said = host.run([programs.path(PROGRAM), "read", *asked]).stdout
        return [Reading(*map(float, line.split()[2:])) for line in said.splitlines()]

    return on_all([host for host in scene.hosts if host.name in nodes], look)


def _whose(scene: Scene, host: Host) -> list[str]:
    """Return the options that say which processes are the store's.

    Our daemons work in the folder above that of their data. Elsewhere that folder is anybody's.
    """
    data = scene.store.do("data", host.name)
    home = str(PurePosixPath(data).parent)
    ours = str(PurePosixPath(programs.PROGRAMS).parent)
    return ["--data", data, *(["--home", home] if home.startswith(f"{ours}/") else [])]
