"""A disk that forgets what was not synced: a small program of Partita's own, by FUSE.

It needs no loop device, loses single writes and not only files, and tells what it lost. But names
last at once, which is not so on every disk. The source is `nemesis/native/lossy/`.
"""

from partita.nemesis import programs
from partita.nemesis.disks import PATH, Cut, Lose
from partita.nemesis.hosts import Host

AT = "/srv/partita/disk-lossy"
PROGRAM = "partita-lossy"
BYTES_MOST = 256 << 20  # of memory on each node for what is not synced

# Nothing here looks into what is mounted: that would hang where the program is frozen. A process
# id may be anybody's by now, so the program is known by its name, which a dead one has no more.
_SERVE = f"""
at={AT}; program={programs.path(PROGRAM)}
mounted() {{ grep -q " $data fuse[.]partita " /proc/self/mounts; }}
runs() {{ grep -qs {PROGRAM} "/proc/$(cat "$at/pid" 2>/dev/null)/cmdline"; }}
leave() {{
    ! runs || kill -KILL "$(cat "$at/pid")"
    while mounted; do umount -l "$data" || return; done
}}
serve() {{
    : > "$at/said"
    setsid "$program" mount "$at/below" "$data" {BYTES_MOST} >"$at/said" 2>&1 </dev/null &
    echo $! > "$at/pid"
    i=0
    until grep -q ready "$at/said"; do
        i=$((i + 1))
        if [ $i -gt 250 ] || ! kill -0 "$(cat "$at/pid")" 2>/dev/null; then
            cat "$at/said" >&2
            return 1
        fi
        sleep 0.02
    done
}}
cut() {{
    i=0
    until said=$("$program" cut "$data" "$1" "$2" 2>&1); do
        i=$((i + 1))
        case $said in *busy*) ;; *) i=99 ;; esac
        if [ $i -gt 50 ]; then echo "$said" >&2; return 1; fi
        sleep 0.1
    done
}}
"""

# Made anew where it is asked for; harmless if it stands.
_PUT = f"""set -e{_SERVE}
data=$1
if mounted && runs; then exit 0; fi
mkdir -p "$at/below" "$data"
echo "$data" > "$at/data"
serve
"""

# The program is ended without a word: what it knows is not needed any more.
_TAKE = f"""{_SERVE}
[ -e "$at" ] || exit 0
data=$(cat "$at/data" 2>/dev/null)
[ -z "$data" ] || leave
rm -rf "$at"
"""

# A program that died has left all that was written.
_HEAL = f"""{_SERVE}
[ -e "$at/data" ] || exit 0
data=$(cat "$at/data")
if mounted && runs; then exit 0; fi
leave && serve
"""

_CUT = f"""set -e{_SERVE}
data=$(cat "$at/data")
files=$(find "$at/below" -type f | wc -l)
cut "$1" "$2"
echo "$files $said"
"""

# In mounts of its own, which end with the command.
_TRY = f"""{_SERVE}
at=$(mktemp -d)
trap 'rm -rf "$at"' EXIT
data=$at/data
mkdir "$at/below" "$data"
serve 2>&1 || exit 0
echo written > "$data/file"
cut all 1 2>&1
[ ! -s "$data/file" ] || echo "what was not synced stays"
kill "$(cat "$at/pid")"
"""


class Lossy:
    """A folder by way of a program that can take back what was not synced (FUSE)."""

    name = "lossy"
    how = "a program of Partita's that forgets what was not synced (FUSE)"
    heal = _HEAL
    take = _TAKE

    def lacks(self, host: Host) -> str | None:
        if not programs.built(PROGRAM):
            return f"{PROGRAM} was not built: apt-get install libfuse3-dev, and Partita anew"
        lack = programs.lacks(host, PROGRAM)
        if lack is None:
            command = ["unshare", "--mount", "sh", "-c", PATH + _TRY]
            done = host.run(command, check=False)
            untried = None if done.status == 0 else "it could not be tried"
            lack = " ".join(done.stdout.split()) or untried
        return lack

    def put(self, host: Host, data: str) -> None:
        programs.bring(host, PROGRAM)
        host.run(["sh", "-c", PATH + _PUT, "put a disk", data])

    def cut(self, host: Host, lose: Lose, seed: int) -> Cut:
        """See `LosesPower`. With "some" each write is lost or not; "torn" cuts in the last one."""
        done = host.run(["sh", "-c", PATH + _CUT, "cut the power", lose, str(seed)])
        files, changed, writes, lost, kept = map(int, done.stdout.split())
        return Cut(files, changed, lost, kept, writes)
