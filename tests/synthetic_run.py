"""Makes a run directory as a run would leave it, without a cluster: five nodes, one partition.

A small model of the seed's experiment. The store has one leader; nodes cut off from it answer
nothing, the others elect a new one after a while. Each worker is a blocking client with due times,
so that queues build up behind time-outs exactly as they do in a real run.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SECOND = 1_000_000_000
NODES = ["n1", "n2", "n3", "n4", "n5"]


@dataclass
class Story:
    """What happens in a synthetic run. Times are seconds."""

    seconds: float = 200.0
    rate: float = 20.0
    workers: int = 10
    timeout: float = 5.0
    cut: float | None = 65.0
    heal: float = 135.0
    election: float = 9.0
    seed: int = 7
    workload: str = "register"
    events: list[dict[str, Any]] = field(default_factory=list)


def events_of(story: Story) -> list[dict[str, Any]]:
    """The history's events, in the order of their times."""
    chance = np.random.default_rng(story.seed)
    story.events = [_event(0, "monitor", "info", "phase", "load"), *_nemesis(story)]
    per_worker = story.rate / story.workers
    for worker in range(story.workers):
        _work(story, chance, worker, per_worker)
    story.events.append(_event(story.seconds + 6, "monitor", "info", "phase", "final reads"))
    for position, node in enumerate(NODES):
        _final_read(story, story.seconds + 6.2 + position / 100, node)
    return sorted(story.events, key=lambda event: event["time"])


def write_run(directory: Path, story: Story | None = None, **results: Any) -> Path:
    """Write a whole run directory and return it; `results` replace entries of results.json."""
    story = story or Story()
    directory.mkdir(parents=True, exist_ok=True)
    events = events_of(story)
    with (directory / "history.jsonl").open("w") as lines:
        lines.writelines(json.dumps(event, separators=(",", ":")) + "\n" for event in events)
    (directory / "run.json").write_text(json.dumps(_spec(story), indent=2))
    (directory / "results.json").write_text(json.dumps(_results(directory) | results, indent=2))
    for node in NODES:
        _log(story, directory / "nodes" / node, node)
    (directory / "controller.log").write_text("2026-11-22 18:00:00.000 cluster of 5 nodes is up\n")
    return directory


def _event(at: float, process: str, kind: str, f: str, value: Any) -> dict[str, Any]:
    return {"time": round(at * SECOND), "type": kind, "process": process, "f": f, "value": value}


def _nemesis(story: Story) -> list[dict[str, Any]]:
    leaders = [(t, ["n1"]) for t in np.arange(0.0, story.seconds + 6, 4)]
    if story.cut is None:
        return [_event(at, "monitor", "info", "leader", who) for at, who in leaders]
    minority, majority = NODES[:2], NODES[2:]
    grudge = {a: majority for a in minority} | {a: minority for a in majority}
    value = {"fault": 1, "target": "leader-minority", "description": "n1 n2 | n3 n4 n5"}
    cut = [[a, b] for a in minority for b in majority]
    cut += [[b, a] for a, b in cut]
    elected = story.cut + story.election
    leaders = [(t, who) for t, who in leaders if not story.cut < t < elected]
    leaders = [(t, ["n4"] if t >= elected else who) for t, who in leaders]
    leaders += [(story.cut + 2, ["n1"]), (story.cut + 4.3, []), (elected - 0.4, ["n4"])]
    probe = {"fault": 1, "bit": True, "cut": cut, "unreachable": cut}
    heal = {"faults": [1], "dropped": {"1": 4711}}
    return [
        *(_event(at, "monitor", "info", "leader", who) for at, who in leaders),
        _event(story.cut, "nemesis", "invoke", "partition", {**value, "grudge": grudge}),
        _event(story.cut + 0.3, "nemesis", "ok", "partition", {**value, "grudge": grudge}),
        _event(story.cut + 2.5, "nemesis", "info", "probe", probe),
        _event(story.heal, "nemesis", "invoke", "heal", {"faults": [1]}),
        _event(story.heal + 0.4, "nemesis", "ok", "heal", heal),
    ]


