"""A disk of its own for what a store keeps on a node: an ext4 image, mounted where its data lies.

Only so can one node lose its power, or have a full disk, while the machine goes on. The image lies
beside the store's folder; the journal is written by `fsync` alone, and not every five seconds, so
that it does not save a store which forgets that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from partita.nemesis import programs
from partita.nemesis.hosts import Host

AT = "/srv/partita/disk"
PROGRAM = "partita-disk"
Lose = Literal["all", "some", "torn"]
SIZE = "1G"  # sparse: it takes what is written to it

# For hosts whose users have no tools of an administrator.
PATH = 'PATH="$PATH:/usr/sbin:/sbin"\n'
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

_TAKE = """
at=$1
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


@dataclass(frozen=True, slots=True)
class Cut:
    """What a power cut did to a disk: the files that were there, and what became of them."""

    files: int
    changed: int
    bytes_lost: int
    bytes_kept: int


def heal() -> str:
    """Return the shell lines by which a host has its disk again, with room on it."""
    return PATH + _HEAL


def lacks(host: Host) -> str | None:
    """Say why the host can have no disk of its own, or None if it can."""
    lack = programs.lacks(host, PROGRAM)
    if lack is None:
        command = ["sh", "-c", PATH + _TRY, "try", programs.path(PROGRAM)]
        done = host.run(command, check=False)
        untried = None if done.status == 0 else "a disk of its own could not be tried"
        lack = " ".join(done.stdout.split()) or untried
    return lack


def put(host: Host, data: str) -> None:
    """Give the host a disk, mounted at the folder where the store keeps its data."""
    host.run(["sh", "-c", PATH + _PUT, "put a disk", AT, data, SIZE])


def take(host: Host) -> None:
    """Take the disk away again, with all that is on it. Harmless where there is none."""
    host.run(["sh", "-c", PATH + _TAKE, "take the disk", AT])


def cut(host: Host, lose: Lose = "all") -> Cut:
    """Take the power from the disk, and give it back: what was never synced is lost.

    `lose`: all of that, or only what some files had ("some"), or all but the first sectors of what
    each file had ("torn"), as the luck of the moment has it. Whoever had files open on it must be
    gone.
    """
    programs.bring(host, PROGRAM)
    seed = str(Random().getrandbits(32))
    command = ["sh", "-c", PATH + _CUT, "cut the power", AT, programs.path(PROGRAM), lose, seed]
    return Cut(*map(int, host.run(command).stdout.split()))


def shell(host: Host, lines: str, *, check: bool = True) -> str:
    """Run shell lines with `at`, where the disk is mounted, and return what they print."""
    script = f"{PATH}at={AT}/mounted\n{lines}"
    said: str = host.run(["sh", "-c", script, "disk"], check=check).stdout
    return said


def facts(cuts: Mapping[str, Cut]) -> dict[str, int]:
    """Return what cuts did, in all."""
    return {
        "files": sum(each.files for each in cuts.values()),
        "files_changed": sum(each.changed for each in cuts.values()),
        "bytes_lost": sum(each.bytes_lost for each in cuts.values()),
    }
