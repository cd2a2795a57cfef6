"""The workload lease, over sessions in memory: what it asks, and which mistakes come out."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from leases_in_memory import Client, Sessions
from loaded import loaded

from partita.checker import History
from partita.checker.checks import Judgement
from partita.workloads import lease
from partita.workloads.client import Refused
from partita.workloads.lease import Lease


class ByItself(Client):
    """A client that renews its sessions by itself."""

    def beat(self) -> None:
        self.mine()
        raise Refused("it renews by itself")


def run(path: Path, mistake: str = "", client: type[Client] = Client) -> tuple[History, Judgement]:
    workload, sessions = Lease(keys=6, ttl=0.5), Sessions(mistake)
    connects = [lambda: client(sessions)] * 2
    history = loaded(workload, connects, path / "h.jsonl", seconds=1.0, rate=500)
    (check,) = workload.checks
    return history, check.judge(history, check.levels)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "PAUSE_S", 0.25)


def test_good_sessions_are_valid_and_end_in_every_way(tmp_path: Path) -> None:
    history, judgement = run(tmp_path)
    assert judgement.levels == {"kept": True}, judgement
    done = Counter(history.fs[f] for f in history.f[history.outcome == 0])
    assert all(done[f] for f in Lease.operations), done
    assert done["list"] > 4  # twice at each node in the end
    figures = judgement.figures
    assert figures["expired"] and figures["ended"]
    # Whose session it was is said of what failed, too.
    sessions = history.extra("session")
    beats = [row for row in range(len(history)) if history.fs[history.f[row]] == "beat"]
    assert any(history.outcome[row] and row in sessions for row in beats)


@pytest.mark.parametrize(
    ("mistake", "rule"), [("early", "early"), ("keeps", "orphan"), ("forgets", "forever")]
)
def test_each_mistake_is_found(tmp_path: Path, mistake: str, rule: str) -> None:
    _, judgement = run(tmp_path, mistake)
    assert judgement.levels == {"kept": False}, judgement
    assert rule in judgement.figures["violations"]


def test_to_renew_what_is_closed_says_nothing_of_who_renews() -> None:
    workload, client = Lease(), Client(Sessions(""))
    for f in ("open", "close"):
        workload.invoke(client, f, None, None, 0.0)
    with pytest.raises(Refused):
        workload.invoke(client, "beat", None, None, 0.0)
    assert any(workload.draw(Random(n), n)[0] == "beat" for n in range(200))


def test_who_renews_by_itself_is_not_asked_to(tmp_path: Path) -> None:
    history, _ = run(tmp_path, client=ByItself)
    asked = Counter(history.fs[f] for f in history.f)
    with_session = [row for row in history.extra("session") if history.fs[history.f[row]] == "beat"]
    # Each worker may have been about to when it became known.
    assert 1 <= len(with_session) <= 4
    assert asked["look"] > 200
