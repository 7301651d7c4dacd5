"""The figure of known changes: all numbers, in the order of the metrics, bold if significant."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from campare.plots import known_changes, page

METRICS = ("pearson", "overlap_20", "class_kld")
CHANGES = [("unchanged", np.nan, 0), ("label_noise", 0.1, 1), ("label_noise", 0.5, 2)]
CHANGES += [("cue_share", 0.0, 1), ("gaussian_blur_sigma", 0.5, 1), ("gaussian_blur_sigma", 2.0, 2)]


def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    rows: list[dict[str, Any]] = []
    summary: list[dict[str, Any]] = []
    for place, metric in enumerate(METRICS):
        for change, level, strength in CHANGES:
            auprc = 0.35 + 0.1 * place + 0.1 * strength
            rows.append(
                {"metric": metric, "change": change, "level": level, "strength": strength}
                | {"shift_p": 0.01 if strength == 2 else 0.3, "auprc": auprc, "chance": 0.35}
                | {"models": 5, "reference_models": 5, "images": 300}
            )
        for change in ("label_noise", "cue_share", "gaussian_blur_sigma", "all"):
            correlation = np.nan if change == "cue_share" else 0.2 + 0.2 * place
            summary.append(
                {"metric": metric, "change": change, "auprc": 0.5 + 0.1 * place}
                | {"correlation": correlation}
            )
    return pd.DataFrame(rows), pd.DataFrame(summary)


def numbers(axes: Axes) -> list[list[str]]:
    """Texts of the cells by row."""
    cells = {text.get_position(): text.get_text() for text in axes.texts if "." in text.get_text()}
    rows = sorted({row for _, row in cells})
    return [[text for (_, row), text in sorted(cells.items()) if row == one] for one in rows]


def test_every_cell_has_its_number_and_metrics_are_in_order() -> None:
    figure = known_changes.detection(*tables(), "tiny")
    left, right = figure.axes
    first = next(label.get_text() for label in left.get_yticklabels())
    assert first == "Class-KLD of the predictions"  # in nats, which AUPRC is not
    assert len(numbers(left)) == len(METRICS)
    assert numbers(left)[-1] == ["0.35", "0.45", "0.55", "0.45", "0.45", "0.55"]
    assert numbers(right) == [["0.60", "0.60"], ["0.40", "0.40"], ["0.20", "0.20"]]
    bold = [text.get_text() for text in left.texts if text.get_weight() == "bold"]
    assert len(bold) == 2 * len(METRICS)
    assert [label.get_text() for label in left.get_xticklabels()][:3] == ["", "0.1", "0.5"]
    heading = "".join(text.get_text() for text in figure.texts)
    assert "5 networks of each group" in heading.replace("\n", " ")


def test_on_a_narrow_page_metrics_are_columns_and_numbers_do_not_overlap() -> None:
    with page.printed(3.5):
        figure = known_changes.detection(*tables(), "tiny")
    assert figure.get_size_inches()[0] == 3.5
    below, above = figure.axes
    assert [list(row) for row in zip(*numbers(above), strict=True)][-1] == [
        *("0.35", "0.45", "0.55", "0.45", "0.45", "0.55")
    ]
    assert numbers(below) == [["0.60", "0.40", "0.20"]] * 2
    figure.canvas.draw()
    boxes = [text.get_window_extent() for axes in figure.axes for text in axes.texts]
    assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[:k])
    assert not figure.texts  # the caption says it


def test_no_order_no_second_panel() -> None:
    changes, summary = tables()
    figure = known_changes.detection(changes, summary.assign(correlation=np.nan), "tiny")
    assert len(figure.axes) == 1


def test_a_correlation_that_one_metric_lacks_is_a_dash() -> None:
    changes, summary = tables()
    lacking = summary["metric"].eq(METRICS[0]) & summary["change"].eq("label_noise")
    summary["correlation"] = summary["correlation"].mask(lacking)
    figure = known_changes.detection(changes, summary, "tiny")
    cells = [text.get_text() for text in figure.axes[1].texts]
    assert cells == ["0.60", "0.60", "0.40", "0.40", "–", "0.20"]


def test_names_of_changes_do_not_overlap() -> None:
    changes, summary = tables()
    figure = known_changes.detection(changes, summary, "tiny")
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    names = [text for text in figure.axes[0].texts if "." not in text.get_text()]
    boxes = sorted((text.get_window_extent(renderer) for text in names), key=lambda box: box.x0)
    assert len(boxes) == 4
    for first, second in pairwise(boxes):
        assert first.x1 <= second.x0
