"""The stores under test, one file each."""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from partita.harness.systems.commands import read_store
from partita.harness.systems.completion import complete
from partita.harness.systems.consul import Consul
from partita.harness.systems.etcd import Etcd
from partita.harness.systems.raft import Raft
from partita.harness.systems.system import HasPause, HasPrimaries, StoreError, System
from partita.harness.systems.zookeeper import ZooKeeper

SYSTEMS: Mapping[str, Callable[..., System]] = {
    "zookeeper": ZooKeeper,
    "etcd": Etcd,
    "consul": Consul,
    "raft": Raft,
}

__all__ = ["SYSTEMS", "HasPause", "HasPrimaries", "StoreError", "System", "load_system"]


def load_system(name: str, options: Mapping[str, Any]) -> System:
    """Make the system of that name, or the user's own, by `file.py:Class` or `store.toml`.

    `options` are those of the command line that shape the system, by the names of its
    parameters; what is None or empty was not given. Raises `click.UsageError` if there is no
    such system, or if it does not take what was given.
    """
    make = SYSTEMS.get(name) or _own(name)
    given = {option: value for option, value in options.items() if value not in (None, ())}
    taken = inspect.signature(make).parameters
    for option in given:
        if option not in taken:
            raise click.UsageError(f"{name} takes no --{option.replace('_', '-')}")
    reads, known = given.get("reads"), getattr(make, "READS", ())
    if reads is not None and known and reads not in known:
        raise click.UsageError(f"{name} has no --reads {reads}: choose from {', '.join(known)}")
    try:
        system: System = make(**given)
    except StoreError as error:
        raise click.UsageError(str(error)) from error
    except (Exception, SystemExit) as error:
        if name in SYSTEMS:
            raise
        raise click.UsageError(f"{name} could not be made: {_named(error)}") from error
    lacking = complete(system) if name not in SYSTEMS else []
    if lacking:
        raise click.UsageError(f"{name} lacks {', '.join(lacking)}: see docs/your-own-store.md")
    return system


def _own(name: str) -> Callable[..., Any]:
    """Return what makes the user's own system: a store.toml, or a class in a file."""
    if name.endswith(".toml"):
        return lambda: read_store(Path(name))
    path, _, attribute = name.rpartition(":")
    if not path.endswith(".py") or not attribute:
        raise click.UsageError(
            f"no system is called {name!r}: choose from {', '.join(SYSTEMS)}, "
            "or give your own as path/to/file.py:Class or path/to/store.toml"
        )
    if not Path(path).is_file():
        raise click.UsageError(f"no file {path}")
    # A name of its own: the file may be called like a module that is there.
    spec = importlib.util.spec_from_file_location(f"partita_store_{Path(path).stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise click.UsageError(f"{path} cannot be imported: {_named(error)}") from error
    if not hasattr(module, attribute):
        raise click.UsageError(f"{path} has no class {attribute}")
    own: Callable[..., Any] = getattr(module, attribute)
    return own


def _named(error: BaseException) -> str:
    """Return an error of the user's code in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
