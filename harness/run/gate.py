"""What a run must reach to pass in continuous integration, beyond being valid.

A missed threshold fails a run whose history is valid. It does not make the history invalid: the
two are told apart in the results and in every report.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from partita.checker.checks import Limits
from partita.nemesis.schedule import in_turn

PASSED, FAILED, UNKNOWN = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Shares from 0 to 1, times in seconds; None: not asked for.

    `min_ok` maps "" (all operations of the load), an f, or "faults" (sent and acknowledged while
    each fault is in force) to a least number of operations that succeed. `of_checks` are what
    checks bring along, by check.
    """

    min_availability: float | None = None
    max_unavailability: float | None = None
    max_recovery: float | None = None
    min_ok: Mapping[str, int] = field(default_factory=dict)
    require_recovery: bool = False
    unknown_passes: bool = False
    of_checks: Mapping[str, Limits] = field(default_factory=dict)


def thresholds(
    options: Mapping[str, Any], fs: Sequence[str], of_checks: Mapping[str, Limits] | None = None
) -> Thresholds:
    """Gather the thresholds from the command line's options.

    `fs` are the operations of the workload, `of_checks` what its checks bring along. Raises
    `click.UsageError`, for a threshold that no run could miss too.
    """
    limits = Thresholds(
        min_availability=options["min_availability"],
        max_unavailability=options["max_unavailability"],
        max_recovery=options["max_recovery"],
        min_ok=_all_least(options["min_ok"]),
        require_recovery=options.get("require_recovery", False),
        unknown_passes=options["unknown"] == "pass",
        of_checks=of_checks or {},
    )
    for what in limits.min_ok:
        if what not in ("", "faults", *fs):
            raise click.UsageError(f"--min-ok {what}=…: choose from {', '.join(fs)}, faults")
    faults = options["schedule"] or in_turn(options["nemesis"] or "")
    if not faults and (limits.max_recovery is not None or "faults" in limits.min_ok):
        raise click.UsageError("--max-recovery and --min-ok faults=N need a run with faults")
    return limits


def judge(outcome: Mapping[str, Any], limits: Thresholds) -> dict[str, Any]:
    """Return `missed`, a sentence for each threshold that was missed, `certain`, and `passed`.

    `certain` are those of them that are wrong however much else of the run is in doubt.
    """
    certain = _recovery(outcome, limits)
    missed = [*_availability(outcome, limits), *_times(outcome, limits), *_counts(outcome, limits)]
    missed += [*_figures(outcome, limits), *certain]
    # What may be forgiven is a checker that could not decide, not a run that showed nothing.
    undecided = outcome["valid"] == "unknown" and not outcome["doubts"]
    good = outcome["valid"] is True or (undecided and limits.unknown_passes)
    return {"missed": missed, "certain": certain, "passed": good and not missed}


def exit_code(outcome: Mapping[str, Any]) -> int:
    """Return 0 if the run passed, 1 for what is known to be wrong, 2 if nobody knows.

    A missed threshold is known to be wrong, unless the run itself is in doubt: then its figures
    say nothing about the store. But a store that did not come back did not.
    """
    if outcome["passed"]:
        return PASSED
    trusted = outcome["missed"] and not outcome["doubts"]
    known = outcome["valid"] is False or trusted or outcome.get("certain")
    return FAILED if known else UNKNOWN


def worst(codes: Sequence[int]) -> int:
    """Return the exit code of several runs: a violation, then a broken harness, then unknown.

    Without any run nothing is known.
    """
    if not codes:
        return UNKNOWN
    broken = [code for code in codes if code not in (PASSED, FAILED, UNKNOWN)]
    for code in (FAILED, *broken, UNKNOWN):
        if code in codes:
            return code
    return PASSED


def _all_least(texts: Sequence[str]) -> dict[str, int]:
    pairs = [_least(text) for text in texts]
    for what, _ in pairs:
        if [each for each, _ in pairs].count(what) > 1:
            name = f"{what}=N" if what else "N"
            raise click.UsageError(f"--min-ok {name} is given twice: which number is meant?")
    return dict(pairs)


def _least(text: str) -> tuple[str, int]:
    what, _, number = text.rpartition("=")
    if not re.fullmatch("[0-9]{1,18}", number):
        raise click.UsageError(f"--min-ok is a number, or f=number, or faults=number, not {text!r}")
    return what, int(number)


def _availability(outcome: Mapping[str, Any], limits: Thresholds) -> list[str]:
    share, least = outcome["availability"], limits.min_availability
    if least is None or (share is not None and share >= least):
        return []
    share = "none" if share is None else f"{share:.6g}"
    return [f"availability {share} is below --min-availability {least:g}"]


def _times(outcome: Mapping[str, Any], limits: Thresholds) -> list[str]:
    missed = []
    longest, most = outcome["longest_unavailability"], limits.max_unavailability
    if most is not None and (longest is None or longest > most):
        missed.append(f"nothing was acknowledged for {longest} s, --max-unavailability is {most:g}")
    if limits.max_recovery is not None:
        missed += _recoveries(outcome["faults"], limits.max_recovery)
    return missed


def _recoveries(faults: Sequence[Mapping[str, Any]], most: float) -> list[str]:
    """Judge the recovery of the nodes that each fault had cut off from every majority."""
    needed = [fault for fault in faults if fault["recover_by_node"] or fault["heal"] is None]
    if not needed:
        return ["no node had to recover from a fault, so --max-recovery measured nothing"]
    missed = []
    for fault in needed:
        took = fault["seconds_to_recover"]
        if took is None:
            missed.append(f"not every node recovered from fault {fault['fault']}")
        elif took > most:
            missed.append(
                f"recovery from fault {fault['fault']} took {took} s, --max-recovery is {most:g}"
            )
    return missed


def _recovery(outcome: Mapping[str, Any], limits: Thresholds) -> list[str]:
    """A store that does not come back is a finding, though its final reads are missing."""
    down = outcome.get("down") or {}
    if not down or not limits.require_recovery:
        return []
    return [f"{', '.join(down)} did not come back, which --require-recovery asks for"]


def _counts(outcome: Mapping[str, Any], limits: Thresholds) -> list[str]:
    missed = []
    for what, least in limits.min_ok.items():
        if what == "faults" and not outcome["faults"]:
            missed.append("no fault was injected, so --min-ok faults=N measured nothing")
        for name, count in _succeeded(outcome, what).items():
            if count < least:
                missed.append(f"{count} {name} succeeded, --min-ok asks for {least}")
    return missed


def _figures(outcome: Mapping[str, Any], limits: Thresholds) -> list[str]:
    """Ask each check's limits about what the check measured."""
    rows = outcome.get("checks") or {}
    return [
        sentence
        for check, asked in limits.of_checks.items()
        for sentence in asked.missed(rows.get(check, {}).get("figures") or {})
    ]


def _succeeded(outcome: Mapping[str, Any], what: str) -> dict[str, int]:
    if not what:
        return {"operations": sum(outcome["load_ok"].values())}
    if what == "faults":
        faults = outcome["faults"]
        return {f"operations during fault {fault['fault']}": fault["ok"] for fault in faults}
    return {f"operations of {what}": outcome["load_ok"].get(what, 0)}
