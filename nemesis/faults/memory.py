"""A store that gets so much more memory, and then no more.

A control group is what containers have: the pages that the store takes from now on count, also
those of the files that it reads and writes. The kernel gives back what can be had again, and in the
end kills the store. Where there are no such groups, as without root, a limit of the process
(RLIMIT_DATA) does it: then the store is refused more. Which of the two it was stands in the run.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from partita.checker.settings import Setting
from partita.nemesis import programs
from partita.nemesis.calls import PROGRAM, of_store
from partita.nemesis.fault import Lasted, Scene, Traits
from partita.nemesis.groups import Limited, Ways
from partita.nemesis.hosts import FOLDER, Host, on_all
from partita.nemesis.targets import Scope

_MB = 1 << 20
_NOTED = f"{FOLDER}/memory-limit"  # a line for each process: its id, when it began, its old limit

_GROUP = Limited(
    "partita-memory",
    "memory",
    limit="""
    if [ -e "$1/memory.max" ]; then
        echo "$2" > "$1/memory.max"
    else
        echo "$2" > "$1/memory.limit_in_bytes"
    fi""",
    free="""
    if [ -e "$1/memory.max" ]; then
        echo max > "$1/memory.max"
    else
        echo -1 > "$1/memory.limit_in_bytes"
    fi""",
)

# Processes in the group, how often they met the limit, and how many of them were killed for it.
_COUNTED = """
cd "$1" || return
if [ -e memory.max ]; then events=memory.events; else events=memory.oom_control; fi
met=$(cat memory.failcnt 2>/dev/null || sed -n 's/^max //p' memory.events)
echo "$(grep -c . cgroup.procs) $met $(sed -n 's/^oom_kill //p' $events)"
"""

_SINCE = """since() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }
"""
_LIMIT = (
    _SINCE
    + """
noted=$1; more_kb=$2; shift 2
mkdir -p "${noted%/*}"
for process in $("$@"); do
    since=$(since "$process")
    old=$(prlimit --pid "$process" --data --output SOFT --noheadings --raw 2>/dev/null)
    data=$(awk '$1 == "VmData:" { print $2 }' "/proc/$process/status" 2>/dev/null)
    [ -n "$since" ] && [ -n "$old" ] && [ -n "$data" ] || continue
    grep -q "^$process $since " "$noted" 2>/dev/null || echo "$process $since $old" >> "$noted"
    prlimit --pid "$process" --data=$(((data + more_kb) * 1024)): || exit 1
done
"""
)

# The same figures as of a group: whoever is a megabyte below its limit or less has met it.
_LIMITED = (
    _SINCE
    + """
there=0; met=0; ended=0
while read -r process since old; do
    if [ "$(since "$process")" != "$since" ]; then ended=$((ended + 1)); continue; fi
    there=$((there + 1))
    data=$(awk '$1 == "VmData:" { print $2 }' "/proc/$process/status")
    most=$(prlimit --pid "$process" --data --output SOFT --noheadings --raw)
    [ "$most" = unlimited ] || [ $((data * 1024 + 1048576)) -lt "$most" ] || met=$((met + 1))
done 2>/dev/null < "$1"
[ ! -e "$1" ] || echo "$there $((met + ended)) $ended"
"""
)
_FREE = (
    _SINCE
    + f"""
noted={_NOTED}
while read -r process since old; do
    [ "$(since "$process")" != "$since" ] || prlimit --pid "$process" --data="$old:"
done 2>/dev/null < "$noted"
rm -f "$noted"
"""
)

_TRY = """
command -v prlimit >/dev/null || { echo "prlimit is missing: apt-get install util-linux"; exit; }
sleep 5 & prlimit --pid $! --data=100000000: 2>&1; kill $!
"""


class MemoryLimit:
    """Lets the store have so much more memory than it has, and then no more."""

    name = "memory-limit"
    traits = Traits(
        strikes="nodes",
        stacks="replace",
        survives_restart=False,
        needs=("data",),
        spoils=True,
        how="a control group, or else a limit of the process",
        heal="\n".join(["(", _GROUP.heal, ")", "status=$?", "(", _FREE, ")", "exit $status"]),
    )

    def __init__(
        self,
        mb: Annotated[int, Setting("Megabytes more than it has.", least=1, most=100_000)] = 4,
        by: Annotated[
            Literal["any", "group", "process"],
            Setting("By a control group, by a limit of the process, or the first that works."),
        ] = "any",
    ) -> None:
        self._mb, self._by = mb, by
        self._ways = Ways("a limit of the process", _undo)

    def lacks(self, host: Host) -> str | None:
        lack = programs.lacks(host, PROGRAM)
        if lack is None and self._by == "group":
            lack = _GROUP.lacks(host, self._mb * _MB)
        elif lack is None:
            lack = " ".join(host.run(["sh", "-c", _TRY], check=False).stdout.split()) or None
        return lack

    def begin(self, scene: Scene, scope: Scope) -> None:
        self._ways.begin(scene, scope, lambda host: self._limit(scene, host))

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """It bit if the processes of all nodes that serve are limited."""
        counted = self._counted(scene, scope)
        met = tuple(name for name, (there, _, ended) in counted.items() if there or ended)
        others = scope.without(met)
        missed = scene.serving(others) if others.nodes else []
        said: dict[str, Any] = {"bit": bool(met) and not missed, "by": self._ways.said(scope)}
        return said | ({"missed_on": missed} if missed else {})

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        """It must be in force, and the store must have asked for more than it was to have."""
        counted = self._counted(scene, scope)
        gone = sorted(set(scope.nodes) & scene.living - set(counted))
        met, ended = (sum(each[at] for each in counted.values()) for at in (1, 2))
        figures = {"limit_met": met} | ({"ended": ended} if ended else {})
        return Lasted({"gone_on": gone} if gone else {}, figures)

    def end(self, scene: Scene, scope: Scope) -> None:
        """Take the limit away, and start what ended because of it."""
        self._ways.end(scene, scope)
        scene.start(scope)

    def _limit(self, scene: Scene, host: Host) -> bool:
        """Limit the store's processes on a host; say whether it was by a control group."""
        programs.bring(host, PROGRAM)
        store = of_store(scene.store.do("data", host.name))
        find = [programs.path(PROGRAM), "--find", *store]
        most = self._mb * _MB
        if self._by == "group" or (self._by == "any" and _GROUP.lacks(host, most) is None):
            _GROUP.put(host, most, find)
            return True
        host.run(["sh", "-c", _LIMIT, "limit", _NOTED, str(self._mb << 10), *find])
        return False

    def _counted(self, scene: Scene, scope: Scope) -> dict[str, tuple[int, int, int]]:
        """Return, by host: processes, how often they met the limit, and how many have ended."""

        def count(host: Host) -> str:
            if self._ways.is_grouped(host):
                return _GROUP.look(host, _COUNTED)
            return host.run(["sh", "-c", _LIMITED, "limited", _NOTED], check=False).stdout

        said = on_all(scene.struck(scope), count)
        rows = {name: [line.split() for line in text.splitlines()] for name, text in said.items()}
        return {name: _total(each) for name, each in rows.items() if each}


def _total(rows: list[list[str]]) -> tuple[int, int, int]:
    there, met, ended = (sum(int(row[at]) for row in rows) for at in range(3))
    return there, met, ended


def _undo(host: Host) -> None:
    _GROUP.end(host)
    host.run(["sh", "-c", _FREE, "free"])
