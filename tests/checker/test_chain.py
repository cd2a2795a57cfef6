"""The chain engine, and the search beside it, against the oracle."""

from collections import Counter
from random import Random

import pytest
from histories import Event, keyed, register_events, wild_events
from oracle import contradicts, rows_by_key
from seeds import how_many

from partita.checker import History, Limits, load_model
from partita.checker.linearizability.chain import chain
from partita.checker.linearizability.check import counting
from partita.checker.linearizability.reference import linearizable
from partita.checker.linearizability.search import search
from partita.checker.verdict import Mismatch

# How many small histories are compared; a longer run: PARTITA_HISTORIES=5000000.
HISTORIES = how_many(40_000)
BATCH = 1_000


def draw(seed: int) -> list[Event]:
    random = Random(seed)
    operations = random.randrange(2, 8)
    if random.random() < 0.4:
        return wild_events(random, operations)
    return register_events(random, operations, unique=random.random() < 0.8)


@pytest.mark.parametrize("mismatch", ["observe", "ignore"])
def test_agree_with_the_oracle(mismatch: Mismatch) -> None:
    model = load_model("cas-register")
    answers: Counter[tuple[object, bool]] = Counter()
    for begin in range(0, HISTORIES // 2, BATCH):
        first = begin + (HISTORIES if mismatch == "ignore" else 0)
        history = History.of_events(keyed(map(draw, range(first, first + BATCH))))
        for rows in rows_by_key(history, counting(history, model, mismatch)):
            expected = linearizable(history, rows, model)
            found = chain(history, rows, model, Limits(), mismatch)
            searched = search(history, rows, model, Limits(), mismatch)
            seed = first + history.key[rows[0]]
            assert found is None or found.valid == expected, f"seed {seed}: {found}"
            assert searched is not None and searched.valid == expected, f"seed {seed}: {searched}"
            answers[found and found.valid, expected] += 1
            if found is not None and found.valid is False and seed % 20 == 0:
                assert contradicts(history, rows, model, found), f"seed {seed}: {found}"
                assert len(found.operations) <= len(rows) and found.explanation
    assert answers[True, True] > HISTORIES / 10
    assert answers[False, False] > HISTORIES / 10
    assert answers[None, True] + answers[None, False] < HISTORIES / 5
