"""Control groups: a store's processes are put into one of ours, below the one that they were in.

The path of a group is noted on its host before it is made, so that whoever heals the host, or takes
it away, finds it. Version 1 of control groups is used where a controller is mounted so, else
version 2, where the group above lets it be used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from partita.nemesis.disks import PATH
from partita.nemesis.fault import Scene
from partita.nemesis.hosts import GROUPS, Host, on_all
from partita.nemesis.targets import Scope

# above CONTROLLER PID: the folder of the process's group; empty if none below it can be limited.
ABOVE = """
above() {
    root=$(awk -v of="(^|,)$1(,|$)" '$3 == "cgroup" && $4 ~ of { print $2; exit }' /proc/mounts)
    at=$(awk -F: -v of="(^|,)$1(,|$)" '$2 ~ of { print $3 }' "/proc/$2/cgroup")
    if [ -z "$root" ]; then
        root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
        at=$(awk -F: '$1 == 0 { print $3 }' "/proc/$2/cgroup")
        grep -qw "$1" "$root$at/cgroup.subtree_control" 2>/dev/null || root=
    fi
    [ -z "$root" ] || echo "$root${at%/}"
}
"""

# Whoever is in a group goes back to the one above it; the rest of the notes is another fault's.
_END = """
noted=NOTED
while read -r group; do
    case $group in */NAME-*) ;; *) continue ;; esac
    [ -d "$group" ] || continue
    free "$group"
    i=0
    while [ -d "$group" ] && [ $i -lt 40 ]; do
        for process in $(cat "$group/cgroup.procs"); do
            echo "$process" > "${group%/*}/cgroup.procs"
        done
        rmdir "$group" || sleep 0.05
        i=$((i + 1))
    done
    [ ! -d "$group" ] || left=1
done 2>/dev/null < "$noted"
FORGET
[ -z "$left" ]
"""

# Shell lines that take the notes of the groups NAME away, unless there is something `left`.
FORGET = """
if [ -e "$noted" ] && [ -z "$left" ]; then
    grep -v "/NAME-" "$noted" > "$noted.new"
    if [ -s "$noted.new" ]; then mv "$noted.new" "$noted"; else rm -f "$noted" "$noted.new"; fi
fi
"""

# On one machine there may be several hosts, so the name of a group has luck in it.
_PUT = """
noted=$1; most=$2; shift 2
processes=$("$@")
[ -n "$processes" ] || exit 0
for process in $processes; do
    above=$(above CONTROLLER "$process")
    case $above in
        "") echo "no control group" >&2; exit 1 ;;
        */NAME-*) group=$above ;;
        *)
            group=$(grep "^$above/NAME-[^/]*$" "$noted" 2>/dev/null | tail -1)
            if [ ! -d "$group" ]; then
                group=$above/NAME-$(cut -c 1-8 /proc/sys/kernel/random/uuid)
                echo "$group" >> "$noted"
                mkdir "$group" || exit 1
            fi
            ;;
    esac
    limit "$group" "$most" || exit 1
    echo "$process" > "$group/cgroup.procs" || [ ! -d "/proc/$process" ] || exit 1
done
"""

_TRY = """
above=$(above CONTROLLER $$)
if [ -z "$above" ]; then
    echo "no control group has CONTROLLER: mount it (cgroup v1), or enable it (cgroup v2)"
    exit 0
fi
group=$above/NAME-try-$$
mkdir "$group" 2>/dev/null || { echo "no control group can be made in $above"; exit 0; }
trap 'rmdir "$group"' EXIT
said=$(limit "$group" "$1" 2>&1) || echo "a control group cannot limit CONTROLLER: $said"
"""

_EACH = """
while read -r group; do
    case $group in */NAME-*) ;; *) continue ;; esac
    [ -d "$group" ] && look "$group"
done 2>/dev/null < NOTED
true
"""


@dataclass(frozen=True, slots=True)
class Limited:
    """The groups of one fault: `name` begins with "partita-", `controller` is the kernel's word.

    `limit` is the body of a shell function that sets $2 as the limit of the group $1, and `free`
    the body of one that takes its limit away.
    """

    name: str
    controller: str
    limit: str
    free: str

    @property
    def heal(self) -> str:
        """The shell lines by which a host undoes it alone."""
        return self._script(_END)

    def lacks(self, host: Host, most: int) -> str | None:
        """Say why the host cannot have such a group, or None if it can: by making one."""
        return " ".join(self._run(host, _TRY, str(most)).split()) or None

    def put(self, host: Host, most: int, find: Sequence[str]) -> None:
        """Put the processes whose ids the command `find` prints into a group with that limit."""
        self._run(host, _PUT, GROUPS, str(most), *find, check=True)

    def look(self, host: Host, body: str) -> str:
        """Return what a shell function of that body prints of each group $1 that is there."""
        return self._run(host, f"look() {{\n{body}\n}}\n{_EACH}")

    def end(self, host: Host) -> None:
        """Let the processes go, and delete the groups. Harmless where there are none."""
        self._run(host, _END, check=True)

    def _run(self, host: Host, lines: str, *words: str, check: bool = False) -> str:
        command = ["sh", "-c", self._script(lines), self.name, *words]
        said: str = host.run(command, check=check).stdout
        return said

    def _script(self, lines: str) -> str:
        functions = f"limit() {{\n{self.limit}\n}}\nfree() {{\n{self.free}\n}}\n"
        filled = (
            lines.replace("FORGET", FORGET)
            .replace("NAME", self.name)
            .replace("CONTROLLER", self.controller)
        )
        return PATH + ABOVE + functions + filled.replace("NOTED", GROUPS)


class Ways:
    """Where a fault is in force, by a control group here and in its `other` way there.

    `undo` ends it on a host, whichever way it was, and is harmless where it was none.
    """

    def __init__(self, other: str, undo: Callable[[Host], None]) -> None:
        self._other, self._undo = other, undo
        self._begun: set[str] = set()
        self._grouped: set[str] = set()

    def begin(self, scene: Scene, scope: Scope, strike: Callable[[Host], bool]) -> None:
        """Strike hosts; `strike` says whether it was by a control group.

        What another one struck, and this one does not, is let go.
        """
        self._begun |= set(scope.nodes)
        on_all([host for host in scene.hosts if host.name not in self._begun], self._undo)
        by_groups = on_all(scene.struck(scope), strike)
        self._grouped |= {name for name, grouped in by_groups.items() if grouped}

    def end(self, scene: Scene, scope: Scope) -> None:
        self._begun -= set(scope.nodes)
        self._grouped -= set(scope.nodes)
        on_all(scene.struck(scope), self._undo)

    def is_grouped(self, host: Host) -> bool:
        return host.name in self._grouped

    def said(self, scope: Scope) -> str:
        """Say in words which ways it was on these hosts."""
        grouped = self._grouped & set(scope.nodes)
        ways = ["a control group"] if grouped else []
        return " and ".join([*ways, *([self._other] if grouped != set(scope.nodes) else [])])
