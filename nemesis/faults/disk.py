"""Disks that lose what was not synced, and disks that are full.

For these the store's data lie on a disk of its own on each node (`nemesis/disks/`).
"""

from collections.abc import Mapping
from typing import Annotated, Any

from partita.checker.settings import Setting
from partita.nemesis import disks
from partita.nemesis.fault import Lasted, Scene, Storm, Traits
from partita.nemesis.hosts import Host, on_all, on_some
from partita.nemesis.targets import Scope

_FULL = """
fallocate -l "$(df --output=avail -B1 "$at" | tail -1)" "$at/full" 2>/dev/null
# What a file cannot have in one piece.
cat /dev/zero >> "$at/full" 2>/dev/null
true
"""
_HAS_ROOM = 'if echo room > "$at/probe" 2>/dev/null; then echo room; fi; rm -f "$at/probe"'


class PowerCut:
    """Crashes the store, and takes from its disk what was never synced, as a power cut does."""

    name = "power-cut"
    traits = Traits(
        strikes="nodes",
        silences=True,
        restarts=True,
        own_disk="cut",
        spoils=True,
        needs=("data",),
        storm=Storm(3, (0.5, 2.0)),
        how="a disk of the store's own that loses its power",
        heal=disks.heals(),
    )

    def __init__(
        self,
        lose: Annotated[
            disks.Lose,
            Setting("What of that: all, what some files had, or all but the first sectors."),
        ] = "all",
    ) -> None:
        self._lose = lose
        self._cuts: dict[str, disks.Cut] = {}

    def lacks(self, host: Host) -> str | None:
        """It needs nothing but that disk."""
        return None

    def begin(self, scene: Scene, scope: Scope) -> None:
        on_some(scene.hosts, scope.nodes, lambda node: scene.store.do("kill", node))
        disk = scene.disk
        assert isinstance(disk, disks.LosesPower)  # others were refused

        def cut(host: Host) -> disks.Cut:
            return disk.cut(host, self._lose, scene.luck(host.name).getrandbits(32))

        self._cuts = on_all(scene.struck(scope), cut)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """It bit if nobody answers, and there was something on each of the disks."""
        cuts = {name: cut for name, cut in self._cuts.items() if cut.files}
        silent = not scene.serving(scope)
        bit = silent and cuts.keys() == set(scope.nodes)
        kept = sum(each.bytes_kept for each in self._cuts.values())
        facts = disks.facts(self._cuts) | ({"bytes_kept": kept} if self._lose != "all" else {})
        return {"bit": bit, **facts}

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        """Who serves again was started by another hand."""
        serving = scene.serving(scope)
        return Lasted({"serving_again": serving} if serving else {})

    def end(self, scene: Scene, scope: Scope) -> None:
        scene.start(scope)


class DiskFull:
    """Fills the disk of the store's data to the last block."""

    name = "disk-full"
    traits = Traits(
        strikes="nodes",
        survives_restart=False,  # a power cut may take what fills it
        storm=Storm(1, (1.0, 4.0)),
        own_disk="root",
        spoils=True,
        needs=("data",),
        how="a disk of the store's own that has a size",
        heal=disks.heals(),
    )

    def lacks(self, host: Host) -> str | None:
        """It needs nothing but that disk."""
        return None

    def begin(self, scene: Scene, scope: Scope) -> None:
        self._on(scene, scope, _FULL)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """It bit if not one block more can be written anywhere."""
        said = self._on(scene, scope, _HAS_ROOM)
        room = sorted(name for name, word in said.items() if word)
        return {"bit": not room} | ({"room_on": room} if room else {})

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        """What fills it must be there. A store that deletes files makes room, and ends nothing."""
        said = self._on(scene, scope, '[ -e "$at/full" ] || echo gone')
        gone = sorted(name for name, word in said.items() if word)
        return Lasted({"gone_on": gone} if gone else {})

    def end(self, scene: Scene, scope: Scope) -> None:
        """Make room, and start what ended for want of it."""
        self._on(scene, scope, 'rm -f "$at/full"')
        scene.start(scope)

    def _on(self, scene: Scene, scope: Scope, lines: str) -> dict[str, str]:
        assert isinstance(scene.disk, disks.HasRoot)  # others were refused
        command = ["sh", "-c", f"{disks.PATH}at=$1\n{lines}", "disk", scene.disk.root]
        return on_all(scene.struck(scope), lambda host: str(host.run(command).stdout))
