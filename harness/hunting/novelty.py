"""Which seed comes next: the one whose storm has most of what was done least so far."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations, islice

from partita.harness.hunting.shrinking import Trial

WINDOW = 5  # so many storms are compared at a time; none is passed over for good


def least_tried_first(seeds: Iterable[int], draw: Callable[[int], Trial]) -> Iterator[int]:
    """Yield all seeds. Where all storms are the same, in their order."""
    source = iter(seeds)
    waiting = list(islice(source, WINDOW))
    tried: Counter[object] = Counter()
    while waiting:
        chosen = max(waiting, key=lambda seed: _novelty(draw(seed), tried))
        waiting.remove(chosen)
        waiting += islice(source, 1)
        tried.update(_features(draw(chosen)))
        yield chosen


def _novelty(trial: Trial, tried: Counter[object]) -> float:
    return sum(1 / (1 + tried[feature]) ** 2 for feature in _features(trial))


def _features(trial: Trial) -> set[object]:
    """Faults, each with its target, and pairs of faults that are in force together."""
    found: set[object] = set()
    for block in trial.blocks:
        begun = [step for step in block.steps if step.begins]
        found |= {step.action for step in begun}
        found |= {(step.action, step.target) for step in begun}
        found |= {frozenset(pair) for pair in combinations([each.action for each in begun], 2)}
    return found
