"""The workload watch, over a log in memory: what it asks, and which mistakes come out."""

from collections import Counter
from pathlib import Path

import pytest
from loaded import loaded
from watches_in_memory import Able, Log, Plain

from partita.checker import History, vacuous
from partita.checker.checks import Judgement
from partita.workloads.watch import Watch


def run(
    client: type[Plain], mistake: str, path: Path, seconds: float = 0.5
) -> tuple[History, Judgement]:
    workload, log = Watch(settle=0.2), Log(mistake)
    history = loaded(workload, [lambda: client(log)], path / "h.jsonl", seconds=seconds, rate=600)
    (check,) = workload.checks
    return history, check.judge(history, check.levels)


def test_a_good_log_is_valid_and_asked_for_everything(tmp_path: Path) -> None:
    history, judgement = run(Able, "", tmp_path, seconds=1.2)
    assert judgement.levels == {"reliable": True}, judgement
    done = Counter(history.fs[op] for op in history.f[history.outcome == 0])
    assert all(done[f] for f in Watch.operations), done
    figures = judgement.figures
    assert figures["streams"] > 10
    assert figures["compacted"]
    newest, ahead = 0, 0
    for event in history.others:
        newest = max(newest, event.version if event.f == "event" else 0)
        ahead = max(ahead, event.version - newest if event.f == "resume" else 0)
    assert ahead > 2, "none began in the future"
    assert {event.key for event in history.others if event.f == "resume"} > {"key"}


def test_the_streams_that_are_left_are_live_when_the_run_ends(tmp_path: Path) -> None:
    history, _ = run(Able, "", tmp_path)
    ended = {
        event.fields["stream"] for event in history.others if event.f in ("ended", "compacted")
    }
    live = {event.fields["stream"] for event in history.others if event.f == "resume"} - ended
    assert len(live) > Watch().streams
    last = max(event.time for event in history.others if event.f == "event")
    assert history.end - last > 200_000_000


@pytest.mark.parametrize(
    ("mistake", "rules"),
    [
        ("deletions", {"gap"}),
        ("latest", {"gap"}),
        ("repeats", {"unique"}),
        ("deaf", {"arrives"}),
        ("eager", {"truth"}),
        ("splits", {"atomic"}),
    ],
)
def test_each_mistake_is_found(tmp_path: Path, mistake: str, rules: set[str]) -> None:
    _, judgement = run(Able, mistake, tmp_path)
    assert judgement.levels == {"reliable": False}
    assert rules <= judgement.figures["violations"].keys()


def test_what_a_client_cannot_do_is_asked_for_no_more(tmp_path: Path) -> None:
    history, judgement = run(Plain, "", tmp_path)
    assert judgement.levels == {"reliable": True}, judgement
    asked = Counter(history.fs[f] for f in history.f)
    spared = [f for f, each in Watch.operations.items() if not each.needed]
    assert vacuous(history)
    assert vacuous(history, spared) is None
    # Each worker may have been about to when it became known.
    assert 1 <= asked["compact"] + asked["write-all"] <= 4
    assert asked["write"] > 100
