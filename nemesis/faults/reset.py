"""Resetting connections: who is struck answers its peers with a TCP reset, and they know at once.

A cut leaves connections hanging until somebody's time-out; a reset ends them now, as a machine does
that was restarted, or a firewall that rejects. Both are met in the wild, and clients treat them
differently: after a reset nobody waits.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from partita.nemesis.fault import Lasted, Scene, Storm, Traits
from partita.nemesis.firewall import Chain
from partita.nemesis.grudges import Grudge
from partita.nemesis.hosts import FOLDER, Host, on_all
from partita.nemesis.network import reachable
from partita.nemesis.targets import Scope

# A reset is let through, or the two ends of a link would hide it from each other.
CHAIN = Chain("PARTITA-RESET", "-p tcp --tcp-flags RST NONE -j REJECT --reject-with tcp-reset")
HELD = f"{FOLDER}/reset"

# Holds a connection to a peer's sshd, which was made while all was well, until it is told to go on;
# then it says something, and writes down how the connection ended.
_WITNESS = """
export LC_ALL=C
exec 3<>"/dev/tcp/$3/$4" || exit
read -r -t 2 -u 3 _
: > "$1/$2.open"
i=0
while [ ! -e "$1/go" ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done
printf 'still there?\\n' >&3
while read -r -t 2 -u 3 _; do :; done 2> "$1/$2.said"
mv "$1/$2.said" "$1/$2.over"
"""

_OPEN = """
folder=$1; witness=$2; shift 2
rm -rf "$folder"; mkdir -p "$folder"
for peer in "$@"; do
    name=${peer%%=*}; rest=${peer#*=}
    setsid bash -c "$witness" witness "$folder" "$name" "${rest%@*}" "${rest##*@}" \\
        >/dev/null 2>&1 </dev/null &
done
i=0
while [ $i -lt 60 ] && [ "$(ls "$folder" | grep -c "open$")" -lt $# ]; do
    sleep 0.05; i=$((i + 1))
done
"""

# Prints the peers that reset a connection of ours.
_CLOSE = """
: > "$1/go"
i=0
while [ $i -lt 80 ] && [ "$(ls "$1" | grep -c "over$")" -lt "$(ls "$1" | grep -c "open$")" ]; do
    sleep 0.05; i=$((i + 1))
done
cd "$1" && grep -l "reset by peer" -- *.over 2>/dev/null | sed "s/\\.over$//"
rm -rf "$1"
"""


class Reset:
    """Resets TCP connections between nodes: what a peer sends is refused where it arrives."""

    name = "reset"
    traits = Traits(
        strikes="links",
        stacks="replace",
        silences=True,
        storm=Storm(1, (0.5, 3.0)),
        how="refusals of iptables",
        heal=f"rm -rf {HELD}\n{CHAIN.heal}",
    )

    def lacks(self, host: Host) -> str | None:
        return CHAIN.lacks(host)

    def begin(self, scene: Scene, scope: Scope) -> None:
        """Hold a connection over each link that is to be struck, and then strike."""
        _hold(scene.hosts, scope.grudge)
        CHAIN.stand(scene.hosts, scope.grudge)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """Say whether every connection that was held was reset, and nobody else's."""
        seen = _reset_by(scene.hosts)
        # Over a link that another fault disturbs no connection can be held.
        disturbed = {pair for other in scene.others for pair in other.links}
        links = {link for link in _links(scope.grudge) if set(link) <= scene.living} - disturbed
        strays = sorted(scene.undisturbed(scope) - reachable(scene.hosts))
        return {
            "bit": bool(links) and links <= seen and not strays,
            "connections_held": len(links),
            "connections_reset": len(links & seen),
            "strays": strays,
        }

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        gone = CHAIN.missing(scene.hosts, scope.grudge)
        refused = sum(CHAIN.counts(scene.hosts).values())
        return Lasted({"gone_on": gone} if gone else {}, {"packets_refused": refused})

    def end(self, scene: Scene, scope: Scope) -> None:
        CHAIN.fall(scene.hosts)


def _links(grudge: Grudge) -> Iterable[tuple[str, str]]:
    """Return (from, to) for each direction in which packets are refused."""
    return ((peer, host) for host, peers in grudge.items() for peer in peers)


def _hold(hosts: Sequence[Host], grudge: Grudge) -> None:
    ports = {host.name: f"{host.name}={host.addresses[0]}@{host.port}" for host in hosts}
    refusers: dict[str, list[str]] = {host.name: [] for host in hosts}
    for peer, host in _links(grudge):
        refusers[peer].append(ports[host])

    def hold(host: Host) -> None:
        host.run(["bash", "-c", _OPEN, "open", HELD, _WITNESS, *refusers[host.name]])

    on_all(hosts, hold)


def _reset_by(hosts: Sequence[Host]) -> set[tuple[str, str]]:
    """Return the pairs (a, b) of which b reset a connection that a held."""
    said = on_all(hosts, lambda host: host.run(["bash", "-c", _CLOSE, "close", HELD]).stdout)
    return {(name, peer) for name, peers in said.items() for peer in peers.split()}
