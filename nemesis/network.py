"""Who reaches whom: asked of the nodes, not taken from what was done to them."""

from collections.abc import Sequence

from partita.nemesis.hosts import Host, on_all

PROBE_S = 1  # how long a probe waits for an answer

# Says who answers: a TCP handshake needs both directions.
_PROBE = """
limit=$1; shift
for peer in "$@"; do
    name=${peer%%=*}; rest=${peer#*=}
    timeout "$limit" bash -c 'exec 3<>"/dev/tcp/$0/$1"' "${rest%@*}" "${rest##*@}" 2>/dev/null &&
        echo "$name" &
done
wait
"""


def reachable(hosts: Sequence[Host], port: int | None = None) -> set[tuple[str, str]]:
    """Return the ordered pairs (a, b) of which a can hold a conversation with b now.

    On a port of the store's, or else on that of sshd, which always listens.
    """
    peers = {host.name: f"{host.name}={host.addresses[0]}@{port or host.port}" for host in hosts}

    def probe(host: Host) -> list[str]:
        others = [peer for name, peer in peers.items() if name != host.name]
        return host.run(["bash", "-c", _PROBE, "probe", str(PROBE_S), *others]).stdout.split()

    return {(name, peer) for name, found in on_all(hosts, probe).items() for peer in found}
