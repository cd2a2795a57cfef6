"""Rules on the nodes' incoming packets, in iptables chains of our own.

INPUT jumps to such a chain before anything else, so that no earlier ACCEPT defeats it, and no
rule of the host's is ever touched. A change is one transaction: no packet sees half of it.

What lets packets go on by its own word belongs into the table `mangle`: those that it lets pass
still meet what the table `filter` has for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from partita.nemesis.grudges import Grudge
from partita.nemesis.hosts import Host, on_all

ANYONE = "anyone"
_EVERYBODY = ("0.0.0.0/0", "::/0")
LOCK_S = 5  # how long iptables waits for the xtables lock, which others may hold

_PATH = 'PATH="$PATH:/usr/sbin:/sbin"\n'

# For each family: our chain made or emptied, filled, and put first. A family without addresses
# to strike has no rules any more.
_STAND = """
set -e
chain=$1; meant=$2; matches=$3; shift 3
for family in iptables ip6tables; do
    case $family in iptables) own=127.0.0.1 ;; *) own=::1 ;; esac
    rule=$(printf "%s" "$meant" | sed "s/LOOPBACK/$own/")
    rules=
    for address in "$@"; do
        case $family,$address in
            iptables,*:*) continue ;;
            iptables,*|ip6tables,*:*) ;;
            *) continue ;;
        esac
        while read -r match; do
            rules="$rules-A $chain -s $address $match $rule\n"
        done <<END
$matches
END
    done
    if [ -z "$rules" ]; then
        $family -w LOCK -t TABLE -F "$chain" 2>/dev/null || true
        continue
    fi
    old=
    if $family -w LOCK -t TABLE -C INPUT -j "$chain" 2>/dev/null; then
        old="-D INPUT -j $chain\n"
    fi
    printf "*TABLE\n:$chain - [0:0]\n${rules}${old}-I INPUT 1 -j $chain\nCOMMIT\n" |
        $family-restore -w LOCK --noflush
done
"""

# Prints a line for each rule: the address that it is for, and how many packets met it.
_COUNT = """
for family in iptables ip6tables; do
    command -v $family >/dev/null || continue
    $family -w LOCK -t TABLE -v -S "$1" 2>/dev/null | while read -r line; do
        case $line in *" -c "*) ;; *) continue ;; esac
        case $line in *" -s "*) source=${line#* -s } ;; *) source=ANYONE ;; esac
        packets=${line##* -c }
        echo "${source%%/*} ${packets%% *}"
    done
done
"""

_STANDS = """
iptables -w LOCK -t TABLE -C INPUT -j "$1" 2>/dev/null || exit 0
case $(iptables -w LOCK -t TABLE -S "$1" 2>/dev/null) in *"-A $1 "*) echo stands ;; esac
"""

# Safe at any time, any number of times; removes nothing but our chain and the jump to it.
_FALL = """
status=0
for family in iptables ip6tables; do
    command -v $family >/dev/null || continue
    while $family -w LOCK -t TABLE -D INPUT -j CHAIN 2>/dev/null; do :; done
    $family -w LOCK -t TABLE -F CHAIN 2>/dev/null
    $family -w LOCK -t TABLE -X CHAIN 2>/dev/null
    # Healed is what can be seen to be healed: a listing that fails says nothing.
    if rules=$($family -w LOCK -t TABLE -S INPUT 2>&1); then
        case "$rules " in *"-j CHAIN"[!A-Z-]*) status=1 ;; esac
    elif [ $family = iptables ] || [ -s /proc/net/if_inet6 ]; then
        status=1
    fi
done
[ $status -eq 0 ] || echo "still cut off: $rules" >&2
exit $status
"""

# Nobody's packets pass here: a network of its own, which ends with the command.
_TRY = """
command -v iptables >/dev/null || { echo "iptables is missing: apt-get install iptables"; exit 0; }
said=$(unshare --net iptables -w LOCK -t TABLE -A INPUT -s 192.0.2.1 $1 2>&1) ||
    echo "iptables takes no rule $1: $said"
