"""A suite of `partita selftest`: a store that is right, and can be told to make mistakes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Suite:
    """Its mistakes, and for each of them how it is met and what must be found.

    `words` begin the arguments of `partita test`, and `plant` plants a mistake, with its name in
    place of `{}`. `mistakes` say what is wrong about each. `cases` are the arguments that meet it,
    and `correct` those for the store as it is. What a `short` selftest looks for is in `short`.
    """

    store: str
    words: str
    plant: str
    mistakes: Mapping[str, str]
    cases: Mapping[str, str]
    correct: str
    correct_short: str
    short: Sequence[str]
    # What is right only if it is called by its name: of each of these groups, one anomaly must be
    # found, or one rule broken, or one check refuse.
    shows: Mapping[str, Sequence[Collection[str]]]

    def arguments(self, bug: str | None, *, short: bool = False) -> str:
        """Return the arguments of `partita test` that a case is, without its seed."""
        if bug is None:
            return f"{self.words} {self.correct_short if short else self.correct}"
        return f"{self.words} {self.plant.format(bug)} {self.cases[bug]}"

    def as_expected(self, bug: str | None, valid: object, named: Collection[str]) -> bool:
        """Say whether a correct store is valid, or a mistake was found and called by its name."""
        if bug is None or bug not in self.shows:
            return valid is (bug is None)
        return all(set(named) & set(names) for names in self.shows[bug])
