"""Histories judged by checks that are asked for by name: those of a run, or of `--expect`."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from partita.checker import Counterexample, History, Order, Verdict
from partita.checker.checks import Check, HasLimits
from partita.checker.linearizability.linearizability import Linearizability
from partita.checker.plugins import find, names
from partita.checker.settings import make_with
from partita.harness.run.any_run import further, judged_after, worse
from partita.harness.run.judging import Row, deciding, judged, notes
from partita.harness.run.levels import expected


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a history: checks, and levels in the form of a run.json."""

    checks: Sequence[Check]
    levels: Mapping[str, Mapping[str, str | None]]
    after: Sequence[Check] = ()  # those of any run, which can only make it worse
    strict: bool = True  # a history that is broken is refused; that of a run is only unknown

    def answer(self, history: History) -> tuple[Verdict, list[str], dict[str, Row]]:
        """Return the verdict that decides, what else to say, and what each check says."""
        rows = judged(history, self.checks, self.levels, strict=self.strict)
        after = judged_after(history, self.after, self.levels)
        row, rows = worse(deciding(rows), after), rows | after
        known = row["valid"] is True or row["valid"] is False
        verdict = Verdict(
            valid=row["valid"] if known else "unknown",
            engine=row["engine"] or row["check"],
            model=row["model"] or row["check"],
            operations=len(history),
            keys=row["keys"],
            seconds=sum(each["seconds"] for each in rows.values()),
            counterexample=_counterexample(row),
            reason=None
            if known
            else row["reason"] or "nothing was promised: --expect names a level to be reached",
            details=row["figures"],
            find_order=self._finds_order(history),
        )
        return verdict, notes(rows), rows

    def _finds_order(self, history: History) -> Callable[[], Order | str] | None:
        """Return what finds an order, if it was asked whether there is one."""
        own = [each for each in self.checks if isinstance(each, Linearizability)]
        if not own:
            return None

        def find_order() -> Order | str:
            verdict = own[0].verdict_on(history)
            return verdict.order or verdict.why_no_order or "no order was found"

        return cache(find_order)


def of_run(run: Mapping[str, Any], expect: Sequence[str], given: Mapping[str, Any]) -> Asked:
    """Return what was asked in a stored run; `expect` overrides it.

    Of what is `given`, the limits of time and memory are obeyed where something is searched.

    Raises `click.UsageError` for a level that its checks do not have, or if the run's workload is
    not here.
    """
    # Here, because checking a file must not pay for what makes runs: it speaks SSH.
    from partita.harness.run.owners import workload_of

    workload = workload_of(run)
    checks, after = [_limited(check, given) for check in workload.checks], further(workload)
    said = expected(expect, [*checks, *after], f"workload {run.get('workload')}")
    levels = {
        "promised": run.get("promised") or {},
        "expect": {**(run.get("expect") or {}), **said},
    }
    return Asked(checks, levels, after, strict=False)


def _limited(check: Check, given: Mapping[str, Any]) -> Check:
    if not isinstance(check, HasLimits):
        return check
    return check.within(given["time_limit"], given["memory_limit"])


def of_file(expect: Sequence[str], given: Mapping[str, Any], model: Callable[[], str]) -> Asked:
    """Return what `--expect` asks of a history of any origin.

    `given` are settings, of which each check takes those that it has; a check that takes a model is
    made with what `model` says. Raises `click.UsageError`.
    """
    makers = [find("checks", name) for name in names("checks")]
    checks = [_made(make, given) for make in makers]  # to see their levels; the model comes later
    levels = expected(expect, checks, "a history")
    made = {check.name: make for check, make in zip(checks, makers, strict=True)}
    return Asked([_made(made[name], given, model) for name in levels], {"expect": levels})


def of_one(name: str, given: Mapping[str, Any]) -> Asked:
    """Return one check, of which its own level is asked."""
    return Asked([_made(find("checks", name), given)], {})


def _made(
    make: Any, given: Mapping[str, Any], model: Callable[[], str] = lambda: "cas-register"
) -> Check:
    takes = inspect.signature(make).parameters
    settings = {name: value for name, value in given.items() if name in takes}
    check: Check = make_with(make, {"model": model(), **settings} if "model" in takes else settings)
    return check


def _counterexample(row: Row) -> Counterexample | None:
    if row["valid"] is not False or not row["explanation"]:
        return None
    return Counterexample(tuple(row["counterexample"]), row["explanation"], row["key"])
