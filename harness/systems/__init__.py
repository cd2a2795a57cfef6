"""The stores under test, one file each; `load_system` makes one from its name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from partita.checker.plugins import PluginError, find, names
from partita.checker.settings import make_with
from partita.harness.systems.commands import read_store
from partita.harness.systems.completion import complete
from partita.harness.systems.system import (
    HasFetch,
    HasPause,
    HasPrimaries,
    HasPromises,
    StoreError,
    System,
)

__all__ = [
    "HasFetch",
    "HasPause",
    "HasPrimaries",
    "HasPromises",
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
        found: Callable[..., Any] = find("systems", name)
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
        if name in names("systems"):
            raise
        text = " ".join(f"{type(error).__name__}: {error}".split())
        raise click.UsageError(f"{name} could not be made: {text}") from error
    if lacking := complete(system):
        raise click.UsageError(f"{name} lacks {', '.join(lacking)}: see docs/your-own-store.md")
    return system
