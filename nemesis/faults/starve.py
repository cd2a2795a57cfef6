"""A store that gets a part of a processor's time, as one whose machine has too much to do.

A control group gives it so much of each tenth of a second, where such groups can be had. Elsewhere,
as without root, a small program of ours stops the store's processes and lets them go on again,
ten times in a second. Which of the two it was stands in the run.
"""

import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from partita.checker.settings import Setting
from partita.nemesis import programs
from partita.nemesis.background import Background
from partita.nemesis.calls import PROGRAM, of_store
from partita.nemesis.fault import Lasted, Scene, Storm, Traits
from partita.nemesis.groups import Limited, Ways
from partita.nemesis.hosts import Host, on_all
from partita.nemesis.targets import Scope

_PERIOD_MS = 100
_PATIENCE_S = 2.0  # the program counts aloud many times in a second
_LOOK_S = 0.1

# In percent of one processor.
_GROUP = Limited(
    "partita-cpu",
    "cpu",
    limit="""
    if [ -e "$1/cpu.max" ]; then
        echo "$(($2 * 1000)) 100000" > "$1/cpu.max"
    else
        echo 100000 > "$1/cpu.cfs_period_us" && echo "$(($2 * 1000))" > "$1/cpu.cfs_quota_us"
    fi""",
    free="""
    if [ -e "$1/cpu.max" ]; then
        echo max > "$1/cpu.max"
    else
        echo -1 > "$1/cpu.cfs_quota_us"
    fi""",
)
_TURNS = Background(PROGRAM, "starve")

# How often the group had to wait for its next turn.
_WAITED = "sed -n 's/^nr_throttled //p' \"$1/cpu.stat\""

# Half a second of nothing but work, in the group: how much of a processor that had, in percent.
# The kernel counts it in hundredths of a second.
_WORK = """bash -c '
echo $$ > "$1/cgroup.procs"
began=${EPOCHREALTIME/[.,]/}
while (( ${EPOCHREALTIME/[.,]/} < began + 500000 )); do :; done
took=$(( ${EPOCHREALTIME/[.,]/} - began ))
read -r line < /proc/$$/stat
set -- ${line##*) }
echo $(( (${12} + ${13}) * 1000000 / took ))
' work "$1" """

# Whoever was stopped when the program was killed goes on.
_RESUME = """
for file in /srv/partita/*/pid; do
    [ ! -e "$file" ] || kill -CONT "$(cat "$file")" 2>/dev/null
done
true
"""


class Starve:
    """Lets the store have only a part of a processor's time."""

    name = "starve"
    traits = Traits(
        strikes="nodes",
        stacks="replace",
        survives_restart=False,
        needs=("data",),
        storm=Storm(1),
        how="a control group, or else by stopping the store ten times in a second",
        heal="\n".join(["(", _GROUP.heal, ")", "status=$?", _TURNS.heal, _RESUME, "exit $status"]),
    )

    def __init__(
        self,
        percent: Annotated[int, Setting("Of one processor's time.", least=1, most=90)] = 10,
        by: Annotated[
            Literal["any", "group", "turns"],
            Setting("By a control group, by stopping it in turns, or by the first that works."),
        ] = "any",
    ) -> None:
        self._percent, self._by = percent, by
        self._ways = Ways("turns", _undo)
        self._waited: dict[str, int] = {}

    def lacks(self, host: Host) -> str | None:
        lack = programs.lacks(host, PROGRAM)
        return lack or (_GROUP.lacks(host, self._percent) if self._by == "group" else None)

    def begin(self, scene: Scene, scope: Scope) -> None:
        self._ways.begin(scene, scope, lambda host: self._starve(scene, host))
        self._waited |= self._counted(scene, scope)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """It bit if work in the store's group had to wait, or the store is being stopped."""
        had = on_all(self._in_groups(scene, scope), lambda host: _GROUP.look(host, _WORK).split())
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            waited = self._counted(scene, scope)
            met = {name for name, count in waited.items() if count > self._waited.get(name, 0)}
            if met >= set(scope.nodes) & scene.living or time.monotonic() > deadline:
                break
            time.sleep(_LOOK_S)
        self._waited |= waited  # by the proof: what the store waits for comes from now on
        others = scope.without(tuple(met))
        missed = scene.serving(others) if others.nodes else []
        said: dict[str, Any] = {"bit": bool(met) and not missed, "by": self._ways.said(scope)}
        shares = [int(share) for each in had.values() for share in each]
        said |= {"processor_percent": max(shares)} if shares else {}
        return said | ({"missed_on": missed} if missed else {})

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        """It must be in force, and the store must have had to wait."""
        counted = self._counted(scene, scope)
        gone = sorted(set(scope.nodes) & scene.living - set(counted))
        waited = sum(count - self._waited.get(name, 0) for name, count in counted.items())
        return Lasted({"gone_on": gone} if gone else {}, {"times_without_processor": waited})

    def end(self, scene: Scene, scope: Scope) -> None:
        self._ways.end(scene, scope)

    def _starve(self, scene: Scene, host: Host) -> bool:
        """Do it on a host; say whether it was by a control group."""
        store = of_store(scene.store.do("data", host.name))
        grouped = self._by == "any" and _GROUP.lacks(host, self._percent) is None
        if grouped or self._by == "group":
            programs.bring(host, PROGRAM)
            _GROUP.put(host, self._percent, [programs.path(PROGRAM), "--find", *store])
            return True
        held = _PERIOD_MS * (100 - self._percent) / 100
        _TURNS.start(host, [*store, "--hold-ms", f"{held:g}", "--period-ms", f"{_PERIOD_MS}"])
        return False

    def _counted(self, scene: Scene, scope: Scope) -> dict[str, int]:
        """Return how often the store had to wait so far, by host; those where it is gone lack."""
        grouped = self._in_groups(scene, scope)
        said = on_all(grouped, lambda host: _GROUP.look(host, _WAITED).split())
        found = {name: sum(map(int, each)) for name, each in said.items() if each}
        turned = [host for host in scene.struck(scope) if not self._ways.is_grouped(host)]
        ended = _TURNS.ended(turned)
        counted = _TURNS.figures(turned)
        return found | {
            name: each.get("turns", 0) for name, each in counted.items() if name not in ended
        }

    def _in_groups(self, scene: Scene, scope: Scope) -> list[Host]:
        return [host for host in scene.struck(scope) if self._ways.is_grouped(host)]


def _undo(host: Host) -> None:
    _GROUP.end(host)
    _TURNS.stop(host)
