"""The stores under test, one file each; `load_system` makes one from its name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from partita.checker.plugins import PluginError, entries, find_class, in_a_line, is_plain
from partita.checker.settings import make_with
from partita.harness.systems.commands import read_store
from partita.harness.systems.completion import complete
from partita.harness.systems.system import (
    BringsNodes,
    HasExamine,
    HasFetch,
    HasMeet,
    HasPause,
    HasPrimaries,
    HasPromises,
    HasWords,
    StoreError,
    System,
)

__all__ = [
    "BringsNodes",
    "HasExamine",
    "HasFetch",
    "HasMeet",
    "HasPause",
    "HasPrimaries",
    "HasPromises",
    "HasWords",
    "StoreError",
    "System",
    "load_system",
    "system_class",
]


def system_class(name: str) -> Callable[..., Any]:
    """Return what makes the system of that name, or the user's own.

    The user's own is named by `file.py:Class` or by the path of a `store.toml`. Raises
    `click.UsageError`.
    """
    if name.endswith(".toml"):
        return lambda: read_store(Path(name))
    try:
        found = find_class("systems", name)
    except PluginError as error:
        text = str(error)
        if text.startswith("no system is called"):
            text += " or path/to/store.toml"
        raise click.UsageError(text) from error
    return found


def load_system(name: str, options: Mapping[str, Any]) -> System:
    """Make the system of that name with these settings (None: not given).

    Raises `click.UsageError` if there is no such system, or if it cannot be made so.
    """
    make = system_class(name)
    try:
        system: System = make_with(make, options)
    except StoreError as error:
        raise click.UsageError(str(error)) from error
    except (Exception, SystemExit) as error:
        entry = entries("systems").get(name)
        if entry is not None and entry.source == "partita":
            raise
        raise click.UsageError(f"{name} could not be made: {in_a_line(error)}") from error
    try:
        lacking = complete(system)
    except Exception as error:  # a property of it, which is anybody's
        raise click.UsageError(f"{name} cannot be looked at: {in_a_line(error)}") from error
    if lacking:
        raise click.UsageError(f"{name} lacks {', '.join(lacking)}: see docs/your-own-store.md")
    if complaint := _complaint(system):
        raise click.UsageError(f"{name} {complaint}")
    return system


def _complaint(system: System) -> str | None:
    # The folder of that name is deleted on every node.
    if not is_plain(system.name):
        return f"is called {system.name!r}: use letters, digits and dashes"
    offers: Any = system.offers
    if not isinstance(offers, Mapping) or not all(map(callable, offers.values())):
        return f"must offer a mapping of capabilities to what makes a client, not {offers!r}"
    return None
