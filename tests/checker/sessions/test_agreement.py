"""The check against its definition, tried out exhaustively, on many small histories.

More of them: PARTITA_HISTORIES=1000000 .venv/bin/pytest tests/checker/sessions/test_agreement.py
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from seeds import how_many
from session_histories import Event, changed, simulated, wild, with_sessions

from partita.checker import History
from partita.checker.checks import Judgement
from partita.checker.history import NEVER, OUTCOMES, Op
from partita.checker.sessions.reference import keeps
from partita.checker.sessions.sessions import Sessions

HISTORIES = how_many(6_000)
LEVELS = Sessions.levels


def drawn(seed: int) -> list[Event]:
    random = Random(seed)
    kind = seed % 4
    operations = random.randint(2, 6)
    events = wild(random, operations) if kind == 0 else simulated(random, operations, kind == 1)
    if kind and random.random() < 0.6:
        events = changed(random, events)
    return with_sessions(random, events) if random.random() < 0.2 else events


def judged(seeds: range) -> Iterator[tuple[int, History, Judgement]]:
    for seed in seeds:
        history = History.of_events(drawn(seed))
        judgement = Sessions().judge(history, LEVELS)
        if judgement.applies:
            yield seed, history, judgement


@pytest.mark.timeout(36_000)
def test_it_agrees_with_trying_every_order() -> None:
    answers: Counter[tuple[str, object]] = Counter()
    for seed, history, judgement in judged(range(HISTORIES)):
        for level, answer in judgement.levels.items():
            answers[level, answer] += 1
            if answer != "unknown":
                assert answer == keeps(history, level), f"seed {seed}, {level}: {answer}"
    # Each level holds and is broken often enough to have been tested, and is hardly ever unknown.
    for level in LEVELS:
        counts = [answers[level, answer] for answer in (True, False, "unknown")]
        assert counts[0] > HISTORIES * 0.25
        assert counts[1] > HISTORIES * 0.1
        assert counts[2] < HISTORIES * 0.04


def test_a_store_that_answers_everything_is_never_unknown() -> None:
    for seed in range(2000):
        random = Random(seed)
        history = History.of_events(simulated(random, 6, seed % 2 == 0))
        judgement = Sessions().judge(history, LEVELS)
        if judgement.applies:
            assert judgement.levels["ordered-sequential"] is True, f"seed {seed}"
            assert "unknown" not in judgement.levels.values(), f"seed {seed}"


def test_counterexamples_stand_by_themselves() -> None:
    sizes: Counter[int] = Counter()
    for seed, history, judgement in judged(range(6000)):
        for level, found in judgement.found.items():
            sizes[len(found.operations)] += 1
            assert len(found.operations) <= 6, f"seed {seed}: {found}"
            if any(is_blunt(history[each]) for each in found.operations):
                continue
            alone = without_the_others(history, found.operations)
            assert not keeps(alone, level), f"seed {seed}, {level}: {found.explanation}"
    assert sum(sizes.values()) > 1000


def is_blunt(op: Op) -> bool:
    """A cas that failed and does not say what it met is believed when anything else is open."""
    return op.outcome == "fail" and op.output is None


def without_the_others(history: History, operations: tuple[int, ...]) -> History:
    """Return the history with all other updates open and without versions, and no other reads."""
    own = np.isin(np.arange(len(history)), operations)
    info, fail = OUTCOMES.index("info"), OUTCOMES.index("fail")
    reads = (history.f == history.f_code("read")) | (history.outcome == fail)
    rest = np.where(reads, fail, info)
    return replace(
        history,
        outcome=np.where(own, history.outcome, rest).astype(np.int8),
        error=np.where(own, history.error, -1).astype(np.int32),
        completed_rank=np.where(own, history.completed_rank, NEVER),
        version=np.where(own, history.version, -1),
    )
