"""Packets held back where they arrive, by a program of ours that the kernel asks about each.

What `netem` would do, without it: few kernels of containers and of small machines have that. The
kernel puts the packets of some addresses into a queue (NFQUEUE), and `partita-packets` lets them go
on when their time has come. If the program ends, the kernel lets everything pass.

The source is `nemesis/native/packets/`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from partita.nemesis.background import Background
from partita.nemesis.fault import Lasted, Scene
from partita.nemesis.firewall import Chain
from partita.nemesis.hosts import Host, on_all
from partita.nemesis.ports import ALL, Ports
from partita.nemesis.targets import Scope

PROGRAM = "partita-packets"
_QUEUE = 7100  # the first queue's number; others on a host will hardly have these
_BIT = 24  # of a packet's mark, by which it is known that one of our queues has let it pass

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

    `number` tells the lines of a host apart; `options` are the program's. Only what goes to
    `ports` is held back.
    """

    name: str
    number: int
    options: Sequence[str] = ()
    ports: Ports = ALL

    def with_options(self, ports: Ports, *options: str | float) -> "Line":
        """Return the same line, on these ports, with the program's options, names and values."""
        return replace(self, ports=ports, options=tuple(f"{each}" for each in options))

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
        return f"{self._program.heal}\n{self.chain.heal}"

    def lacks(self, host: Host) -> str | None:
        """Say why the host cannot have it, or None if it can."""
        return self.chain.lacks(host) or self._program.lacks(host)

    def begin(self, scene: Scene, scope: Scope) -> None:
        """Hold back what each host gets from those whom the grudge says."""
        numbers = ["--queue", str(_QUEUE + self.number), "--mark", str(self._bit)]
        chain, scope = self.ports.chain(self.chain, scene), self.ports.narrowed(scope)
        # Each draws for itself: with the luck of the other side it might undo what that one did.
        seeds = {host.name: str(seed) for seed, host in enumerate(scene.hosts, 1)}

        def start(host: Host) -> None:
            if scope.grudge.get(host.name):
                seed = ["--seed", seeds[host.name]]
                self._program.start(host, [*numbers, *seed, *self.options])
            else:
                self._program.stop(host)

        on_all(scene.hosts, start)
        chain.stand(scene.hosts, scope.grudge)

    def gone(self, scene: Scene, scope: Scope) -> list[str]:
        """Return the hosts on which the rules stand no more, or the program does not run."""
        scope = self.ports.narrowed(scope)
        ended = self._program.ended(_struck(scene, scope))
        return sorted(ended | set(self.chain.missing(scene.hosts, scope.grudge)))

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        """Say where it is gone, and count the packets that waited."""
        gone = self.gone(scene, scope)
        return Lasted({"gone_on": gone} if gone else {}, self._figures(scene, scope))

    def counted(self, scene: Scene, scope: Scope) -> dict[str, dict[str, int]]:
        """Return what the program of each host that is struck has counted, by word."""
        return self._program.figures(_struck(scene, self.ports.narrowed(scope)))

    def round_trips(
        self, scene: Scene, scope: Scope, limit_s: float
    ) -> dict[tuple[str, str], float]:
        """Measure for each link that it is on how long an answer takes: see `round_trips`."""
        felt = self.ports.asked(self.ports.narrowed(scope))
        return round_trips(scene, felt, limit_s, next(iter(self.ports.of(scene)), None))

    def end(self, scene: Scene) -> None:
        """Let everything pass again, what waits too."""
        on_all(scene.hosts, lambda host: host.run(["sh", "-c", self.heal, "heal"]))

    def _figures(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        counted = self.counted(scene, scope).values()
        held, lost = (sum(each.get(word, 0) for each in counted) for word in ("held", "lost"))
        # Lost are those that a full buffer had no room for: none is a good sign, and no zero.
        return {"packets_held": held} | ({"packets_lost": lost} if lost else {})

    @property
    def _bit(self) -> int:
        return 1 << (_BIT + self.number)

    @property
    def _program(self) -> Background:
        return Background(PROGRAM, self.name)


def _struck(scene: Scene, scope: Scope) -> list[Host]:
    return [host for host in scene.hosts if scope.grudge.get(host.name)]


def round_trips(
    scene: Scene, scope: Scope, limit_s: float, port: int | None = None
) -> dict[tuple[str, str], float]:
    """Measure, for each pair (from, to) that is struck, how long `to` waits for an answer, in ms.

    It is the time in which a connection comes about: one packet each way. Pairs of which one does
    not answer within `limit_s` are left out. It is made on that port, or else on that of sshd.
    """
    peers = {host.name: f"{host.addresses[0]}@{port or host.port}" for host in scene.hosts}
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
