"""The check `leases` against its definition, tried out moment by moment.

More histories: PARTITA_HISTORIES=1000000 .venv/bin/pytest tests/checker/coordination
"""

from collections import Counter
from random import Random

import pytest
from leased_histories import kept, wild
from seeds import seeds

from partita.checker import History
from partita.checker.leases.entries import kept_of
from partita.checker.leases.leases import Leases, final_reads
from partita.checker.leases.reference import keeps
from partita.checker.leases.rules import RULES, broken, fates

SEEDS = seeds(1_500)


@pytest.mark.timeout(36_000)
def test_it_agrees_with_trying_every_moment() -> None:
    answers: Counter[object] = Counter()
    for seed in SEEDS:
        history = History.of_events(wild(Random(seed)))
        entries = kept_of(history)
        assert entries is not None
        found = broken(entries, fates(entries), final_reads(history))
        answers[not found] += 1
        answers.update({each.rule for each in found})
        assert (not found) == keeps(history), f"seed {seed}: {found}"
    assert min(answers[True], answers[False]) > len(SEEDS) * 0.15
    assert all(answers[rule] > len(SEEDS) * 0.004 for rule in RULES), answers


def test_a_store_that_keeps_its_word_is_never_blamed() -> None:
    expired = 0
    for seed in range(500):
        judgement = Leases().judge(History.of_events(kept(Random(seed))), Leases.levels)
        assert judgement.levels["kept"] is not False, f"seed {seed}: {judgement.found}"
        expired += judgement.figures["expired"]
        assert (judgement.figures["latest_s"] or 0) < 0.6
    assert expired > 300
