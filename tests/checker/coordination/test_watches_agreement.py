"""The check `watches` against its rules as they are defined, one after the other.

More histories: PARTITA_HISTORIES=1000000 .venv/bin/pytest tests/checker/coordination
"""

from collections import Counter
from random import Random

import pytest
from seeds import seeds
from watched_histories import MISTAKES, changed, followed

from partita.checker import History
from partita.checker.watches.reference import rules_broken
from partita.checker.watches.watches import Watches

SEEDS = seeds(1_500)
OF_STREAMS = ("phantom", "truth", "unique", "start", "ordered", "gap", "atomic", "bookmark",
              "arrives")  # fmt: skip


@pytest.mark.timeout(36_000)
def test_it_agrees_with_the_rules_as_they_are_defined() -> None:
    broken: Counter[str] = Counter()
    for seed in SEEDS:
        random = Random(seed)
        events, _ = followed(random)
        if seed % 4:
            events = changed(random, events)
        history = History.of_events(events)
        judgement = Watches().judge(history, Watches.levels)
        assert judgement.applies, f"seed {seed}"
        rules = rules_broken(history, 10 * 10**9)
        assert set(judgement.figures["violations"]) == rules, f"seed {seed}: {judgement.found}"
        assert (judgement.levels["reliable"] is False) == bool(rules)
        broken.update(rules or {"none"})
    assert broken["none"] > len(SEEDS) * 0.3
    assert all(broken[rule] > len(SEEDS) * 0.002 for rule in OF_STREAMS), broken


def test_streams_that_follow_the_log_are_never_blamed() -> None:
    for seed in range(500):
        events, _ = followed(Random(seed))
        judgement = Watches().judge(History.of_events(events), Watches.levels)
        assert judgement.levels["reliable"] is not False, f"seed {seed}: {judgement.found}"


@pytest.mark.parametrize("mistake", [each for each in MISTAKES if each != "split"])
def test_every_planted_mistake_is_caught(mistake: str) -> None:
    planted, missed = 0, []
    for seed in range(150):
        events, did = followed(Random(seed), mistake)
        if not did:
            continue
        planted += 1
        judgement = Watches().judge(History.of_events(events), Watches.levels)
        if judgement.levels["reliable"] is not False:
            missed.append(seed)
    assert planted > 20
    # What nobody else was told of can be withheld, and so can what a stream did not ask for again.
    possible = mistake in ("silent", "latest only", "gap")
    assert len(missed) <= (planted * 0.35 if possible else 0), missed
