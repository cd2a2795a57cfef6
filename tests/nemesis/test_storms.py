"""Random schedules: sound whatever the seed, the same for the same seed, and of every kind."""

from collections import Counter

import pytest

from partita.nemesis import faults
from partita.nemesis.disks.ext4 import Ext4
from partita.nemesis.schedule import HEAL, ScheduleError, check, parse
from partita.nemesis.storms import EVERYBODY, OUTAGES, QUIET_S, storm

SEEDS = range(200)


def drawn(seed: int, *, lacks: str = "", nodes: int = 5, seconds: float = 40, disk: bool = False):  # type: ignore[no-untyped-def]
    own = Ext4() if disk else None
    return storm(seed, seconds, nodes, lambda name: name != lacks, lambda fault: {}, disk=own)


def test_the_same_seed_draws_the_same_and_another_one_another() -> None:
    assert drawn(7) == drawn(7)
    assert len({str(drawn(seed)) for seed in SEEDS}) == len(SEEDS)


@pytest.mark.parametrize("nodes", [2, 3, 5])
def test_every_storm_can_be_carried_out_and_written_down(nodes: int) -> None:
    for seed in SEEDS:
        steps = drawn(seed, nodes=nodes, disk=True)
        check(steps, nodes, 40, has=lambda name: True)
        assert parse("; ".join(map(str, steps))) == steps


def test_the_end_is_quiet_and_nothing_is_left_in_force() -> None:
    for seed in SEEDS:
        steps = drawn(seed)
        assert max(step.at for step in steps) <= 40 - QUIET_S
        lasting = [step for step in steps if step.begins and not step.fault().traits.momentary]
        if lasting:
            assert any(step.action == HEAL and step.at >= lasting[-1].at for step in steps)


def test_nobody_is_left_to_serve_only_twice() -> None:
    for seed in SEEDS:
        outages = [
            step
            for step in drawn(seed, seconds=120)
            if step.begins and step.target in EVERYBODY and step.fault().traits.silences
        ]
        assert len(outages) <= OUTAGES


def test_every_fault_that_says_how_is_drawn_and_no_other() -> None:
    count = Counter(step.action for seed in SEEDS for step in drawn(seed, disk=True))
    known = {name for name in faults.names() if faults.kind_of(name).traits.storm}
    assert set(count) - {HEAL} == known
    assert count["partition"] > 2 * count["slow"]


def test_what_the_system_cannot_bear_is_not_drawn() -> None:
    plain = {step.action for seed in SEEDS for step in drawn(seed)}
    assert not plain & {"power-cut", "disk-full"}
    unfrozen = {step.action for seed in SEEDS for step in drawn(seed, lacks="pause")}
    assert "pause" not in unfrozen
    targets = {step.target for seed in SEEDS for step in drawn(seed, lacks="primaries")}
    assert not targets & {"leader", "leader-minority", "followers"}


def test_a_short_time_has_a_storm_for_every_seed() -> None:
    for seed in SEEDS:
        assert max(step.at for step in drawn(seed, seconds=9)) <= 9 - QUIET_S


def test_a_time_too_short_is_said() -> None:
    with pytest.raises(ScheduleError, match="no random fault fits into --time-limit 4"):
        drawn(1, seconds=4)
