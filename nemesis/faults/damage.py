"""Files that are not as the store wrote them: a bit has flipped, or the end is gone.

A store should find out, by checksums, and then refuse to serve from such a file. Only files of
a killed process are damaged, and those of a minority only: nobody can promise anything if most of
the disks lie. What was done is undone at the end where a node refuses to run.
"""

from collections.abc import Mapping
from random import Random
from typing import Annotated, Any, Protocol

from partita.checker.settings import Setting
from partita.nemesis.fault import Lasted, Scene, Traits
from partita.nemesis.hosts import Host, on_all, on_some
from partita.nemesis.targets import Scope

KEPT = "/srv/partita/damaged"  # what a file was before

# The newest file that the pattern means, and a copy of it. What is struck is one of its bytes that
# are not zero: many stores make their files longer than what is written, or leave gaps.
_FIND = """
set -e
pattern=$1; kept=$2; luck=$3
file=$(ls -td $pattern 2>/dev/null | head -1)
[ -f "$file" ] || { echo "there is no $pattern" >&2; exit 1; }
used=$(tr -d '\\0' < "$file" | wc -c)
[ "$used" -gt 1 ] || { echo "$file is empty" >&2; exit 1; }
cp -p --sparse=always "$file" "$kept"
echo "$file" > "$kept.path"
at=$(cmp -l "$file" /dev/zero 2>/dev/null |
    awk -v n=$((luck % used)) 'n-- == 0 { print $1 - 1; exit }')
"""
_FLIP = (
    _FIND
    + """
byte=$(od -An -tu1 -j "$at" -N1 "$file" | tr -d ' ')
printf "\\\\$(printf %o $((byte ^ (1 << luck % 8))))" |
    dd of="$file" bs=1 seek="$at" conv=notrunc 2>/dev/null
cmp -s "$file" "$kept" || echo "$file $at"
"""
)
_CUT_SHORT = (
    _FIND
    + """
truncate -s "$at" "$file"
cmp -s "$file" "$kept" || echo "$file $at"
"""
)
_RESTORE = """
kept=$1
[ ! -e "$kept" ] || cp -p --sparse=always "$kept" "$(cat "$kept.path")"
rm -f "$kept" "$kept.path"
"""
_FORGET = f'rm -f "{KEPT}" "{KEPT}.path"'

_BY_HAND = "writes to a file of the store while it is down"

Role = Annotated[str, Setting("Which of the store's files: log, or what its system names.")]
Reckless = Annotated[bool, Setting("Whether more than a minority may be struck.")]


def _refuses(fault: "_Damages", struck: int, nodes: int) -> str | None:
    if fault.reckless or 2 * struck < nodes:
        return None
    return f"{struck} of {nodes} nodes are no minority: strike fewer, or say reckless=true"


def _misses(fault: "_Damages", store: Any, host: Host) -> str | None:
    """Say that the system names no such file."""
    files: Mapping[str, str] = store.files(host)
    if fault.role in files:
        return None
    return f"the store has no file role={fault.role}: choose from {', '.join(files)}"


def _begin(fault: "_Damages", scene: Scene, scope: Scope) -> None:
    on_some(scene.hosts, scope.nodes, lambda node: scene.store.do("kill", node))

    def damage(host: Host) -> str:
        files: Mapping[str, str] = scene.store.do("files", host.name)
        words = [files[fault.role], KEPT, str(Random().getrandbits(31))]
        return _shell(host, fault.lines, *words).strip()

    fault.done = on_all(scene.struck(scope), damage)
    scene.start(scope)


def _prove(fault: "_Damages", scene: Scene, scope: Scope) -> Mapping[str, Any]:
    """It bit if each of the files is not as it was."""
    return {"bit": bool(fault.done) and all(fault.done.values()), "files": dict(fault.done)}


def _lasted(fault: "_Damages", scene: Scene, scope: Scope) -> Lasted:
    """What it did cannot end by itself. A node may have ended because of it, as it should."""
    return Lasted()


def _end(fault: "_Damages", scene: Scene, scope: Scope) -> None:
    """Where a node does not serve, give it its file back, and start it."""
    refusing = scope.without(scene.serving(scope))
    on_some(scene.hosts, refusing.nodes, lambda node: scene.store.do("kill", node))
    on_all(scene.struck(refusing), lambda host: _shell(host, _RESTORE, KEPT))
    on_all(scene.struck(scope), lambda host: _shell(host, _FORGET))
    scene.start(refusing)


def _lacks(fault: "_Damages", host: Host) -> str | None:
    """It needs nothing but the store's files."""
    return None


def _shell(host: Host, lines: str, *words: str) -> str:
    said: str = host.run(["sh", "-c", lines, "damage", *words]).stdout
    return said


class _Damages(Protocol):
    """A fault that damages a file of each node: `done` says which, and where."""

    name: str
    lines: str
    role: str
    reckless: bool
    done: dict[str, str]


class FlipByte:
    """Crashes the store, flips a bit in one of its files, and starts it again."""

    name = "flip-byte"
    traits = Traits(
        strikes="nodes",
        needs=("files",),
        spoils=True,
        how=_BY_HAND,
        heal=_FORGET,
    )
    lines = _FLIP

    def __init__(self, role: Role = "log", reckless: Reckless = False) -> None:
        self.role, self.reckless = role, reckless
        self.done: dict[str, str] = {}

    refuses, misses, lacks = _refuses, _misses, _lacks
    begin, prove, lasted, end = _begin, _prove, _lasted, _end


class TruncateFile:
    """Crashes the store, cuts off the end of one of its files, and starts it again."""

    name = "truncate-file"
    traits = Traits(
        strikes="nodes",
        needs=("files",),
        spoils=True,
        how=_BY_HAND,
        heal=_FORGET,
    )
    lines = _CUT_SHORT

    def __init__(self, role: Role = "log", reckless: Reckless = False) -> None:
        self.role, self.reckless = role, reckless
        self.done: dict[str, str] = {}

    refuses, misses, lacks = _refuses, _misses, _lacks
    begin, prove, lasted, end = _begin, _prove, _lasted, _end
