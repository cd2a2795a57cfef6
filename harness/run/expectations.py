"""What a system promises of what a run's checks ask."""

from collections.abc import Mapping
from typing import Any

from partita.checker.plugins import PluginError, in_a_line
from partita.harness.run.any_run import checks_of
from partita.harness.systems import HasPromises, System
from partita.workloads.workload import Workload


def promised(system: System, workload: Workload) -> dict[str, str | None]:
    """Return the level that the system promises, for each check that it says something about.

    Raises `PluginError` for a promise that no check can hold it to.
    """
    if not isinstance(system, HasPromises):
        return {}
    try:
        said: Any = system.promises(workload.capability)
    except Exception as error:  # it is anybody's
        raise PluginError(f"promises() of {system.name} failed: {in_a_line(error)}") from error
    if not isinstance(said, Mapping):
        raise PluginError(f"promises() of {system.name} must map checks to levels, not {said!r}")
    checks = checks_of(workload)
    for check in checks:
        level = said.get(check.name)
        if level is not None and level not in check.levels:
            raise PluginError(
                f"{system.name} promises {level!r} for {check.name}, "
                f"whose levels are {', '.join(check.levels)}"
            )
    return {check.name: said[check.name] for check in checks if check.name in said}
