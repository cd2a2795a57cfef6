"""The clock of a client node: the bounds hold whatever the network did, and are no wider."""

from random import Random

import pytest

from partita.harness.clients.clocks import Clock


def test_one_clock_needs_no_bounds() -> None:
    clock = Clock(same=True)
    clock.learn(1.0, 500.0, 1.1)
    assert clock.earliest(7.0) == clock.latest(7.0) == 7.0


@pytest.mark.parametrize("seed", range(20))
def test_the_true_moment_lies_within(seed: int) -> None:
    random = Random(seed)
    ahead, rate = random.uniform(-1e6, 1e6), 1 + random.uniform(-4e-4, 4e-4)

    def there(ours: float) -> float:
        return ahead + ours * rate

    clock = Clock(same=False)
    for number in range(60):
        asked = 100 + number * 0.25
        delays = random.expovariate(200), random.expovariate(200)
        clock.learn(asked, there(asked + delays[0]), asked + sum(delays))
        moment = asked - random.uniform(0, 2)
        assert clock.earliest(there(moment)) <= moment <= clock.latest(there(moment))
        if number > 20:
            assert clock.latest(there(moment)) - clock.earliest(there(moment)) < 0.01
