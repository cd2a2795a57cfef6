"""A schedule in blocks: what stands or falls together when a schedule is made smaller.

A block is faults that begin one after another, up to the step after which none is in force any
more. Only whole blocks are dropped or moved, so that no heal is ever left without its fault.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from partita.nemesis.schedule import HEAL, START, Step

FIRST_S, PEACE_S = 1.0, 1.0  # before the first block, and between two, when they are moved together


@dataclass(frozen=True, slots=True)
class Block:
    """Steps in their order, the first at `at` seconds."""

    steps: tuple[Step, ...]

    @property
    def at(self) -> float:
        return self.steps[0].at

    @property
    def end(self) -> float:
        """When its last step is due."""
        return self.steps[-1].at

    @property
    def faults(self) -> int:
        """How many faults it begins."""
        return sum(step.begins for step in self.steps)

    def moved(self, at: float) -> "Block":
        """Return the block as it is when it begins at another time."""
        return Block(tuple(_at(step, step.at - self.at + at) for step in self.steps))

    def without(self, number: int) -> "Block":
        """Return the block without one of its steps; it begins when it began."""
        steps = self.steps[:number] + self.steps[number + 1 :]
        return Block(steps).moved(self.at) if steps else Block(())

    def halved(self) -> "Block":
        """Return the block in half the time."""
        return Block(
            tuple(_at(step, self.at + (step.at - self.at) / 2) for step in self.steps),
        )


def blocks_of(steps: Iterable[Step]) -> tuple[Block, ...]:
    """Take a schedule apart."""
    found: list[Block] = []
    block: list[Step] = []
    in_force: dict[str, set[str]] = {}  # faults by name, with the nodes that they are known to hold
    for step in steps:
        block.append(step)
        if step.action == HEAL:
            in_force = {
                name: nodes
                for name, nodes in in_force.items()
                if step.words and name not in step.words
            }
        elif step.action == START:
            in_force = _after_start(step, in_force)
        elif not step.fault().traits.momentary:
            in_force[step.fault().name] = set(step.words)
        if not in_force:
            # A heal where nothing is in force belongs to what went before.
            alone = not any(each.begins for each in block)
            before = found.pop().steps if alone and found else ()
            found.append(Block((*before, *block)))
            block = []
    return tuple([*found, Block(tuple(block))] if block else found)


def steps_of(blocks: Iterable[Block]) -> tuple[Step, ...]:
    """Put a schedule together again."""
    return tuple(step for block in blocks for step in block.steps)


def text_of(blocks: Iterable[Block]) -> str:
    """Return the schedule as `--schedule` takes it."""
    return "; ".join(map(str, steps_of(blocks)))


def together(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Move the blocks as early as they go, with a second of peace between, where it was more."""
    moved: list[Block] = []
    at, before = 0.0, 0.0  # the end of the block before, where it is now and where it was
    for block in blocks:
        peace = PEACE_S if moved else FIRST_S
        moved.append(block.moved(at + min(peace, block.at - before)))
        at, before = moved[-1].end, block.end
    return tuple(moved)


def _after_start(step: Step, in_force: dict[str, set[str]]) -> dict[str, set[str]]:
    """Take the started nodes away; a fault whose nodes nobody knows by name stays in force."""
    left = {}
    for name, nodes in in_force.items():
        rest = nodes - set(step.words)
        if rest:
            left[name] = rest
    return left


def _at(step: Step, at: float) -> Step:
    return replace(step, at=round(at, 2))
