"""Runs on the workers of a Dask cluster, each on a local cluster of that worker's own.

A run is `partita test` in a process of its own there: that is the command which is found in the
end, it may become root of a user namespace, and what breaks it does not take the worker along.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from partita.harness.cli import WRONG_ARGUMENTS
from partita.harness.nodes.fault_probe import faults_here
from partita.harness.systems.system import StoreError
from partita.nemesis import faults

if TYPE_CHECKING:
    from distributed import Client

Options = Mapping[str, Any]
LONG_S = 60.0  # a worker that takes longer is left to itself


class Spread:
    """Conducts runs elsewhere. What was begun ahead is not run again when it is asked for.

    `command(options)` returns the words of the run behind `partita`.
    """

    def __init__(self, client: "Client", command: Callable[[Options], Sequence[str]]) -> None:
        self._client = client
        self._command = command
        self._begun: dict[tuple[str, ...], Any] = {}

    @property
    def width(self) -> int:
        """How many runs there may be at a time: one on each worker."""
        return max(1, len(self._client.scheduler_info(n_workers=-1)["workers"]))

    def begin(self, options: Options) -> None:
        """Let a run begin, if a worker is free for it."""
        words = tuple(self._command(options))
        if words not in self._begun:
            self._begun[words] = self._client.submit(run_there, words, pure=False)

    def conduct(self, options: Options) -> dict[str, Any]:
        """Return the results of a run, which may have begun before. Raises as a run here does."""
        words = tuple(self._command(options))
        future = self._begun.pop(words, None) or self._client.submit(run_there, words, pure=False)
        outcome: dict[str, Any] = future.result()
        return outcome

    def finish(self) -> None:
        """Wait for what was begun ahead and never asked for: it takes its own cluster down."""
        for future in self._begun.values():
            with suppress(Exception):
                future.result(LONG_S)
        self._begun.clear()

    def lacking(self, disk: str) -> list[str]:
        """Return what a worker's machine lacks for faults, as `faults.lacking` does."""
        found = self._client.submit(faults_here, pure=False).result()
        of_disk = [each for each in found if (each.kind, each.name) == ("disk", disk)]
        lines = []
        for each in found:
            if each.kind == "fault":
                needs = of_disk if faults.kind_of(each.name).traits.own_disk else []
                why = [one.said for one in (each, *needs) if one.lack]
                lines += [f"{each.name} on a worker: {said}" for said in why[:1]]
        return lines


def run_there(words: Sequence[str]) -> dict[str, Any]:
    """Do a run in a process of its own and return its results."""
    command = [sys.executable, "-m", "partita", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        outcome: dict[str, Any] = json.loads(done.stdout)
        return outcome
    except ValueError:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        said = said.removeprefix("partita: ")
        error = click.UsageError if done.returncode == WRONG_ARGUMENTS else StoreError
        raise error(f"on a worker: {said}") from None
