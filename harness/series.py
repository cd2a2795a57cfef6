"""Several runs, one after the other, and what stands in reports for those that were not made."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from harness.journal import JournalError, RunsDirError
from harness.local import LocalError
from harness.progress import Progress
from harness.session import conduct
from harness.ssh import SshError
from harness.systems import StoreError

# What a run may end with, whose reason is one line: the next run may do better.
FORESEEN = (JournalError, LocalError, RunsDirError, SshError, StoreError, click.ClickException)
Options = Mapping[str, Any]


def conduct_all(
    runs: Sequence[tuple[str, Options]], runs_dir: Path
) -> tuple[list[dict[str, Any]], BaseException | None]:
    """Do the runs; return an outcome for each, and the last thing that broke one.

    An interrupt, or what nobody has foreseen, ends the series.
    """
    progress, outcomes = Progress(), list[dict[str, Any]]()
    failure: BaseException | None = None
    why = "the series was interrupted"
    try:
        for system, each in runs:
            try:
                outcomes.append(conduct(system, each, runs_dir, progress))
            except FORESEEN as error:
                failure = error  # how it came to that stands in the run's controller.log
                outcomes.append(_broken(system, each, _said(error)))
            except KeyboardInterrupt as error:
                failure = error
                break
            except Exception as error:
                failure, why = error, "an earlier run broke off"
                outcomes.append(_broken(system, each, repr(error)))
                break
            if outcomes[-1].get("interrupted"):
                break
    finally:
        progress.close()
    return outcomes + [not_run(*run, why) for run in runs[len(outcomes) :]], failure


def not_run(system: str, options: Options, why: str) -> dict[str, Any]:
    """Return what stands for the results of a run that never was."""
    return {
        "valid": "unknown",
        "passed": False,
        "missed": [],
        "doubts": [f"not run: {why}"],
        "reason": f"not run: {why}",
        "system": system,
        "workload": options["workload"],
        "seed": options["seed"],
        "run": None,
    }


def _broken(system: str, options: Options, error: str) -> dict[str, Any]:
    """Return what stands for the results of a run that could not be made."""
    said = {"error": error, "reason": error, "doubts": [error]}
    return not_run(system, options, error) | said


def _said(error: Exception) -> str:
    return error.format_message() if isinstance(error, click.ClickException) else str(error)
