"""The stores under test, one file each."""

import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from harness.systems.system import HasPrimaries, StoreError, System
from harness.systems.zookeeper import ZooKeeper

SYSTEMS: Mapping[str, Callable[..., System]] = {"zookeeper": ZooKeeper}

__all__ = ["SYSTEMS", "HasPrimaries", "StoreError", "System", "load_system"]


def load_system(name: str, reads: str | None) -> System:
    """Return the system of that name, or the class of the user's own `path/to/file.py:Class`.

    Raises `click.UsageError` if there is none, or if it has no such way to read.
    """
    make = SYSTEMS.get(name) or _own(name)
    known = getattr(make, "READS", ())
    if reads is not None and reads not in known:
        choice = f"choose from {', '.join(known)}" if known else "it has only one way to read"
        raise click.UsageError(f"{name} has no --reads {reads}: {choice}")
    return make() if reads is None else make(reads=reads)


def _own(name: str) -> Callable[..., Any]:
    path, _, attribute = name.rpartition(":")
    if not path.endswith(".py") or not attribute:
        raise click.UsageError(
            f"no system is called {name!r}: choose from {', '.join(SYSTEMS)}, "
            "or give your own as path/to/file.py:Class"
        )
    if not Path(path).is_file():
        raise click.UsageError(f"no file {path}")
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if not hasattr(module, attribute):
        raise click.UsageError(f"{path} has no class {attribute}")
    own: Callable[..., Any] = getattr(module, attribute)
    return own
