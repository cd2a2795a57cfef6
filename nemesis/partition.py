"""Cutting the network with iptables, and undoing it.

All rules stand in a chain of our own, PARTITA, to which INPUT jumps before anything else, so
that no earlier ACCEPT defeats them and no rule of the host's is ever touched. A host that hears
nothing from its controller for a while heals itself (see `arm`).
"""

from collections.abc import Sequence
from ipaddress import ip_address

from partita.nemesis.grudges import Grudge
from partita.nemesis.hosts import Host, on_all

CHAIN = "PARTITA"
FOLDER = "/run/partita"  # gone after a reboot, as the drops are
LOCK_S = "5"  # how long iptables waits for the xtables lock, which others may hold
PROBE_S = "1"  # how long a probe waits for an answer
SILENCE_S = 45  # after this long without a sign from the controller a host heals itself
BEAT_S = 5

_PATH = 'PATH="$PATH:/usr/sbin:/sbin"\n'

# For each family: our chain made or emptied, filled, and put first, in one transaction, so that
# no packet ever sees half of it. A family without addresses to drop drops none any more.
_INJECT = (
    _PATH
    + """
set -e
lock=$1; shift
for family in iptables ip6tables; do
    rules=
    for address in "$@"; do
        case $family,$address in
            iptables,*:*) ;;
            iptables,*|ip6tables,*:*) rules="$rules-A PARTITA -s $address -j DROP\n" ;;
        esac
    done
    if [ -z "$rules" ]; then
        $family -w "$lock" -F PARTITA 2>/dev/null || true
        continue
    fi
    old=
    if $family -w "$lock" -C INPUT -j PARTITA 2>/dev/null; then old="-D INPUT -j PARTITA\n"; fi
    printf "*filter\n:PARTITA - [0:0]\n${rules}${old}-I INPUT 1 -j PARTITA\nCOMMIT\n" |
        $family-restore -w "$lock" --noflush
done
"""
)

# A controller that died left its paused processes paused. Harmless for those that run.
_RESUME = """
for file in /srv/partita/*/pid; do
    [ ! -e "$file" ] || kill -CONT "$(cat "$file")" 2>/dev/null
done
"""

# Prints a line for each address: how many packets from it were dropped.
_COUNT = (
    _PATH
    + """
for family in iptables ip6tables; do
    command -v $family >/dev/null || continue
    $family -w "$1" -v -S PARTITA 2>/dev/null | while read -r _ _ _ source _ packets _; do
        case $source in */*) echo "${source%/*} $packets" ;; esac
    done
done
"""
)

_STANDS = (
    _PATH
    + """
iptables -w "$1" -C INPUT -j PARTITA 2>/dev/null || exit 0
case $(iptables -w "$1" -S PARTITA 2>/dev/null) in *"-j DROP"*) echo stands ;; esac
"""
)

# Safe at any time, any number of times; removes nothing but our chain and the jump to it.
HEAL = (
    _PATH
    + """
status=0
for family in iptables ip6tables; do
    command -v $family >/dev/null || continue
    while $family -w "$1" -D INPUT -j PARTITA 2>/dev/null; do :; done
    $family -w "$1" -F PARTITA 2>/dev/null
    $family -w "$1" -X PARTITA 2>/dev/null
    # Healed is what can be seen to be healed: a listing that fails says nothing.
    if rules=$($family -w "$1" -S INPUT 2>&1); then
        case $rules in *"-j PARTITA"*) status=1 ;; esac
    elif [ $family = iptables ] || [ -s /proc/net/if_inet6 ]; then
        status=1
    fi
done
[ $status -eq 0 ] || echo "still cut off: $rules" >&2
exit $status
"""
)

# Says who answers: a TCP handshake needs both directions. Ports of sshd, which always listens.
_PROBE = """
limit=$1; shift
for peer in "$@"; do
    name=${peer%%=*}; rest=${peer#*=}
    timeout "$limit" bash -c 'exec 3<>"/dev/tcp/$0/$1"' "${rest%@*}" "${rest##*@}" 2>/dev/null &&
        echo "$name" &
done
wait
"""

# The dead-man's switch. It counts its own sleeps, not the clock's seconds, which may jump. Of
# several only the one that was armed last is a switch: one that healed may still be about.
_WATCH = """
folder=$1; rounds=$2; beat=$3; lock=$4
last=; left=$rounds
while sleep "$beat"; do
    [ "$(cat "$folder/armed" 2>/dev/null)" = $$ ] || exit 0
    now=$(cat "$folder/alive" 2>/dev/null)
    if [ "$now" = "$last" ]; then left=$((left - 1)); else left=$rounds; last=$now; fi
    if [ "$left" -le 0 ]; then
        sh "$folder/heal" "$lock" || continue
        [ "$(cat "$folder/armed" 2>/dev/null)" = $$ ] || exit 0
        rm -f "$folder/armed"
        echo healed > "$folder/deadman"
    fi
done
"""

