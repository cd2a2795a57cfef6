"""The check `watches` against its rules for one-shot watches and queries, as they are defined.

More histories: PARTITA_HISTORIES=1000000 .venv/bin/pytest tests/checker/coordination
"""

from collections import Counter
from random import Random

import pytest
from held_histories import Event
from seeds import seeds
from shot_histories import fired, polled

from partita.checker import History
from partita.checker.watches.reference_shots import rules_broken
from partita.checker.watches.watches import Watches

SEEDS = seeds(500)
MAKERS = {"one-shot": fired, "queries": polled}
RULES = {"one-shot": ("after", "armed", "arrives"), "queries": ("ordered", "arrives")}
# What only a change of a revision's content shows, which is not asked of the reference.
ELSE = {"truth", "phantom"}


@pytest.mark.timeout(36_000)
@pytest.mark.parametrize("kind", MAKERS)
def test_it_agrees_with_the_rules_as_they_are_defined(kind: str) -> None:
    broken: Counter[str] = Counter()
    for seed in SEEDS:
        random = Random(seed)
        history = History.of_events(MAKERS[kind](random, honest=seed % 4 == 0))
        judgement = Watches().judge(history, Watches.levels)
        if not judgement.applies:
            continue
        rules = rules_broken(history, 10 * 10**9)
        found = set(judgement.figures["violations"]) - ELSE
        assert found == rules, f"seed {seed}: {judgement.found}"
        broken.update(rules or {"none"})
    assert broken["none"] > len(SEEDS) * 0.3, broken
    assert all(broken[rule] > len(SEEDS) * 0.02 for rule in RULES[kind]), broken


@pytest.mark.parametrize("kind", MAKERS)
def test_what_tells_as_it_should_is_never_blamed(kind: str) -> None:
    for seed in range(150):
        history = History.of_events(MAKERS[kind](Random(seed), honest=True))
        judgement = Watches().judge(history, Watches.levels)
        found = set(judgement.figures.get("violations", ())) - {"arrives"}
        assert not found, f"seed {seed}: {judgement.found}"


def watching(history: list[Event], f: str) -> list[int]:
    return [at for at, each in enumerate(history) if each["f"] == f]


@pytest.mark.parametrize("rule", ["armed", "after", "ordered"])
def test_every_planted_mistake_is_caught(rule: str) -> None:
    """A fire twice, a fire left out before a newer value is read, an index that falls."""
    planted = 0
    for seed in range(200):
        events = (polled if rule == "ordered" else fired)(Random(seed), honest=True)
        if rule == "armed" and (places := watching(events, "fire")):
            events.insert(places[0], dict(events[places[0]]))
        elif rule == "after" and (place := _told_and_read_again(events)):
            del events[place]
        elif rule == "ordered" and (place := _asked_again(events)):
            events[place] = events[place] | {"version": 0}
        else:
            continue
        planted += 1
        judgement = Watches().judge(History.of_events(events), Watches.levels)
        assert rule in judgement.figures["violations"], f"seed {seed}"
    assert planted > 50


def _told_and_read_again(events: list[Event]) -> int:
    """Return the place of a fire after which something was read, before the connection was lost."""
    for at in watching(events, "fire"):
        mine = [each for each in events[at + 1 :] if each["process"] == events[at]["process"]]
        if mine and mine[0]["f"] in ("arm", "seen") and mine[0]["key"] == events[at]["key"]:
            return at
    return 0


def _asked_again(events: list[Event]) -> int:
    """Return the place of a query's second answer."""
    seen = set()
    for at in watching(events, "poll"):
        if events[at]["stream"] in seen:
            return at
        seen.add(events[at]["stream"])
    return 0
