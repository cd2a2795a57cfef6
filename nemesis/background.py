"""A small program of ours that goes on on hosts while a fault is in force, and whose end heals.

It says "ready" when it does its work, and writes down what it did, a line for each figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from partita.nemesis import programs
from partita.nemesis.hosts import FOLDER, Host, on_all

_START = """
set -e
program=$1; at=$2; shift 2
mkdir -p "${at%/*}"
setsid "$program" "$@" --figures "$at.figures" >"$at.said" 2>&1 </dev/null &
echo $! > "$at.pid"
i=0
while ! grep -q ready "$at.said"; do
    if [ $i -ge 50 ] || ! kill -0 "$(cat "$at.pid")" 2>/dev/null; then
        cat "$at.said" >&2; exit 1
    fi
    i=$((i + 1)); sleep 0.05
done
"""

# A process id may be anybody's by now: ours is known by its name, which the kernel cuts short.
_STOP = """
pid=$(cat AT.pid 2>/dev/null || echo none)
if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = COMM ]; then
    kill "$pid"
    i=0
    while [ -d "/proc/$pid" ] && [ $i -lt 40 ]; do sleep 0.05; i=$((i + 1)); done
    ! [ -d "/proc/$pid" ] || kill -KILL "$pid" || true
fi
rm -f AT.pid AT.said AT.figures
"""

_RUNS = '[ "$(cat "/proc/$(cat "$1.pid")/comm")" = "$2" ] 2>/dev/null && echo runs'


@dataclass(frozen=True, slots=True)
class Background:
    """A program on each host, called by the name of the fault that it is for."""

    program: str
    name: str

    @property
    def heal(self) -> str:
        """The shell lines that end it. Harmless where it does not run."""
        return _STOP.replace("AT", self._at).replace("COMM", self._comm)

    def lacks(self, host: Host) -> str | None:
        """Say why the host cannot run it, or None if it can."""
        return programs.lacks(host, self.program)

    def start(self, host: Host, options: Sequence[str]) -> None:
        """Start it on the host, and return when it does its work; ends the one before it."""
        self.stop(host)
        programs.bring(host, self.program)
        command = ["sh", "-c", _START, "start", programs.path(self.program), self._at]
        host.run([*command, *options])

    def stop(self, host: Host) -> None:
        """End it. Harmless where it does not run."""
        host.run(["sh", "-c", self.heal, "stop"])

    def ended(self, hosts: Sequence[Host]) -> set[str]:
        """Return the names of the hosts on which it does not run."""
        command = ["bash", "-c", _RUNS, "runs", self._at, self._comm]
        said = on_all(hosts, lambda host: host.run(command, check=False).stdout)
        return {name for name, word in said.items() if not word.strip()}

    def figures(self, hosts: Sequence[Host]) -> dict[str, dict[str, int]]:
        """Return what it wrote down, by host. It does so twenty times in a second."""
        command = ["cat", f"{self._at}.figures"]
        said = on_all(hosts, lambda host: host.run(command, check=False).stdout)
        lines = {name: [line.split() for line in text.splitlines()] for name, text in said.items()}
        return {name: {word: int(count) for word, count in each} for name, each in lines.items()}

    @property
    def _at(self) -> str:
        return f"{FOLDER}/{self.name}"

    @property
    def _comm(self) -> str:
        return self.program[:15]
