"""What a section of a run's page is.

A section says which runs it has something to say about, and gives its parts: text, HTML and
pictures, in the order in which they stand. It is found by an entry point in the group
`partita.sections`, or named as path/to/file.py:Class, and made without arguments::

    class Busiest:
        title = "Busiest keys"
        order = 55

        def applies(self, run: StoredRun) -> bool:
            return len(run.history.keys) > 1

        def draw(self, run: StoredRun) -> Iterator[Part]:
            yield "Half of all operations were on three keys."
            yield Picture("busiest", figure, "Operations by key.")
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from matplotlib.figure import Figure

from partita.reports.stored import StoredRun


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure, which is written beside the page as `name`.png and .svg and stands in it too.

    `name` is of small letters, digits and hyphens, and no other section's. `caption` says what is
    to be seen. A `still` picture gives way where the charts of the page are alive.
    """

    name: str
    figure: Figure
    caption: str
    still: bool = False


# A text is a paragraph, `markupsafe.Markup` (a text that says it is HTML) stands as it is.
Part: TypeAlias = str | Picture


@runtime_checkable
class Section(Protocol):
    """A part of a run's page."""

    @property
    def title(self) -> str:
        """Its heading; "" where it goes on under the one before it."""

    @property
    def order(self) -> float:
        """Where it stands: the smallest first. The page's own go from 0 (figures) to 100."""

    def applies(self, run: StoredRun) -> bool:
        """Whether there is something to say about a run."""

    def draw(self, run: StoredRun) -> Iterable[Part]:
        """What is to be shown of a run. While it draws, matplotlib has the page's style."""
