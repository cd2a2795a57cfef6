"""What all charts have in common."""

from dataclasses import dataclass

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D

from partita.reports.drawing import _lanes, figure_of_height, legend_below

OF_LEASES = ("ok 2,247", "fail 835", "info 8", "look", "ephemeral", "beat", "delete", "list",
             "open", "close", "settle")  # fmt: skip


@pytest.mark.parametrize("labels", [OF_LEASES[:1], OF_LEASES[:5], OF_LEASES, OF_LEASES * 4])
def test_a_legend_is_as_wide_as_its_figure_at_most(labels: tuple[str, ...]) -> None:
    figure, axes = figure_of_height(2.8)
    legend_below(axes, [Line2D([], [], marker="o", ls="", label=label) for label in labels])
    FigureCanvasAgg(figure).draw()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width
    assert len(figure.legends[0].get_texts()) == len(labels)


@dataclass(frozen=True)
class Lasting:
    """A fault, as far as lanes are concerned."""

    number: int
    begin: int
    end: int

    def ended(self, run_end: int) -> int:
        return min(self.end, run_end)


@dataclass(frozen=True)
class Run:
    faults: tuple[Lasting, ...]
    end: int = 100


def test_faults_that_overlap_have_lanes_of_their_own_and_others_have_all_the_height() -> None:
    spans = ((0, 10), (2, 30), (12, 20), (31, 40), (40, 200), (41, 45))
    run = Run(tuple(Lasting(number, *span) for number, span in enumerate(spans, 1)))
    assert _lanes(run) == {  # type: ignore[arg-type]
        1: (0, 2),
        2: (1, 2),
        3: (0, 2),
        4: (0, 1),
        5: (0, 2),
        6: (1, 2),
    }
