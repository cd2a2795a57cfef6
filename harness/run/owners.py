"""Whose an option is: the system's, the workload's, a fault's, or, a threshold, a check's.

Each declares its own by the parameters of its constructor (`checker/settings.py`). The command
line makes options of them for what is named on the line; here their values are read and handed to
their owner.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from partita.checker.checks import Check, HasThresholds, Limits
from partita.checker.plugins import PluginError, find_class
from partita.checker.settings import (
    REQUIRED,
    Parameter,
    SettingError,
    in_force,
    made,
    parameters,
)
from partita.harness.run.fitting import refuse_unfit
from partita.harness.systems import system_class
from partita.workloads.workload import Workload


@dataclass(frozen=True, slots=True)
class Owner:
    """Something that has options. `prefix` stands before their names on the command line."""

    kind: str
    name: str
    make: Callable[..., Any]
    prefix: str = ""

    def parameters(self) -> Sequence[Parameter]:
        return parameters(self.make)

    def option(self, parameter: Parameter) -> str:
        """Return how a parameter is written on the command line."""
        return "--" + self.key(parameter).replace("_", "-")

    def key(self, parameter: Parameter) -> str:
        """Return the name of a parameter among the options of a run."""
        return parameter.name if parameter.about.alone else f"{self.prefix}{parameter.name}"

    def settings(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Read what was given for it. Raises `click.UsageError` for what does not fit or lacks."""
        found = self.given(options)
        for each in self.parameters():
            if each.default is REQUIRED and each.name not in found:
                raise click.UsageError(f"{self.name} needs {self.option(each)}")
        return found

    def given(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Read what was given for it, which may lack what it needs."""
        return {
            each.name: self._read(each, options[self.key(each)])
            for each in self.parameters()
            if options.get(self.key(each)) is not None
        }

    def in_force(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return all its settings, the defaults too, as `run.json` keeps them."""
        return in_force(self.make, self.settings(options))

    def _read(self, parameter: Parameter, given: Any) -> Any:
        option = self.option(parameter)
        try:
            return parameter.taken(given)
        except SettingError as error:
            if parameter.choices:
                known = ", ".join(parameter.choices)
                text = f"{self.name} has no {option} {given}: choose from {known}"
            else:
                text = f"{option}: {error}"
            raise click.UsageError(text) from error


def system_owner(name: str) -> Owner:
    """Return the owner that a system is. Raises `click.UsageError`."""
    return Owner("system", name, system_class(name))


def workload_owner(name: str) -> Owner:
    """Return the owner that a workload is. Raises `click.UsageError`."""
    return _found("workload", name)


def workload_of(run: Mapping[str, Any]) -> Workload:
    """Make the workload of a stored run, from its run.json. Raises `click.UsageError`."""
    options = run.get("arguments") or {}
    name = options.get("workload") or run.get("workload")
    if not name:
        raise click.UsageError("the run's run.json does not say which workload it had")
    return make_workload(name, options)


def make_workload(name: str, options: Mapping[str, Any]) -> Workload:
    """Make the workload of that name with these options of a run.

    Raises `click.UsageError` for what does not fit, and `PluginError` for a workload that cannot
    be made or lacks something.
    """
    owner = workload_owner(name)
    workload: Workload = made(f"workload {name}", owner.make, owner.settings(options))
    refuse_unfit(name, workload)
    return workload


def check_owners(workload: str) -> list[Owner]:
    """Return the owners of the thresholds that the checks of a workload bring along.

    The checks are those of the workload as it is without options. Raises `click.UsageError`, and
    `PluginError` for a workload that cannot be made.
    """
    make = workload_owner(workload).make
    needs = any(each.default is REQUIRED for each in parameters(make))
    checks = getattr(make if needs else made(f"workload {workload}", make, {}), "checks", ())
    return thresholds_of(checks if isinstance(checks, Sequence) else ())


def thresholds_of(checks: Iterable[Check]) -> list[Owner]:
    """Return the owners of the thresholds that checks bring along."""
    return [
        Owner("check", check.name, check.thresholds)
        for check in checks
        if isinstance(check, HasThresholds)
    ]


def limits_given(checks: Iterable[Check], options: Mapping[str, Any]) -> dict[str, Limits]:
    """Make the limits of those checks of whose thresholds any was given. Raises `UsageError`."""
    given = {owner: owner.given(options) for owner in thresholds_of(checks)}
    return {
        owner.name: made(f"the thresholds of {owner.name}", owner.make, settings)
        for owner, settings in given.items()
        if settings
    }


def fault_owner(name: str) -> Owner:
    """Return the owner that a fault is; its options begin with its name."""
    return _found("fault", name, prefix=f"{name.rpartition(':')[2].replace('-', '_').lower()}_")


def _found(kind: str, name: str, prefix: str = "") -> Owner:
    try:
        return Owner(kind, name, find_class(f"{kind}s", name), prefix)
    except PluginError as error:
        raise click.UsageError(str(error)) from error
