"""Runs side by side: what two versions, settings or stores make of the same faults."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from partita.checker import OUTCOMES
from partita.reports.drawing import STYLE, WIDTH_INCHES, due_s, latencies_ms, log_latencies
from partita.reports.facts import settings_of
from partita.reports.figures.availability import Bools, Floats, by_second
from partita.reports.palette import INK, fault_colour
from partita.reports.sentences import brief_checks, verdict_word
from partita.reports.stored import RunError, StoredRun

# Told apart by the colour-blind, and by their dashes besides.
LINES: tuple[tuple[str, Any], ...] = (
    ("#1f5fa8", "-"),
    ("#e07b00", (0, (5, 1.5))),
    ("#a31358", (0, (2, 1))),
    ("#2f8f6b", (0, (6, 1, 1, 1))),
)
RUNS_MAX = len(LINES)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table: the names of its columns (runs), and rows of a name and a value for each run."""

    names: list[str]
    rows: list[tuple[str, list[str]]]


def compare(runs: Sequence[StoredRun]) -> Comparison:
    """Compare runs of one workload. Raises `RunError` where that would say nothing."""
    if len(runs) < 2:
        raise RunError("a comparison takes two runs at least")
    if len(runs) > RUNS_MAX:
        raise RunError(f"at most {RUNS_MAX} runs can be compared at once, not {len(runs)}")
    workloads = {run.spec.get("workload") for run in runs}
    if len(workloads) > 1:
        said = " and ".join(sorted(map(str, workloads)))
        raise RunError(f"runs of different workloads cannot be compared: {said}")
    for run in runs:
        if not _ok(run).any():
            raise RunError(
                f"no operation of {run.directory} succeeded: there is nothing to compare"
            )
    columns = [_column(run) for run in runs]
    verdict, *others = [(name, [column[name] for column in columns]) for name in columns[0]]
    checks = _union([brief_checks(run.results) for run in runs])
    settings = _union([dict(settings_of(run.spec)) for run in runs])
    rows = [verdict, *checks, *settings, *others]
    return Comparison([_name(run) for run in runs], rows)


def _union(columns: Sequence[Mapping[str, str]]) -> list[tuple[str, list[str]]]:
    """Rows for all that any of the runs has: one may have a check or a setting, another not."""
    names = dict.fromkeys(name for column in columns for name in column)
    return [(name, [column.get(name, "—") for column in columns]) for name in names]


def _name(run: StoredRun) -> str:
    return f"{run.spec.get('system', '?')} {run.directory.name}"


def _column(run: StoredRun) -> dict[str, str]:
    results, spec = run.results, run.spec
    faults = results["faults"]
    return {
        "verdict": verdict_word(results),
        "version": _version(run),
        "seed": str(spec.get("seed", "—")),
        "nodes": str(len(run.nodes)),
        "concurrency": str(spec.get("concurrency") or "—"),
        "time limit": _limit(spec, "time_limit"),
        "time-out": _limit(spec, "timeout"),
        "rate": f"{spec.get('rate') or 0:g} Hz",
        "operations": f"{results['operations']:,}",
        "ok": f"{results['ok']:,}",
        "fail": f"{results['fail']:,}",
        "info": f"{results['info']:,}",
        "lost": str(results.get("lost") if results.get("lost") is not None else "—"),
        "faults": ", ".join(f"{f['action']} {f['target']}" for f in faults) or "none",
        "availability": _percent(results["availability"]),
        "network allowed": _percent(results["quorum_bound"]),
        "longest unavailability": f"{results['longest_unavailability']:.1f} s",
        "slowest first write": _slowest(faults, "seconds_to_new_leader"),
        "slowest recovery": _slowest(faults, "seconds_to_recover"),
        "median latency": _quantile(run, 0.5),
        "99 % latency": _quantile(run, 0.99),
    }


def _limit(spec: Mapping[str, Any], name: str) -> str:
    return f"{spec[name]:g} s" if spec.get(name) else "—"


def _version(run: StoredRun) -> str:
    versions = run.spec.get("versions") or {}
    return str(versions.get(run.spec.get("system", ""), "—"))


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share:.1%}"


def _slowest(faults: Sequence[dict[str, float | None]], name: str) -> str:
    known = [value for fault in faults if (value := fault[name]) is not None]
    return f"{max(known):.1f} s" if known else "—"


def _quantile(run: StoredRun, quantile: float) -> str:
    latencies = latencies_ms(run)[_ok(run)]
    return f"{np.quantile(latencies, quantile):,.1f} ms" if len(latencies) else "—"


def _ok(run: StoredRun) -> Bools:
    history = run.history
    ok: Bools = (history.outcome == OUTCOMES.index("ok")) & (history.completed_ns >= 0)
    return ok


def overlaid(runs: Sequence[StoredRun]) -> Figure:
    """Availability and latency (median, and 99 % thinner) of up to four runs over each other."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_INCHES, 5.4), layout="constrained")
        top, bottom = figure.subplots(2, 1, sharex=True)
        end = max(run.end for run in runs) / 1e9
        width = max(1.0, float(np.ceil(end / 100)))
        for run, (colour, dash) in zip(runs, LINES, strict=False):
            _availability(top, run, colour, dash, width)
            _latency(bottom, run, colour, dash, width)
        for axes in (top, bottom):
            _bands(axes, runs[0])
        top.set_ylim(0, 1.04)
        top.yaxis.set_major_formatter(PercentFormatter(1))
        top.set_ylabel("Availability")
        log_latencies(bottom)
        bottom.set_ylabel(f"Latency of ok, {width:g} s windows")
        bottom.set_xlim(0, end)
        bottom.set_xlabel("Time since the run began (s)")
        handles = [
            Line2D([], [], color=colour, ls=dash, lw=2, label=_name(run))
            for run, (colour, dash) in zip(runs, LINES, strict=False)
        ]
        figure.legend(handles=handles, loc="outside lower center", ncol=2)
    return figure


def _availability(axes: Axes, run: StoredRun, colour: str, dash: Any, width: float) -> None:
    windows = by_second(run.load)
    values = _binned(windows.start_s, windows.overall, width, np.mean)
    edges = np.arange(len(values) + 1) * width
    axes.stairs(values, edges, baseline=None, color=colour, ls=dash, lw=1.8)


def _latency(axes: Axes, run: StoredRun, colour: str, dash: Any, width: float) -> None:
    ok = _ok(run)
    for quantile, line in ((0.5, 1.8), (0.99, 0.9)):
        reduce = partial(np.quantile, q=quantile)
        values = _binned(due_s(run)[ok], latencies_ms(run)[ok], width, reduce)
        edges = np.arange(len(values) + 1) * width
        axes.stairs(values, edges, baseline=None, color=colour, ls=dash, lw=line)


def _binned(x: Floats, y: Floats, width: float, reduce: Callable[[Floats], Any]) -> Floats:
    known = ~np.isnan(y)
    window, y = (x[known] / width).astype(np.int64), y[known]
    groups = [y[window == number] for number in range(int(window.max(initial=-1)) + 1)]
    return np.array([reduce(each) if len(each) else np.nan for each in groups])


def _bands(axes: Axes, run: StoredRun) -> None:
    """The faults of the first run: those of the others are meant to be the same."""
    for fault in run.faults:
        begin, end = fault.begin / 1e9, fault.ended(run.end) / 1e9
        axes.axvspan(begin, end, color=fault_colour(fault.action), alpha=0.4, lw=0, zorder=0)
        axes.axvline(begin, color=INK, lw=0.6, zorder=1)
