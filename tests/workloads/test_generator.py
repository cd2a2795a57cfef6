"""Generators: constant rate, evenly over nodes, the same for the same seed."""

from random import Random

from partita.workloads.append import Append
from partita.workloads.generator import NS, Generator, Request
from partita.workloads.register import Register


def drawn(place: int = 0, *, rate: float = 10, seconds: float = 2, seed: int = 1) -> list[Request]:
    generator = Generator(
        Register(3).draw, place=place, places=5, rate=rate, time_limit=seconds, seed=seed
    )
    requests = []
    while (request := generator.next(0)) is not None:
        requests.append(request)
    return requests


def test_due_times_of_all_nodes_together_are_evenly_spaced() -> None:
    due = sorted(request.due for place in range(5) for request in drawn(place))
    assert due == [number * NS // 10 for number in range(20)]


def test_the_same_seed_draws_the_same_operations_and_another_one_does_not() -> None:
    assert drawn(seed=7) == drawn(seed=7)
    assert drawn(seed=7, rate=100) != drawn(seed=8, rate=100)


def test_written_values_are_never_the_same() -> None:
    requests = [request for place in range(5) for request in drawn(place, rate=200)]
    values = [request.input for request in requests if request.f != "read"]
    assert len(values) > 100
    assert len(set(values)) == len(values)


def test_without_a_rate_operations_are_due_when_they_are_asked_for() -> None:
    generator = Generator(Append(1).draw, place=0, places=1, rate=0, time_limit=1, seed=1)
    first, second = generator.next(500), generator.next(700)
    assert first is not None
    assert second is not None
    assert (first.due, second.due) == (500, 700)
    assert generator.next(NS) is None


def test_drawing_uses_the_given_generator_only() -> None:
    append = Append(2)
    assert append.draw(Random(3), 5) == append.draw(Random(3), 5)
