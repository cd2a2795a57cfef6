"""Packets that arrive damaged: a bit of what they carry is flipped, where they arrive.

On real networks the checksum tells, and the packet is thrown away: then a store feels it as loss.
Now and then the checksum fits all the same, as when a device on the way made it anew. Then the
store gets what nobody sent, and only a checksum of its own can tell.
"""

import math
import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from partita.checker.settings import Setting
from partita.nemesis.fault import Lasted, Scene, Storm, Traits
from partita.nemesis.hosts import Host, on_all
from partita.nemesis.packets import Line
from partita.nemesis.ports import PortClass, Ports
from partita.nemesis.targets import Scope

_CORRUPT = Line("corrupt", 3)  # `faults/packets.py` has the lines before it
_DISCARD = 9  # nobody listens there
_MISSED = 1e-4  # how likely the datagrams of a proof may all stay whole
_PATIENCE_S = 5.0  # the program counts aloud many times in a second
_LOOK_S = 0.1

_SEND = """
count=$1; shift
for peer in "$@"; do
    for ((i = 0; i < count; i++)); do
        echo "from Partita, to be damaged" > "/dev/udp/${peer%@*}/${peer##*@}"
    done
done 2>/dev/null
true
"""

# How many packets the kernel has thrown away for their checksum since it began.
_REFUSED = """
awk '/^(Tcp|Udp):/ {
    if (!($1 in words)) { words[$1] = $0; next }
    split(words[$1], word)
    for (i = 2; i <= NF; i++) if (word[i] == "InCsumErrors") sum += $i
} END { print sum + 0 }' /proc/net/snmp
"""


class Corrupt:
    """Flips a bit in a share of the packets between the nodes that it strikes."""

    name = "corrupt"
    traits = Traits(
        strikes="links",
        stacks="replace",
        storm=Storm(0.5),
        how="NFQUEUE and a program of Partita's",
        heal=_CORRUPT.heal,
    )

    def __init__(
        self,
        percent: Annotated[
            float, Setting("How many packets get damaged.", least=0.1, most=100)
        ] = 5,
        checksum: Annotated[
            Literal["wrong", "right"],
            Setting("Wrong: the kernel throws them away. Right: the store gets them."),
        ] = "wrong",
        port: PortClass = "all",
    ) -> None:
        self._ports = Ports(port)
        self.traits = self._ports.traits(type(self).traits)
        self._share = percent / 100
        fits = int(checksum == "right")
        self._line = _CORRUPT.with_options(self._ports, "--damage-percent", percent, "--fits", fits)
        self._refused: dict[str, int] = {}  # before it began

    def lacks(self, host: Host) -> str | None:
        return self._line.lacks(host)

    def begin(self, scene: Scene, scope: Scope) -> None:
        self._refused = _refused(scene)
        self._line.begin(scene, scope)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """It bit if of some datagrams to each node that is struck one was damaged at least."""
        self._send(scene, scope)
        deadline = time.monotonic() + _PATIENCE_S
        while not all(damaged := self._damaged(scene, scope).values()):
            if time.monotonic() > deadline:
                break
            time.sleep(_LOOK_S)
        missing = self._line.gone(scene, scope)
        bit = bool(damaged) and all(damaged) and not missing
        return {"bit": bit, "packets_damaged": sum(damaged), **self._thrown_away(scene)}

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        gone = self._line.gone(scene, scope)
        damaged = sum(self._damaged(scene, scope).values())
        figures = {"packets_damaged": damaged, **self._thrown_away(scene)}
        return Lasted({"gone_on": gone} if gone else {}, figures)

    def end(self, scene: Scene, scope: Scope) -> None:
        self._line.end(scene)

    def _send(self, scene: Scene, scope: Scope) -> None:
        """Let each node get datagrams from those that it damages what it gets from."""
        grudge = self._ports.narrowed(scope).grudge
        port = next(iter(self._ports.of(scene)), _DISCARD)
        count = math.ceil(math.log(_MISSED) / math.log1p(-min(self._share, 0.999)))
        where = {host.name: f"{host.addresses[0]}@{port}" for host in scene.hosts}

        def send(host: Host) -> None:
            peers = [where[node] for node, others in grudge.items() if host.name in others]
            host.run(["bash", "-c", _SEND, "send", str(count), *peers])

        on_all(scene.hosts, send)

    def _damaged(self, scene: Scene, scope: Scope) -> dict[str, int]:
        counted = self._line.counted(scene, scope)
        return {name: figures.get("damaged", 0) for name, figures in counted.items()}

    def _thrown_away(self, scene: Scene) -> Mapping[str, int]:
        """Return how many packets the kernels threw away since it began; nothing if none."""
        now = _refused(scene)
        more = sum(count - self._refused.get(name, count) for name, count in now.items())
        return {"packets_refused": more} if more else {}


def _refused(scene: Scene) -> dict[str, int]:
    said = on_all(scene.hosts, lambda host: host.run(["sh", "-c", _REFUSED]).stdout)
    return {name: int(count) for name, count in said.items()}