"""


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain by name, whose rules do the same to packets of each address: `-j DROP`.

    The name has capitals and dashes, and begins with PARTITA, by which we know it as ours. With
    `ports` only what goes to or from these is meant; `from_anyone` means what anybody sends to
    them, in place of what an address sends. In a rule, LOOPBACK stands for that address in the
    family that the packet is of.
    """

    name: str
    rule: str
    table: Literal["filter", "mangle"] = "filter"
    ports: tuple[int, ...] = ()
    from_anyone: bool = False

    @property
    def heal(self) -> str:
        """The shell lines by which a host removes it."""
        return self._script(_FALL).replace("CHAIN", self.name)

    def lacks(self, host: Host) -> str | None:
        """Say why the host cannot have such a rule, or None if it can."""
        rule = self.rule.replace("LOOPBACK", "127.0.0.1")
        done = host.run(["sh", "-c", self._script(_TRY), "try", rule], check=False)
        untried = None if done.status == 0 else "iptables could not be tried"
        return " ".join(done.stdout.split()) or untried

    def stand(self, hosts: Sequence[Host], grudge: Grudge) -> None:
        """Let each host do this to packets of whom the grudge says; replaces what stood."""
        addresses = {host.name: host.addresses for host in hosts}

        def put(host: Host) -> None:
            struck = [each for peer in grudge.get(host.name, ()) for each in addresses[peer]]
            if struck:
                words = [self.name, self.rule, self._matches()]
                whose = _EVERYBODY if self.from_anyone else struck
                host.run(["sh", "-c", self._script(_STAND), "stand", *words, *whose])
            else:
                host.run(["sh", "-c", self.heal, "fall"])

        on_all(hosts, put)

    def fall(self, hosts: Sequence[Host]) -> None:
        """Remove the chain from every host. Harmless where there is none."""
        on_all(hosts, lambda host: host.run(["sh", "-c", self.heal, "fall"]))

    def counts(self, hosts: Sequence[Host]) -> dict[tuple[str, str], int]:
        """Return, for each ordered pair (from, to) that is struck, the packets so far.

        What may come from anyone comes from "anyone".
        """
        # iptables may write an address in another form than we did.
        owner = {ip_address(each): host.name for host in hosts for each in host.addresses}
        counts: dict[tuple[str, str], int] = {}

        def count(host: Host) -> str:
            return host.run(["sh", "-c", self._script(_COUNT), "count", self.name]).stdout

        for name, listed in on_all(hosts, count).items():
            for line in listed.splitlines():
                address, packets = line.split()
                pair = (ANYONE if address == ANYONE else owner[ip_address(address)], name)
                counts[pair] = counts.get(pair, 0) + int(packets)
        return counts

    def missing(self, hosts: Sequence[Host], grudge: Grudge) -> list[str]:
        """Return the hosts on which nothing stands any more, though the grudge says so."""
        struck = [host for host in hosts if grudge.get(host.name)]
        command = ["sh", "-c", self._script(_STANDS), "stands", self.name]
        said = on_all(struck, lambda host: host.run(command).stdout)
        return sorted(name for name, output in said.items() if output.strip() != "stands")

    def _matches(self) -> str:
        """Return what a packet must be, a line for each kind: connections either side opened."""
        sides = ("--dport",) if self.from_anyone else ("--dport", "--sport")
        kinds = [(protocol, side) for protocol in ("tcp", "udp") for side in sides]
        return "\n".join(
            f"-p {protocol} {side} {port}" for port in self.ports for protocol, side in kinds
        )

    def _script(self, lines: str) -> str:
        filled = lines.replace("LOCK", str(LOCK_S)).replace("TABLE", self.table)
        return _PATH + filled.replace("ANYONE", ANYONE)
