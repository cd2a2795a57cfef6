"""A disk that carries out so many requests in a second, and no more: by a control group.

The kernel counts what each group of processes asks of a disk (blkio in version 1 of control groups,
io in version 2). So the store needs a disk of its own (`nemesis/disks/`), and is put into a group
of its own, below the one that it was in.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from partita.checker.settings import Setting
from partita.nemesis import disks, programs
from partita.nemesis.calls import PROGRAM, of_store
from partita.nemesis.fault import Lasted, Scene, Storm, Traits
from partita.nemesis.groups import FORGET
from partita.nemesis.hosts import GROUPS, Host, on_all
from partita.nemesis.targets import Scope

# parent PID: the folder of its control group, empty if there is none that can limit a disk.
# limit GROUP DEVICE IOPS: 0 for none. counted GROUP DEVICE: what was written to it.
_GROUPS = """
parent() {
    root=$(awk '$3 == "cgroup" && $4 ~ /(^|,)blkio(,|$)/ { print $2; exit }' /proc/mounts)
    at=$(awk -F: '$2 ~ /(^|,)blkio(,|$)/ { print $3 }' "/proc/$1/cgroup")
    if [ -z "$root" ]; then
        root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
        at=$(awk -F: '$1 == 0 { print $3 }' "/proc/$1/cgroup")
        grep -qw io "$root$at/cgroup.subtree_control" 2>/dev/null || at=; root=${at:+$root}
    fi
    [ -z "$root" ] || echo "$root${at%/}"
}
limit() {
    if [ -e "$1/io.max" ]; then
        [ "$3" = 0 ] && most=max || most=$3
        echo "$2 riops=$most wiops=$most" > "$1/io.max"
    else
        echo "$2 $3" > "$1/blkio.throttle.read_iops_device" &&
        echo "$2 $3" > "$1/blkio.throttle.write_iops_device"
    fi
}
counted() {
    if [ -e "$1/io.max" ]; then
        sed -n "s/^$2 .*wios=\\([0-9]*\\).*/\\1/p" "$1/io.stat"
    else
        awk -v of="$2" '$1 == of && $2 == "Write" { print $3 }' "$1/blkio.throttle.io_serviced"
    fi
}
"""

# The group's path is noted first: whoever dies in between leaves what is undone all the same. It
# is told by the disk, which is one only on the whole machine.
_BEGIN = (
    _GROUPS
    + """
data=$1; noted=$2; iops=$3; program=$4; shift 4
device=$(mountpoint -d "$data") || exit 1
processes=$("$program" --find "$@")
[ -n "$processes" ] || exit 0
for process in $processes; do
    above=$(parent "$process")
    case $above in
        "") echo "no control group" >&2; exit 1 ;;
        */partita-disk-*) continue ;;
    esac
    group=$above/partita-disk-$(echo "$device" | tr : -)
    grep -qx "$group" "$noted" 2>/dev/null || echo "$group" >> "$noted"
    mkdir -p "$group"
    limit "$group" "$device" "$iops" || exit 1
    echo "$process" > "$group/cgroup.procs" || [ ! -d "/proc/$process" ] || exit 1
done
"""
)

# So many reads past the memory, by a process in the group: how many were done in a second.
_MEASURE = (
    _GROUPS
    + """
data=$1; noted=$2; count=$3
device=$(mountpoint -d "$data")
file=$(df --output=source "$data" | tail -1)
group=$(tail -1 "$noted" 2>/dev/null)
[ -d "$group" ] || exit 0
sh -c 'echo $$ > "$1/cgroup.procs"
    before=$(date +%s%N)
    dd if="$2" of=/dev/null bs=4096 count="$3" iflag=direct 2>/dev/null || exit
    after=$(date +%s%N)
    echo $((after - before)) ' in "$group" "$file" "$count"
"""
)

_COUNT = (
    _GROUPS
    + """
data=$1; noted=$2
device=$(mountpoint -d "$data")
while read -r group; do
    [ -d "$group" ] && echo "there $(counted "$group" "$device")"
done < "$noted" 2>/dev/null
true
"""
)

# Whoever is in a group goes back to the one above it.
_END = (
    _GROUPS
    + f"""
