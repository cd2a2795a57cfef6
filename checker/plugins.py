"""What can be added to Partita, and how a name finds it.

Everything of a kind is found in the same way, our own and other people's: by an entry point in
the group `partita.<kind>` (`[project.entry-points."partita.faults"]` in a `pyproject.toml`), or
by `path/to/file.py:Name`, wherever a name is asked for. Looking a name up imports that thing and
nothing else.
"""

import importlib.util
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any

# Each kind by its plural, which is the end of its group's name, and what one of it is.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "systems": "a store under test: how it is installed, started, ended and talked to",
        "capabilities": "what a workload needs of a store's clients, and a system offers",
        "workloads": "what clients do to the store, and how that is judged",
        "checks": "a question to a history, and the levels of its answer",
        "models": "what an operation does to the state of one object",
        "engines": "a way to decide whether operations on one object are linearizable",
        "faults": "what the nemesis does to hosts and processes, and how it is undone",
        "targets": "whom a fault strikes",
        "disks": "what a store's data lie on, and how it loses what was not synced",
        "formats": "a kind of history file: how it is recognised, read and written",
        "sections": "a part of a run's page",
    }
)
_SINGULAR = MappingProxyType({"capabilities": "capability"})


class PluginError(Exception):
    """A name that stands for nothing, or cannot be loaded: one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is there: its name, where it comes from, and how it is loaded."""

    name: str
    source: str  # the distribution that declares it
    point: EntryPoint


@cache
def entries(kind: str) -> Mapping[str, Entry]:
    """Return all there is of a kind (a key of `KINDS`), by name, in the order of names.

    Raises `PluginError` where two packages declare the same name.
    """
    found: dict[str, Entry] = {}
    for point in _declared().select(group=f"partita.{kind}"):
        source = point.dist.name if point.dist else "?"
        before = found.get(point.name)
        if before and before.point.value != point.value:
            raise PluginError(
                f"two packages declare {one(kind)} {point.name!r}, {before.source} and {source}: "
                "uninstall one of them"
            )
        found[point.name] = Entry(point.name, source, point)
    return MappingProxyType(dict(sorted(found.items())))


@cache
def _declared() -> Any:
    # All groups at once: each look goes through every package that is installed.
    return entry_points()


def names(kind: str) -> list[str]:
    """Return the names of all there is of a kind."""
    return list(entries(kind))


def find(kind: str, name: str) -> Any:
    """Return what a name stands for: most often a class. Raises `PluginError`.

    `name` is that of an entry point, or `path/to/file.py:Name`.
    """
    entry = entries(kind).get(name)
    if entry is not None:
        try:
            return entry.point.load()
        except Exception as error:
            raise PluginError(
                f"{one(kind)} {name}, of {entry.source}, cannot be imported: {in_a_line(error)}"
            ) from error
    if ".py:" in name:
        return _of_file(kind, name)
    raise PluginError(
        f"no {one(kind)} is called {name!r}: choose from {', '.join(names(kind))}, "
        "or give your own as path/to/file.py:Class"
    )


def find_class(kind: str, name: str) -> Callable[..., Any]:
    """Return what makes a thing of that name: a class, or a function. Raises `PluginError`."""
    found = find(kind, name)
    if not callable(found):
        raise PluginError(f"{one(kind)} {name} is no class, but of type {type(found).__name__}")
    return found  # type: ignore[no-any-return]


def one(kind: str) -> str:
    """Return the word for one of a kind: "system" for "systems"."""
    return _SINGULAR.get(kind, kind.removesuffix("s"))


def summary(thing: Any) -> str:
    """Return the first line of what a thing says about itself, without its final stop."""
    text = (getattr(thing, "__doc__", None) or "").strip()
    return text.partition("\n")[0].rstrip(".")


def in_a_line(error: BaseException) -> str:
    """Return on one line what went wrong in code that is anybody's."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def is_plain(name: Any) -> bool:
    """Say whether a name can be that of files and folders too."""
    return isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) is not None


def _of_file(kind: str, name: str) -> Any:
    path, _, attribute = name.rpartition(":")
    if not Path(path).is_file():
        raise PluginError(f"{one(kind)} {name}: there is no file {path}")
    # A name of its own: the file may be called like a module that is there.
    spec = importlib.util.spec_from_file_location(f"partita_{one(kind)}_{Path(path).stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up while they are made. Afterwards it must not be found, or
    # what it defines would travel to Dask's workers by a name that they do not know.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise PluginError(f"{path} cannot be imported: {in_a_line(error)}") from error
    finally:
        sys.modules.pop(spec.name, None)
    if not hasattr(module, attribute):
        raise PluginError(f"{path} has no class {attribute}: it defines no {attribute}")
    return getattr(module, attribute)
