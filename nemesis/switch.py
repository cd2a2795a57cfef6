"""The dead-man's switch: a host that hears nothing from its controller undoes all faults alone.

It is a shell loop on each host, given the heals of all faults when it is armed.
"""

from collections.abc import Sequence

from partita.nemesis import faults
from partita.nemesis.fault import Fault
from partita.nemesis.hosts import FOLDER, Host, on_all

SILENCE_S = 45  # after this long without a sign from the controller a host heals itself
BEAT_S = 5

# It counts its own sleeps, not the clock's seconds, which may jump. Of several only the one that
# was armed last is a switch: one that healed may still be about.
_WATCH = """
folder=$1; rounds=$2; beat=$3
last=; left=$rounds
while sleep "$beat"; do
    [ "$(cat "$folder/armed" 2>/dev/null)" = $$ ] || exit 0
    now=$(cat "$folder/alive" 2>/dev/null)
    if [ "$now" = "$last" ]; then left=$((left - 1)); else left=$rounds; last=$now; fi
    if [ "$left" -le 0 ]; then
        sh "$folder/heal" || continue
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
nohup setsid sh -c "$2" watch "$1" "$3" "$4" >/dev/null 2>&1 </dev/null &
echo $! > "$1/armed"
"""


def heal(hosts: Sequence[Host], more: Sequence[Fault] = ()) -> None:
    """Undo every fault there is, and `more`, on every host. Harmless where nothing is."""
    command = ["sh", "-c", 'exec sh -c "$(cat)" heal', "heal"]
    script = faults.heals(more).encode()
    on_all(hosts, lambda host: host.run(command, stdin=script))


def arm(
    hosts: Sequence[Host],
    more: Sequence[Fault] = (),
    *,
    silence_s: float = SILENCE_S,
    beat_s: float = BEAT_S,
) -> None:
    """Start the dead-man's switch on each host: it heals the host if `beat` is not called.

    At the latest `silence_s + 2 * beat_s` after the last beat the host is whole again.
    """
    rounds = str(max(1, int(silence_s / beat_s)))
    command = ["sh", "-c", _ARM, "arm", FOLDER, _WATCH, rounds, str(beat_s)]
    script = faults.heals(more).encode()
    on_all(hosts, lambda host: host.run(command, stdin=script))


def beat(hosts: Sequence[Host]) -> list[str]:
    """Tell each host that the controller lives; return the names of those that were told."""
    command = ["sh", "-c", 'date +%s%N > "$1/alive"', "beat", FOLDER]
    # No longer than a beat: a host that hangs must not make the others heal themselves.
    return list(on_all(hosts, lambda host: host.run(command, timeout_s=BEAT_S)))


def disarm(hosts: Sequence[Host]) -> list[str]:
    """Stop the dead-man's switch; return the hosts on which it had to heal."""
    script = '[ ! -e "$1/deadman" ] || echo healed; rm -rf "$1"'
    said = on_all(hosts, lambda host: host.run(["sh", "-c", script, "disarm", FOLDER]).stdout)
    return [name for name, output in said.items() if output.strip()]
