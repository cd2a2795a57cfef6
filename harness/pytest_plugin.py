"""A fixture for a team's own tests: `def test_my_store(partita): partita("store.py:MyStore")`.

Each call is one run of the command in a process of its own, so that the run needs nothing of
pytest's, and a test that is interrupted heals and tears down as the command does.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

# A run, from options such as nemesis="leader-minority" or min_ok=["write=10"], to its results.
Partita = Callable[..., dict[str, Any]]

_JUDGED = (0, 1, 2)


class HarnessFailure(Exception):
    """The run could not be made: nothing was learned about the store."""


@pytest.fixture
def partita(pytestconfig: pytest.Config) -> Partita:
    """Drive a store, break its network, and fail the test unless it kept its promises.

    `partita(system, **options)` takes the options of `partita test` with underscores, for
    instance `time_limit=30`; a list repeats an option. Runs are stored in `runs/` below
    pytest's root folder. Returns the results as a dictionary. The test fails with the
    violation in plain English and the path of the report; with `check=False` it goes on.
    Raises `HarnessFailure` if the run could not be made.
    """

    def run(system: str, *, check: bool = True, **options: Any) -> dict[str, Any]:
        # -P: a folder of the team's own that is called harness or checker is not ours.
        command = [sys.executable, "-P", "-m", "partita"]
        command += ["test", system, "--json", *_flags(options)]
        done = subprocess.run(
            command, cwd=pytestconfig.rootpath, stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode not in _JUDGED or not done.stdout:
            raise HarnessFailure(f"{' '.join(command)} ended with {done.returncode}: see above")
        results: dict[str, Any] = json.loads(done.stdout)
        if check and not results["passed"]:
            reasons = [results["reason"], *results["missed"], f"{results['run']}/report.html"]
            pytest.fail("\n".join(reason for reason in reasons if reason), pytrace=False)
        return results

    return run


def _flags(options: dict[str, Any]) -> list[str]:
    flags: list[str] = []
    for name, value in options.items():
        if name == "test_count":
            raise TypeError("one call is one run: use pytest.mark.parametrize with seeds")
        if isinstance(value, bool):
            if value:
                flags.append(f"--{name.replace('_', '-')}")
            elif name == "strict_host_key_checking":  # the one that is on if nobody says
                flags.append("--no-strict-host-key-checking")
            continue
        for each in value if isinstance(value, list | tuple) else [value]:
            flags += [f"--{name.replace('_', '-')}", str(each)]
    return flags
