"""Packets held back where they arrive, by a program of ours that the kernel asks about each.

What `netem` would do, without it: few kernels of containers and of small machines have that. The
kernel puts the packets of some addresses into a queue (NFQUEUE), and `partita-packets` lets them go
on when their time has come. If the program ends, the kernel lets everything pass.

The source is `nemesis/native/packets/`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from partita.nemesis import programs
from partita.nemesis.fault import Lasted, Scene
from partita.nemesis.firewall import Chain
from partita.nemesis.hosts import FOLDER, Host, on_all
from partita.nemesis.targets import Scope

PROGRAM = "partita-packets"
_QUEUE = 7100  # the first queue's number; others on a host will hardly have these
_BIT = 24  # of a packet's mark, by which it is known that one of our queues has let it pass

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
if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = partita-packets ]; then
    kill "$pid"
    i=0
    while [ -d "/proc/$pid" ] && [ $i -lt 40 ]; do sleep 0.05; i=$((i + 1)); done
    ! [ -d "/proc/$pid" ] || kill -KILL "$pid" || true
fi
rm -f AT.pid AT.said AT.figures
"""

_RUNS = '[ "$(cat "/proc/$(cat "$1.pid")/comm")" = partita-packets ] 2>/dev/null && echo runs'

# The shortest of a few, since a busy host answers late sometimes, but never early. No program is
# started within what is measured. Who does not answer in time is left out.
_CONNECT = """
least=
for _ in 1 2 3 4 5; do
    before=$EPOCHREALTIME
    exec 3<>"/dev/tcp/$0/$1" || exit
    after=$EPOCHREALTIME
    exec 3>&-
    took=$(( ${after/[.,]/} - ${before/[.,]/} ))
    if [ -z "$least" ] || [ "$took" -lt "$least" ]; then least=$took; fi
done
echo "$0 $least"
"""
_ROUND_TRIP = """
limit=$1; connect=$2; shift 2
for peer in "$@"; do
    timeout "$limit" bash -c "$connect" "${peer%@*}" "${peer##*@}" 2>/dev/null &
done
wait
"""


@dataclass(frozen=True)
class Line:
    """A program on each host that holds packets back, called by the name of its fault.

    `number` tells the lines of a host apart; `options` are the program's.
    """

    name: str
    number: int
    options: Sequence[str] = ()

    def with_options(self, *options: str | float) -> "Line":
        """Return the same line with the program's options, names and values in turn."""
        return replace(self, options=tuple(f"{each}" for each in options))

    @property
    def chain(self) -> Chain:
        """The rules that bring packets to the program, each packet once."""
        bit = f"{self._bit:#x}"
        return Chain(
            f"PARTITA-{self.name.upper()}",
            f"-m mark ! --mark {bit}/{bit} "
            f"-j NFQUEUE --queue-num {_QUEUE + self.number} --queue-bypass",
            "mangle",
        )

    @property
    def heal(self) -> str:
        """The shell lines by which a host undoes it alone."""
        return f"{_STOP.replace('AT', self._at)}\n{self.chain.heal}"

    def lacks(self, host: Host) -> str | None:
        """Say why the host cannot have it, or None if it can."""
        return self.chain.lacks(host) or programs.lacks(host, PROGRAM)

    def begin(self, scene: Scene, scope: Scope) -> None:
        """Hold back what each host gets from those whom the grudge says."""
        numbers = ["--queue", str(_QUEUE + self.number), "--mark", str(self._bit)]
        command = ["sh", "-c", _START, "start", programs.path(PROGRAM), self._at]

        def start(host: Host) -> None:
            host.run(["sh", "-c", _STOP.replace("AT", self._at), "stop"])
            if scope.grudge.get(host.name):
                programs.bring(host, PROGRAM)
                host.run([*command, *numbers, *self.options])

        on_all(scene.hosts, start)
        self.chain.stand(scene.hosts, scope.grudge)

    def gone(self, scene: Scene, scope: Scope) -> list[str]:
        """Return the hosts on which the rules stand no more, or the program does not run."""
        struck = _struck(scene, scope)
        command = ["bash", "-c", _RUNS, "runs", self._at]
        said = on_all(struck, lambda host: host.run(command, check=False).stdout)
        ended = {name for name, word in said.items() if not word.strip()}
        return sorted(ended | set(self.chain.missing(scene.hosts, scope.grudge)))

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        """Say where it is gone, and count the packets that waited."""
        gone = self.gone(scene, scope)
        return Lasted({"gone_on": gone} if gone else {}, self._figures(_struck(scene, scope)))

    def end(self, scene: Scene) -> None:
        """Let everything pass again, what waits too."""
        on_all(scene.hosts, lambda host: host.run(["sh", "-c", self.heal, "heal"]))

    def _figures(self, hosts: Sequence[Host]) -> Mapping[str, Any]:
        # It writes them down twice a second; what came in the last half is not in them.
        command = ["cat", f"{self._at}.figures"]
        said = on_all(hosts, lambda host: host.run(command, check=False).stdout)
        counted: dict[str, int] = {"held": 0, "lost": 0}
        for line in (line for text in said.values() for line in text.splitlines()):
            word, count = line.split()
            if word in counted:
                counted[word] += int(count)
        # Lost are those that a full buffer had no room for: none is a good sign, and no zero.
        lost = {"packets_lost": counted["lost"]} if counted["lost"] else {}
        return {"packets_held": counted["held"], **lost}

    @property
    def _bit(self) -> int:
        return 1 << (_BIT + self.number)

    @property
    def _at(self) -> str:
        return f"{FOLDER}/{self.name}"


def _struck(scene: Scene, scope: Scope) -> list[Host]:
    return [host for host in scene.hosts if scope.grudge.get(host.name)]


def round_trips(scene: Scene, scope: Scope, limit_s: float) -> dict[tuple[str, str], float]:
    """Measure, for each pair (from, to) that is struck, how long `to` waits for an answer, in ms.

    It is the time in which a connection comes about: one packet each way. Pairs of which one does
    not answer within `limit_s` are left out.
    """
    peers = {host.name: f"{host.addresses[0]}@{host.port}" for host in scene.hosts}
    owner = {host.addresses[0]: host.name for host in scene.hosts}

    def measure(host: Host) -> str:
        asked = [peers[name] for name in scope.grudge.get(host.name, ())]
        command = ["bash", "-c", _ROUND_TRIP, "measure", f"{limit_s:.3f}", _CONNECT, *asked]
        return host.run(command).stdout if asked else ""

    return {
        (owner[address], name): int(took) / 1000
        for name, said in on_all(scene.hosts, measure).items()
        for address, took in (line.split() for line in said.splitlines())
    }
