"""What all charts have in common."""

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D

from partita.reports.drawing import figure_of_height, legend_below

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