noted={GROUPS}
while read -r group; do
    case $group in */partita-disk-*) ;; *) continue ;; esac
    [ -d "$group" ] || continue
    device=${{group##*/partita-disk-}}
    limit "$group" "$(echo "$device" | tr - :)" 0
    for process in $(cat "$group/cgroup.procs"); do
        echo "$process" > "${{group%/*}}/cgroup.procs" 2>/dev/null
    done
    i=0
    until rmdir "$group" 2>/dev/null || [ $i -ge 40 ]; do sleep 0.05; i=$((i + 1)); done
    [ ! -d "$group" ] || left=1
done 2>/dev/null < "$noted"
{FORGET.replace("NAME", "partita-disk")}
[ -z "$left" ]
"""
)

# A group that nobody is in, limited for a disk that is there.
_TRY = (
    _GROUPS
    + """
above=$(parent $$)
if [ -z "$above" ]; then
    echo "no control group can limit a disk: mount blkio (cgroup v1), or enable io (cgroup v2)"
    exit 0
fi
group=$above/partita-try-$$
mkdir "$group" 2>/dev/null || { echo "no control group can be made in $above"; exit 0; }
trap 'rmdir "$group"' EXIT
for device in /sys/block/*/dev; do
    said=$(limit "$group" "$(cat "$device")" 20 2>&1) && exit 0
done
echo "a control group cannot limit a disk: $said"
"""
)


class SlowDisk:
    """Lets the disk of the store's data carry out so many requests in a second, and no more."""

    name = "slow-disk"
    traits = Traits(
        strikes="nodes",
        stacks="replace",
        survives_restart=False,
        own_disk="device",
        needs=("data",),
        storm=Storm(1),
        how="a control group, and a device as the store's own disk",
        heal=disks.PATH + _END,
    )

    def __init__(
        self,
        iops: Annotated[int, Setting("Reads, and writes, in a second.", least=1, most=10_000)] = 20,
    ) -> None:
        self._iops = iops
        self._begun: set[str] = set()

    def lacks(self, host: Host) -> str | None:
        lack = programs.lacks(host, PROGRAM)
        return lack or " ".join(_shell(host, _TRY).split()) or None

    def begin(self, scene: Scene, scope: Scope) -> None:
        def slow(host: Host) -> None:
            data = scene.store.do("data", host.name)
            find = [programs.path(PROGRAM), *of_store(data)]
            programs.bring(host, PROGRAM)
            _shell(host, _BEGIN, data, GROUPS, str(self._iops), *find, check=True)

        # What another one slowed, and this one does not, is let go.
        self._begun |= set(scope.nodes)
        on_all([host for host in scene.hosts if host.name not in self._begun], _undo)
        on_all(scene.struck(scope), slow)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """Measured by reads in the store's group. It bit if they took half as long as they should.

        Where no process of the store is, as after a crash, nothing can be slow.
        """
        count = max(4, self._iops // 2)

        def measure(host: Host) -> str:
            data = scene.store.do("data", host.name)
            return _shell(host, _MEASURE, data, GROUPS, str(count))

        said = on_all(scene.struck(scope), measure)
        rates = {name: count / (int(text) / 1e9) for name, text in said.items() if text.strip()}
        others = scope.without(tuple(rates))
        missed = scene.serving(others) if others.nodes else []
        slow = bool(rates) and max(rates.values()) <= 2 * self._iops
        return {"bit": slow and not missed, "iops": round(max(rates.values(), default=0), 1)}

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        """The groups must be there, and something must have been written by whoever is in them."""

        def count(host: Host) -> str:
            return _shell(host, _COUNT, scene.store.do("data", host.name), GROUPS)

        said = {name: text.split() for name, text in on_all(scene.struck(scope), count).items()}
        written = sum(int(word) for words in said.values() for word in words if word != "there")
        gone = [] if any(said.values()) else sorted(said)
        return Lasted({"gone_on": gone} if gone else {}, {"writes_slowed": written})

    def end(self, scene: Scene, scope: Scope) -> None:
        self._begun -= set(scope.nodes)
        on_all(scene.struck(scope), _undo)


def _undo(host: Host) -> None:
    _shell(host, _END, check=True)


def _shell(host: Host, lines: str, *words: str, check: bool = False) -> str:
    command = ["sh", "-c", disks.PATH + lines, "slow-disk", *words]
    said: str = host.run(command, check=check).stdout
    return said
