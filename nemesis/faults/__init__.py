"""The faults, one family a file, and how a name finds one."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from types import MappingProxyType
from typing import Any

from partita.checker import plugins
from partita.checker.settings import REQUIRED, Parameter, SettingError, made
from partita.checker.settings import parameters as parameters_of
from partita.nemesis import disks
from partita.nemesis.fault import Fault, HasLength, Traits
from partita.nemesis.hosts import Host, on_all
from partita.nemesis.targets import Target

Kinds = Mapping[str, Callable[..., Fault]]

log = logging.getLogger(__name__)

# A target that stands alone where a fault is to be named: `--nemesis leader-minority`.
DEFAULT = "partition"
NONE: Kinds = MappingProxyType({})
_CLOSEST = 4  # so many names are told that may be meant
_NEEDED = ("name", "traits", "lacks", "begin", "prove", "lasted", "end")


def names() -> list[str]:
    """Return the names of all faults that are installed."""
    return plugins.names("faults")


def parameters(name: str) -> tuple[Parameter, ...]:
    """Return the settings of a fault, by its name or `path/to/file.py:Class`."""
    return parameters_of(kind_of(name))


def kind_of(name: str) -> Any:
    """Return the class of a fault, which has all that a fault needs. Raises `PluginError`."""
    kind = plugins.find_class("faults", name)
    if lacking := [each for each in _NEEDED if not hasattr(kind, each)]:
        raise plugins.PluginError(f"fault {name} has no {' and no '.join(lacking)}")
    if not isinstance(kind.traits, Traits):  # type: ignore[attr-defined]
        raise plugins.PluginError(f"fault {name}: its traits are no Traits(…)")
    return kind


def make(name: str, settings: Mapping[str, Any], kinds: Kinds = NONE) -> Fault:
    """Make a fault with settings, as `values` returns them.

    `kinds` are made another way here, with the same settings. Raises `PluginError` for a name
    that stands for nothing, and `SettingError`.
    """
    known = parameters(name)
    lacking = [each.name for each in known if each.default is REQUIRED]
    for setting in lacking:
        if settings.get(setting) is None:
            raise SettingError(f"fault {name} needs {setting}, such as {setting}=…")
    fault: Fault = made(f"fault {name}", kinds.get(name) or kind_of(name), settings)
    return fault


def values(name: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return what the texts of a fault's settings stand for. Raises `PluginError`."""
    known = {each.name: each for each in parameters(name)}
    found = {}
    for setting, text in texts.items():
        if setting not in known:
            there = f"choose from {', '.join(known)}" if known else "it has none"
            raise SettingError(f"fault {name} has no setting {setting!r}: {there}")
        try:
            found[setting] = known[setting].read(text)
        except SettingError as error:
            raise SettingError(f"fault {name}, {setting}: {error}") from error
    return found


def targets_of(name: str) -> list[str]:
    """Return the names of the targets that a fault takes."""
    traits: Traits = kind_of(name).traits
    every: list[tuple[str, Target[Any]]] = [
        (place, plugins.find("targets", place))
        for place in plugins.names("targets")
        if place not in traits.refuses
    ]
    return [place for place, target in every if target.suits(traits.strikes)]


def length_of(fault: Fault, session_s: float | None) -> float | None:
    """Return for how many seconds a fault is to be in force, None: as long as the schedule says."""
    return fault.lasts(session_s) if isinstance(fault, HasLength) else None


def target_called(name: str) -> Target[Any] | None:
    """Return the target of that name, or None: then these are nodes' names."""
    found: Target[Any] | None = (
        plugins.find("targets", name) if name in plugins.names("targets") else None
    )
    return found


def parse_name(text: str) -> tuple[str, str]:
    """Read "kill-leader", "file.py:Class-all" or a bare target as the names of fault and target.

    Raises `PluginError`.
    """
    places = plugins.names("targets")
    if text in names() and (meant := kind_of(text).traits.target):
        return text, meant
    if text in places and text in targets_of(DEFAULT):
        return DEFAULT, text
    # The longest name first: a fault's own name may hold dashes, and another's name.
    for place in sorted(places, key=len, reverse=True):
        fault = text.removesuffix(f"-{place}")
        if fault != text and (fault in names() or ".py:" in fault):
            if place in targets_of(fault):
                return fault, place
            break
    raise plugins.PluginError(_no_nemesis(text))


