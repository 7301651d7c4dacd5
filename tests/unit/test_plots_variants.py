"""The figure of the map shift for several kinds of maps."""

from __future__ import annotations

import pytest
from matplotlib.collections import LineCollection
from test_variants import shifts as shifts

from campare import variants
from campare.plots import variants as plots

pytestmark = pytest.mark.filterwarnings("error")


def test_each_variant_has_its_shift_interval_and_test(shifts) -> None:  # noqa: ANN001
    agreement, ranking = variants.agreement(shifts), variants.ranking(shifts, 0)
    figure = plots.variants(shifts, agreement, ranking)
    (axes,) = figure.axes
    drawn = [line for line in axes.lines if len(line.get_xdata()) == 1]
    assert [line.get_xdata()[0] for line in drawn] == pytest.approx(
        (100 * shifts["relative_shift"]).tolist()
    )
    filled = [line.get_markerfacecolor() != "white" for line in drawn]
    assert filled == (shifts["shift_p_holm"] <= 0.05).tolist()
    rows = [round(float(line.get_ydata()[0])) for line in drawn]
    assert rows == [0, 1, 2, 3] * 2
    bars = [c.get_segments()[0] for c in axes.collections if isinstance(c, LineCollection)]
    assert [bar[0, 0] for bar in bars] == pytest.approx(
        (100 * shifts["relative_shift_low"]).tolist()
    )
    texts = [text.get_text() for text in axes.texts]
    assert texts[1:5] == ["1 of 2", "2 of 2", "1 of 2", "1 of 1"]
    assert texts[6:] == ["1–2", "1–2", "3", "–"]
    assert "Kendall's W = 0.75" in figure.texts[0].get_text()
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["main: Grad-CAM", "deep: layer 1"]
