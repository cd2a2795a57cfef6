"""What a run came to, in figures: the part of `results.json` that is no verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

from partita.checker import OUTCOMES, History
from partita.reports.figures import availability as measured
from partita.reports.figures.contention import contention_of
from partita.reports.figures.faults import SECOND, Fault, faults_of
from partita.reports.figures.quorum import mean_bound, with_quorum
from partita.reports.figures.statistics import statistics


def summarise(history: History, run: Mapping[str, Any]) -> dict[str, Any]:
    """Availability, faults and statistics of a run, ready for JSON.

    `run` is the content of `run.json`, of which "nodes", "timeout" (seconds) and "operations" are
    used. Shares run from 0 to 1; times are seconds, since the run began where they are moments.
    """
    nodes = list(run.get("nodes") or history.nodes)
    load = measured.load_of(history, nodes, run["timeout"], measured.reads_of(run))
    # What failed at last would be outstanding until its time-out, though nobody asks any more.
    begin, end = measured.longest_unavailability(load, end=load.end)
    faults = faults_of(history)
    return {
        "operations": len(history),
        **{name: int((history.outcome == code).sum()) for code, name in enumerate(OUTCOMES)},
        "load_ok": _load_ok(history),
        "final_reads": _final_reads(history),
        "seconds": _seconds(history.end),
        "availability": measured.availability(load),  # whole: a threshold is judged by it
        "quorum_bound": _rounded(mean_bound(nodes, faults, load.end)),
        "availability_by_node": _each_rounded(measured.availability_by_node(load)),
        "longest_unavailability": _seconds(end - begin),
        "longest_unavailability_from": _seconds(begin) if end > begin else None,
        "contention": contention_of(history),
        "faults": [_fault(load, fault, faults) for fault in faults],
        "statistics": statistics(history),
    }


def _load_ok(history: History) -> dict[str, int]:
    """How many operations of the load succeeded, by f: final reads are made when all is well."""
    ok = measured.in_load_phase(history) & (history.outcome == OUTCOMES.index("ok"))
    return {f: int((ok & (history.f == code)).sum()) for code, f in enumerate(history.fs)}


def _final_reads(history: History) -> dict[str, Any] | None:
    """How many of the reads after the load succeeded, and which keys none of them could read.

    None if the run did not come to them.
    """
    begin = next((e.rank for e in history.others.of("phase") if e.value == "final reads"), None)
    if begin is None:
        return None
    made = history.invoked_rank > begin
    ok = made & (history.outcome == OUTCOMES.index("ok"))
    unread = set(history.key[made].tolist()) - set(history.key[ok].tolist())
    keys = sorted(str(history.decoded_key(code)) for code in unread)
    return {"made": int(made.sum()), "ok": int(ok.sum()), "unread": keys}


def _fault(load: measured.Load, fault: Fault, faults: Sequence[Fault]) -> dict[str, Any]:
    in_force = [each.at(fault.cut) for each in faults if each.in_force(fault.cut)]
    quorum = with_quorum(load.nodes, in_force)
    recovered = measured.recover_by_node(load, fault, quorum)
    heal = load.end if fault.heal is None else fault.heal
    out = measured.longest_unavailability(load, fault.begin, fault.ended(load.end))
    elected = None if fault.error else measured.seconds_to_new_leader(load, fault, quorum)
    return {
        "fault": fault.number,
        "action": fault.action,
        "target": fault.target,
        "description": fault.description,
        "from": _seconds(fault.begin),
        "cut": _seconds(fault.cut),
        "heal": None if fault.heal is None else _seconds(fault.heal),
        "to": None if fault.end is None else _seconds(fault.end),
        "bit": fault.bit,
        "proof": fault.proof,
        "error": fault.error,
        "quorum": sorted(quorum),
        "ok": measured.succeeded_between(load, fault.cut, heal),
        "availability": _rounded(measured.availability_between(load, fault.cut, heal)),
        "longest_unavailability": _seconds(out[1] - out[0]),
        "seconds_to_new_leader": _rounded(elected),
        "seconds_to_recover": _rounded(measured.slowest(recovered)),
        "recover_by_node": _each_rounded(recovered),
    }


def _seconds(time: int) -> float:
    return round(time / SECOND, 3)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _each_rounded(values: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: _rounded(value) for name, value in values.items()}
