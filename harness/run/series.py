"""Several runs, one after the other, and what stands in reports for those that were not made."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from partita.harness.cli import HARNESS_FAILED, code_of, said
from partita.harness.run.progress import Progress
from partita.harness.run.session import conduct

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
            except KeyboardInterrupt as error:
                failure = error
                break
            except (Exception, SystemExit) as error:  # the next run may do better, if we know why
                failure, why = error, "an earlier run broke off"
                outcomes.append(_broken(system, each, error))
                if code_of(error) is None:
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


def _broken(system: str, options: Options, error: BaseException) -> dict[str, Any]:
    """Return what stands for the results of a run that could not be made."""
    code = code_of(error)
    text = repr(error) if code is None else said(error)
    known = {"error": text, "reason": text, "doubts": [text]}
    return not_run(system, options, text) | known | {"exit_code": code or HARNESS_FAILED}
