"""Schedules taken apart into blocks: whole again together, and no heal without its fault."""

import pytest

from partita.nemesis.blocks import blocks_of, steps_of, text_of, together
from partita.nemesis.disks.ext4 import Ext4
from partita.nemesis.schedule import check, parse
from partita.nemesis.storms import storm

NODES = ("n1", "n2", "n3", "n4", "n5")


def blocks(text: str):  # type: ignore[no-untyped-def]
    return blocks_of(parse(text, NODES))


@pytest.mark.parametrize(
    "parts",
    [
        ("1s kill one; 2s heal", "3s pause one; 4s heal"),
        ("1s kill one; 2s pause one; 3s heal",),
        ("1s kill one; 2s pause one; 3s heal kill; 4s heal", "5s reset all"),
        ("1s restart one", "2s restart all"),
        ("1s kill n1,n2; 2s start n2; 3s start n1", "4s pause one; 5s heal"),
        ("1s kill one; 2s start n2; 3s heal",),
        ("1s kill one; 2s heal; 3s heal", "4s kill all"),
    ],
)
def test_a_block_ends_when_nothing_is_in_force(parts: tuple[str, ...]) -> None:
    assert tuple(text_of([block]) for block in blocks("; ".join(parts))) == parts


def test_storms_come_apart_and_any_block_can_be_left_out() -> None:
    for seed in range(20):
        steps = storm(seed, 40, 5, lambda name: True, lambda fault: {}, disk=Ext4())
        apart = blocks_of(steps)
        assert steps_of(apart) == steps
        for number in range(len(apart)):
            rest = [*apart[:number], *apart[number + 1 :]]
            check(steps_of(rest), 5, 40, has=lambda name: True)
            assert steps_of(rest) == parse(text_of(rest), NODES) if rest else True


def test_moved_together_they_keep_their_lengths_and_never_begin_later() -> None:
    apart = blocks("8s kill one; 9.5s heal; 9.8s pause one; 12s heal; 20s reset all")
    assert (
        text_of(together(apart)) == "1s kill one; 2.5s heal; 2.8s pause one; 5s heal; 6s reset all"
    )
    assert together(together(apart)) == together(apart)
    early = blocks("0.2s kill one; 1s heal")
    assert together(early) == early


def test_a_block_in_half_the_time_and_without_a_step() -> None:
    (block,) = blocks("2s kill one; 3s pause leader; 6s heal")
    assert text_of([block.halved()]) == "2s kill one; 2.5s pause leader; 4s heal"
    assert text_of([block.without(0)]) == "2s pause leader; 5s heal"
    assert block.without(0).faults == 1