def _no_nemesis(text: str) -> str:
    """Say what a name lacks that stands for no fault with a target, or what it may mean."""
    meant = text if text in names() else None
    if meant is None:
        begins = [name for name in names() if text.startswith(f"{name}-")]
        meant = max(begins, key=len, default=None)
    if meant is not None:
        places = targets_of(meant)
        place = "leader" if "leader" in places else places[0]
        if text == meant:
            return f"{text} needs a target, such as {text}-{place}: choose from {', '.join(places)}"
        wrong = text.removeprefix(f"{meant}-")
        return f"{meant} has no target {wrong!r}: choose from {', '.join(places)}"
    if ".py:" in text:
        return f"{text} needs a target that suits it, such as {text}-all: partita list targets"
    close = get_close_matches(text, [*choices(), "random", "none"], n=_CLOSEST)
    if close:
        return f"no nemesis is called {text!r}: did you mean {', '.join(close)}?"
    return (
        f"no nemesis is called {text!r}: write a fault and its target, such as kill-leader, or "
        "random (partita list faults, partita list targets)"
    )


def choices() -> list[str]:
    """Return all that `parse_name` reads, of what is installed and can be loaded."""
    combined = []
    for name in names():
        with suppress(plugins.PluginError):  # `partita list` tells of it
            combined += [name] if kind_of(name).traits.target else []
            combined += [f"{name}-{place}" for place in targets_of(name) if name != DEFAULT]
    return [*targets_of(DEFAULT), *combined]


def lacking(
    hosts: Sequence[Host], made: Collection[Fault], disk: disks.Disk | None = None
) -> list[str]:
    """Say what hosts lack for these faults, a line each. Nothing is done to anyone.

    Faults that need a disk of the store's own need this one, if there is to be one.
    """

    def lacks(fault: Fault, host: Host) -> str | None:
        lack = fault.lacks(host)
        return disk.lacks(host) if lack is None and disk and fault.traits.own_disk else lack

    kinds = {fault.name: fault for fault in made}
    said = {name: on_all(hosts, partial(lacks, fault)) for name, fault in kinds.items()}
    return [
        f"{name} on {host}: not available here: {lack}"
        for name, answers in said.items()
        for host, lack in answers.items()
        if lack
    ]


@dataclass(frozen=True, slots=True)
class Available:
    """Whether a fault can be had: by what it is done, and what hosts lack for it, None: nothing.

    The same of a disk of a store's own, if that is its `kind`.
    """

    name: str
    how: str
    lack: str | None
    kind: str = "fault"

    @property
    def said(self) -> str:
        """The same in one line."""
        if self.lack is not None:
            return f"not available here: {self.lack}"
        return f"yes, by {self.how}" if self.how else "yes"


def available(hosts: Sequence[Host], clients: Sequence[Host] = ()) -> list[Available]:
    """Try on these hosts whether they can have each of the faults there are; disturbs nobody.

    `clients` are hosts of clients, on which those faults are tried that strike such hosts. Then the
    kinds of disks follow that some faults need.
    """
    found = []
    tried = disks.tried(hosts)
    for name in names():
        try:
            kind = kind_of(name)
            fault = make(name, {})
        except plugins.PluginError as error:  # one that is broken, or has no defaults
            found.append(Available(name, "", str(error)))
            continue
        where = clients if kind.traits.strikes == "clients" else hosts
        if not where:  # nobody to ask
            continue
        lacks = on_all(where, fault.lacks)
        lack = "; ".join(dict.fromkeys(filter(None, lacks.values()))) or None
        how, of_disk = _on_disks(kind.traits, tried)
        found.append(Available(name, how, lack or of_disk))
    of_disks = [Available(each.disk.name, each.disk.how, each.lack, "disk") for each in tried]
    return found + of_disks


def _on_disks(traits: Traits, tried: Sequence[disks.Tried]) -> tuple[str, str | None]:
    """Say by what a fault is done, on which disks; or why on none, if it needs one."""
    if not traits.own_disk:
        return traits.how, None
    fitting = [each for each in tried if hasattr(each.disk, traits.own_disk)]
    there = [f"--disk {each.disk.name}" for each in fitting if each.lack is None]
    if there:
        return f"{traits.how} ({', '.join(there)})", None
    return traits.how, "; ".join(f"--disk {each.disk.name}: {each.lack}" for each in fitting)


def heals(more: Collection[Fault] = ()) -> str:
    """Return the shell script by which a host undoes every fault there is, and `more`, alone."""
    found: dict[str, str] = {}
    for name in names():
        try:
            kind = kind_of(name)
        except plugins.PluginError as error:  # it cannot have been begun either
            log.warning("%s", error)
            continue
        found[name] = kind.traits.heal
    found |= {fault.name: fault.traits.heal for fault in more}
    lines = [f"(\n{heal}\n) || status=1" for heal in dict.fromkeys(found.values()) if heal]
    return "\n".join(["status=0", *lines, "exit $status", ""])