def _work(story: Story, chance: np.random.Generator, worker: int, rate: float) -> None:
    node, process, free, due = NODES[worker % 5], worker, 0.0, (worker + 1) / story.rate
    number = 0
    while due < story.seconds and max(due, free) < story.seconds + 4:
        send = max(due, free)
        f = "write" if chance.random() < 0.4 else "read"
        f = "cas" if chance.random() < 0.2 else f
        outcome, free, error = _fate(story, chance, node, send, f)
        number += 1
        unique = worker * 1_000_000 + number
        _record(story, process, node, f, unique, due, send, free, outcome, error)
        process += story.workers if outcome == "info" else 0
        due += 1 / rate


def _fate(
    story: Story, chance: np.random.Generator, node: str, send: float, f: str
) -> tuple[str, float, str | None]:
    done = send + float(chance.lognormal(-5.3, 0.45))
    cut_off = _cut_off_until(story, node, send)
    if cut_off is not None:
        done = max(done, cut_off + float(chance.lognormal(-3, 0.5)))
    if done > send + story.timeout:
        return ("fail" if f == "read" else "info"), send + story.timeout, "timeout"
    if f == "cas" and chance.random() < 0.3:
        return "fail", done, "mismatch"
    return "ok", done, None


def _cut_off_until(story: Story, node: str, time: float) -> float | None:
    if story.cut is None or not story.cut <= time < story.heal:
        return None
    if node in NODES[:2]:
        return story.heal + 0.6
    elected = story.cut + story.election
    return elected if time < elected else None


def _record(
    story: Story,
    process: int,
    node: str,
    f: str,
    value: int,
    due: float,
    send: float,
    done: float,
    outcome: str,
    error: str | None,
) -> None:
    key = value % 5
    invoke = {**_event(send, "", "invoke", f, None), "process": process, "key": key, "node": node}
    invoke |= {"value": {"read": None, "write": value, "cas": [value - 1, value]}[f]}
    invoke["due"] = round(due * SECOND)
    complete = {**invoke, "time": round(done * SECOND), "type": outcome}
    complete |= {"value": value} if f == "read" and outcome == "ok" else {}
    complete |= {"error": error} if error else {}
    story.events += [invoke, complete]


def _final_read(story: Story, at: float, node: str) -> None:
    process = 1_000_000 + NODES.index(node)
    for time, kind, value in ((at, "invoke", None), (at + 0.004, "ok", 1)):
        event = _event(time, "", kind, "read", value)
        story.events.append(event | {"process": process, "key": 0, "node": node})


def _spec(story: Story) -> dict[str, Any]:
    schedule = [
        {"at": story.cut, "action": "partition", "target": "leader-minority"},
        {"at": story.heal, "action": "heal"},
    ]
    return {
        "system": "zookeeper",
        "workload": story.workload,
        "nodes": NODES,
        "timeout": story.timeout,
        "rate": story.rate,
        "time_limit": story.seconds,
        "seed": story.seed,
        "schedule": schedule if story.cut is not None else [],
        "concurrency": story.workers,
        "reads": "sync",
        "started": "2026-11-22T18:00:00Z",
        "command": f"partita test zookeeper --workload {story.workload} --seed {story.seed}",
        "versions": {"partita": "0.1.0", "zookeeper": "3.8.0", "python": "3.11.2"},
    }


def _results(directory: Path) -> dict[str, Any]:
    """What the harness writes: here with the reports' own figures and an invented verdict."""
    from partita.checker import History
    from partita.reports import summarise

    run = json.loads((directory / "run.json").read_text())
    history = History.read(directory / "history.jsonl")
    verdict = {"engine": "chain", "model": "cas-register", "seconds": 0.041, "keys": 5}
    return {
        "valid": True,
        "reason": None,
        "workload": run["workload"],
        **summarise(history, run),
        "verdict": {**verdict, "operations": len(history)},
        "run": str(directory),
    }


def _log(story: Story, directory: Path, node: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    lines = [(0.0, f"[myid:{node[1:]}] INFO LOOKING"), (1.5, "INFO FOLLOWING")]
    if story.cut is not None:
        lines += [
            (story.cut + 1.0, "WARN Connection broken for id 1, my id = " + node[1:]),
            (story.cut + 2.1, "WARN Exception when following the leader"),
            (story.cut + story.election, "INFO LEADER ELECTION TOOK - 204 MS"),
            (story.heal + 0.5, "INFO Notification: 2 (message format version)"),
        ]
    stamped = [f"2026-11-22 18:{int(at // 60):02}:{at % 60:06.3f} {line}\n" for at, line in lines]
    (directory / "zookeeper.log").write_text("".join(stamped))
