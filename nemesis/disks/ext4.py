"""An ext4 image, mounted where the store's data lie: what real power cuts leave of it.

The image lies beside the store's folder. The journal is written by `fsync` alone, and not every
five seconds, so that it does not save a store which forgets that.
"""

from partita.nemesis import programs
from partita.nemesis.disks import PATH, Cut, Lose
from partita.nemesis.hosts import Host

AT = "/srv/partita/disk"
PROGRAM = "partita-disk"
SIZE = "1G"  # sparse: it takes what is written to it

# Mounts the image, and its folder where the store keeps its data; harmless if both stand.
_ATTACH = """
attach() {
    mountpoint -q "$at/mounted" || mount -o loop,commit=300 "$at/image" "$at/mounted" || return
    mkdir -p "$at/mounted/data"
    mountpoint -q "$data" || mount --bind "$at/mounted/data" "$data"
}
"""

# Made anew where it is asked for; harmless if it stands.
_PUT = f"""set -e{_ATTACH}
at=$1; data=$2; size=$3
mkdir -p "$at/mounted" "$data"
! mountpoint -q "$data" || exit 0
truncate -s "$size" "$at/image"
mkfs.ext4 -q -F -m 0 "$at/image"
attach
echo "$data" > "$at/data"
sync -f "$at/mounted"
"""

_TAKE = f"""
at={AT}
[ -e "$at" ] || exit 0
for place in "$(cat "$at/data" 2>/dev/null)" "$at/mounted"; do
    ! mountpoint -q "$place" || umount "$place" || umount -l "$place"
done
rm -rf "$at"
"""

# What is read before comes from memory, what is read after comes from the disk. Prints how many
# files there were, how many are not as they were, how many bytes they are shorter by, and how many
# bytes were kept of what could have been lost.
_CUT = f"""set -e{_ATTACH}
at=$1; program=$2; lose=$3; seed=$4; data=$(cat "$at/data"); kept="0 0"
look() {{ (cd "$data" && find . -type f -exec cksum {{}} + | sort -k 3) > "$at/$1"; }}
look before
if [ "$lose" != all ]; then
    rm -rf "$at/was"
    cp -a --sparse=always "$data" "$at/was"
    (cd "$data" && find . -type f -printf '%i %P\\n') > "$at/inodes"
fi
"$program" cut "$at/mounted"
if touch "$at/mounted/data" 2>/dev/null; then echo "it still writes" >&2; exit 1; fi
i=0
while ! umount "$data"; do i=$((i + 1)); [ $i -lt 50 ] || exit 1; sleep 0.1; done
umount "$at/mounted"
attach
if [ "$lose" != all ]; then
    kept=$("$program" keep "$lose" "$seed" "$at/inodes" "$at/was" "$data")
    rm -rf "$at/was"
fi
look after
awk -v kept="${{kept#* }}" '
    {{ name = $0; sub(/^[0-9]+ [0-9]+ /, "", name) }}
    FNR == NR {{ sum[name] = $1; size[name] = $2; files++; next }}
    name in sum {{
        if (sum[name] == $1 && size[name] == $2) same++
        left[name] = $2
    }}
    END {{
        for (name in size) if (size[name] > left[name]) bytes += size[name] - left[name]
        print files + 0, files - same, bytes + 0, kept
    }}
' "$at/before" "$at/after"
"""

# A controller that died in the middle of a cut has left the disk unmounted.
_HEAL = f"""{_ATTACH}
at={AT}
if [ -e "$at/data" ]; then
    data=$(cat "$at/data")
    rm -rf "$at/mounted/full" "$at/was"
    attach || exit 1
fi
"""

# In mounts of its own, which end with the command.
_TRY = """
for tool in mkfs.ext4 mount umount mountpoint; do
    command -v $tool >/dev/null && continue
    echo "$tool is missing: apt-get install e2fsprogs mount"
    exit 0
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
truncate -s 16M "$folder/image"
mkdir "$folder/mounted"
mkfs.ext4 -q -F "$folder/image" || { echo "mkfs.ext4 fails"; exit 0; }
said=$(unshare --mount sh -c '
    mount -o loop "$1/image" "$1/mounted" && "$2" cut "$1/mounted" && umount "$1/mounted"
' try "$folder" "$1" 2>&1) || echo "no disk of its own can be mounted: $said"
"""


class Ext4:
    """A file system of its own in a file, on a loop device. Power cuts are those of ext4."""

    name = "ext4"
    how = "an ext4 image on a loop device"
    heal = _HEAL
    take = _TAKE
    root = f"{AT}/mounted"
    device = True  # of its own, whose requests the kernel counts

    def lacks(self, host: Host) -> str | None:
        lack = programs.lacks(host, PROGRAM)
        if lack is None:
            command = ["sh", "-c", PATH + _TRY, "try", programs.path(PROGRAM)]
            done = host.run(command, check=False)
            untried = None if done.status == 0 else "a disk of its own could not be tried"
            lack = " ".join(done.stdout.split()) or untried
        return lack

    def put(self, host: Host, data: str) -> None:
        host.run(["sh", "-c", PATH + _PUT, "put a disk", AT, data, SIZE])

    def cut(self, host: Host, lose: Lose, seed: int) -> Cut:
        """See `LosesPower`. With "some" a file keeps all of what it had, or nothing."""
        programs.bring(host, PROGRAM)
        words = [AT, programs.path(PROGRAM), lose, str(seed)]
        done = host.run(["sh", "-c", PATH + _CUT, "cut the power", *words])
        return Cut(*map(int, done.stdout.split()))