_ARM = """
set -e
mkdir -p "$1"
cat > "$1/heal.new"; mv "$1/heal.new" "$1/heal"
rm -f "$1/deadman"
date +%s%N > "$1/alive"
nohup setsid sh -c "$2" watch "$1" "$3" "$4" "$5" >/dev/null 2>&1 </dev/null &
echo $! > "$1/armed"
"""


def inject(hosts: Sequence[Host], grudge: Grudge) -> None:
    """Make each host drop what the grudge says; replaces a grudge that is in force."""
    addresses = {host.name: host.addresses for host in hosts}

    def drop(host: Host) -> None:
        dropped = [address for peer in grudge.get(host.name, ()) for address in addresses[peer]]
        if dropped:
            host.run(["sh", "-c", _INJECT, "inject", LOCK_S, *dropped])
        else:
            host.run(["sh", "-c", HEAL, "heal", LOCK_S])

    on_all(hosts, drop)


def heal(hosts: Sequence[Host]) -> None:
    """Remove our chain from every host. Harmless where there is none."""
    on_all(hosts, lambda host: host.run(["sh", "-c", HEAL, "heal", LOCK_S]))


def reachable(hosts: Sequence[Host]) -> set[tuple[str, str]]:
    """Return the ordered pairs (a, b) of which a can hold a conversation with b now."""
    peers = {host.name: f"{host.name}={host.addresses[0]}@{host.port}" for host in hosts}

    def probe(host: Host) -> list[str]:
        others = [peer for name, peer in peers.items() if name != host.name]
        return host.run(["bash", "-c", _PROBE, "probe", PROBE_S, *others]).stdout.split()

    return {(name, peer) for name, found in on_all(hosts, probe).items() for peer in found}


def dropped(hosts: Sequence[Host]) -> dict[tuple[str, str], int]:
    """Return, for each ordered pair (from, to) that a grudge cuts, the packets dropped so far."""
    # iptables may write an address in another form than we did.
    owner = {ip_address(address): host.name for host in hosts for address in host.addresses}
    counts: dict[tuple[str, str], int] = {}

    def count(host: Host) -> str:
        return host.run(["sh", "-c", _COUNT, "count", LOCK_S]).stdout

    for name, listed in on_all(hosts, count).items():
        for line in listed.splitlines():
            address, packets = line.split()
            pair = (owner[ip_address(address)], name)
            counts[pair] = counts.get(pair, 0) + int(packets)
    return counts


def missing(hosts: Sequence[Host], grudge: Grudge) -> list[str]:
    """Return the hosts that drop nothing any more, though the grudge that is in force says so."""
    deaf = [host for host in hosts if grudge.get(host.name)]
    said = on_all(deaf, lambda host: host.run(["sh", "-c", _STANDS, "stands", LOCK_S]).stdout)
    return sorted(name for name, output in said.items() if output.strip() != "stands")


def arm(hosts: Sequence[Host], *, silence_s: float = SILENCE_S, beat_s: float = BEAT_S) -> None:
    """Start the dead-man's switch on each host: it heals the host if `beat` is not called.

    Healing then means the network, and processes that are paused.

    At the latest `silence_s + 2 * beat_s` after the last beat the host is whole again.
    """
    rounds = str(max(1, int(silence_s / beat_s)))
    command = ["sh", "-c", _ARM, "arm", FOLDER, _WATCH, rounds, str(beat_s), LOCK_S]
    on_all(hosts, lambda host: host.run(command, stdin=(_RESUME + HEAL).encode()))


def beat(hosts: Sequence[Host]) -> None:
    """Tell each host that the controller lives."""
    command = ["sh", "-c", 'date +%s%N > "$1/alive"', "beat", FOLDER]
    # No longer than a beat: a host that hangs must not make the others heal themselves.
    on_all(hosts, lambda host: host.run(command, timeout_s=BEAT_S))


def disarm(hosts: Sequence[Host]) -> list[str]:
    """Stop the dead-man's switch; return the hosts on which it had to heal."""
    script = '[ ! -e "$1/deadman" ] || echo healed; rm -rf "$1"'
    said = on_all(hosts, lambda host: host.run(["sh", "-c", script, "disarm", FOLDER]).stdout)
    return [name for name, output in said.items() if output.strip()]
