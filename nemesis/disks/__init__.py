"""What a store's data can lie on for a run, one kind a file, and how a name finds one (`--disk`).

Only if they lie on a disk of their own can one node lose its power, or have a full disk, while the
machine goes on.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from partita.checker import plugins
from partita.nemesis.hosts import Host, on_all

PLAIN = "plain"  # none of their own
DEFAULT = "ext4"  # where a fault needs one, and none is asked for
Lose = Literal["all", "some", "torn"]

# For hosts whose users have no tools of an administrator.
PATH = 'PATH="$PATH:/usr/sbin:/sbin"\n'

log = logging.getLogger(__name__)


class Disk(Protocol):
    """A kind of disk: what a host needs for it, and how it gets one, and is rid of it.

    What faults need besides (`Traits.own_disk`) are further attributes, which a kind has or not.
    `how` says in a few words what it is. `heal` are shell lines by which a host has its disk again,
    whatever became of it, and `take` those that take it away, with all that is on it. Neither does
    harm where there is none.
    """

    @property
    def name(self) -> str: ...
    @property
    def how(self) -> str: ...
    @property
    def heal(self) -> str: ...
    @property
    def take(self) -> str: ...

    def lacks(self, host: Host) -> str | None:
        """Say in one line why the host cannot have it, found out by trying; None if it can."""

    def put(self, host: Host, data: str) -> None:
        """Give the host one, mounted at the folder where the store keeps its data."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A kind of disk, and what hosts lack for it, None: nothing."""

    disk: Disk
    lack: str | None


@dataclass(frozen=True, slots=True)
class Cut:
    """What a power cut did to a disk: the files that were there, and what became of them.

    `writes_lost` is None where nobody sees single writes.
    """

    files: int
    changed: int
    bytes_lost: int
    bytes_kept: int
    writes_lost: int | None = None


@runtime_checkable
class LosesPower(Protocol):
    """A disk that can lose its power."""

    def cut(self, host: Host, lose: Lose, seed: int) -> Cut:
        """Take the power, and give it back: what was never synced is lost.

        `lose`: all of that, or only some ("some"), or all but the first sectors of what each file
        had ("torn"), as the seed has it. Whoever had files open on it must be gone.
        """


@runtime_checkable
class HasRoot(Protocol):
    """A disk that can be full, for it has a size of its own."""

    @property
    def root(self) -> str:
        """A folder on it that is not the store's."""


def names() -> list[str]:
    """Return the names of all kinds that are installed."""
    return plugins.names("disks")


def find(name: str) -> Disk:
    """Return the disk of that kind. Raises `PluginError`."""
    found: Disk = plugins.find_class("disks", name)()
    return found


def having(what: str) -> list[Disk]:
    """Return the kinds of disks that have what a fault needs."""
    return [each for each in _all() if hasattr(each, what)]


def tried(hosts: Sequence[Host]) -> list[Tried]:
    """Try on these hosts which disks of a store's own can be had; disturbs nobody."""
    found = []
    for disk in _all():
        if disk.name != PLAIN:
            lacks = filter(None, on_all(hosts, disk.lacks).values())
            found.append(Tried(disk, "; ".join(dict.fromkeys(lacks)) or None))
    return found


def take(host: Host) -> None:
    """Take from a host whatever disk it has, with all that is on it. Harmless without one."""
    host.run(["sh", "-c", PATH + _each(each.take for each in _all()), "take the disk"])


def heals() -> str:
    """Return the shell lines by which a host has its disk again, of whichever kind."""
    return PATH + _each(each.heal for each in _all())


def facts(cuts: Mapping[str, Cut]) -> dict[str, int]:
    """Return what cuts did, in all."""
    counted = [each.writes_lost for each in cuts.values() if each.writes_lost is not None]
    return {
        "files": sum(each.files for each in cuts.values()),
        "files_changed": sum(each.changed for each in cuts.values()),
        "bytes_lost": sum(each.bytes_lost for each in cuts.values()),
    } | ({"writes_lost": sum(counted)} if counted else {})


def _all() -> list[Disk]:
    found = []
    for name in names():
        try:
            found.append(find(name))
        except plugins.PluginError as error:  # then no run can have used it either
            log.warning("%s", error)
    return found


def _each(lines: Iterable[str]) -> str:
    """Return all of them as one script, which fails if one of them does."""
    apart = [f"(\n{each}\n) || failed=1\n" for each in lines if each]
    return f'failed=0\n{"".join(apart)}exit "$failed"\n'
