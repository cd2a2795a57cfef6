"""The check `holders` against its definitions, tried out moment by moment.

More histories: PARTITA_HISTORIES=1000000 .venv/bin/pytest tests/checker/coordination
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import cast

import pytest
from held_histories import SECOND, kept, wild
from seeds import seeds

from partita.checker import History, Op
from partita.checker.holders.belief import BELIEFS
from partita.checker.holders.effect import effect_of
from partita.checker.holders.grants import holdings_of
from partita.checker.holders.holders import Holders
from partita.checker.holders.order import broken
from partita.checker.holders.reference import grants, keeps, lost, together

SEEDS = seeds(1_500)


class Decoded:
    """What the reference reads of a history, decoded once: it goes through it many times."""

    def __init__(self, history: History) -> None:
        self.others, self.end, self.extra = [*history.others], history.end, cache(history.extra)
        self._operations = [*history]

    def __iter__(self) -> Iterator[Op]:
        return iter(self._operations)


@pytest.mark.timeout(36_000)
def test_it_agrees_with_trying_every_moment() -> None:
    answers: Counter[object] = Counter()
    overlapping = losing = 0
    for seed in SEEDS:
        history = History.of_events(wild(Random(seed)))
        holdings = holdings_of(history)
        if holdings is None:  # nobody came to acquire anything
            continue
        answer = not broken(holdings)
        answers[answer] += 1
        decoded = cast("History", Decoded(history))
        held = grants(decoded)
        assert answer == keeps(held), f"seed {seed}"
        figures = Holders().judge(history, Holders.levels).figures
        for rule in BELIEFS:
            expected = sum(together(held, history.end, rule).values())
            assert round(figures["rules"][rule]["seconds"] * SECOND) == expected, f"{seed} {rule}"
            overlapping += expected > 0
        effect = effect_of(holdings)
        for fence, found in ((False, effect.lost), (True, effect.lost_fenced)):
            values = {effect.accesses[at].event.value for at in found}
            # A fence refuses what is stale: what it kept out was never added.
            assert values == lost(decoded, fence=fence), f"seed {seed}, fence {fence}"
            losing += bool(values)
    assert min(answers[True], answers[False]) > len(SEEDS) * 0.15
    assert overlapping > len(SEEDS) * 0.5
    assert losing > len(SEEDS) * 0.1


def test_a_store_that_keeps_its_word_is_never_blamed() -> None:
    overlapping = Counter[str]()
    for seed in range(1_000):
        history = History.of_events(kept(Random(seed)))
        judgement = Holders().judge(history, Holders.levels)
        assert judgement.levels["exclusive"] is not False, f"{seed}: {judgement.found}"
        for rule, figures in judgement.figures["rules"].items():
            assert figures["store"] == 0, f"seed {seed}"
            overlapping[rule] += figures["overlaps"]
    # Whoever goes by its own clock never believes for longer than it is owed.
    assert overlapping["deadline"] == 0
    assert overlapping["naive"] > overlapping["told"] > 50
