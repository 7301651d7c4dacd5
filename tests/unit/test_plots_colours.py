"""Colours and markers of augmentations, as readers with and without colour blindness see them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgb
from numpy.typing import NDArray

from campare.design import MOST_SETS
from campare.plots import metrics, style

# Simulation of complete colour blindness in linear RGB (Machado et al. 2009, table 1, severity 1).
VISIONS = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}
# Linear RGB → OKLab (Ottosson 2020), in which the distance of black and white is 1.
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
ARMS = [f"augmentation_{k}" for k in range(16)]


def seen(colours: list[str], vision: str) -> NDArray[np.float64]:
    """Colours as a vision sees them, OKLab (N, 3)."""
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    simulated = np.clip(linear @ np.transpose(VISIONS[vision]), 0, 1)
    oklab: NDArray[np.float64] = np.cbrt(simulated @ CONES.T) @ OKLAB.T
    return oklab


def nearest(colours: list[str], vision: str) -> float:
    """The distance of the two most similar colours."""
    points = seen(colours, vision)
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(points, 2))


# Measured: 0.129 (normal), 0.063 (protanopia), 0.052 (deuteranopia). The least distances in normal
# vision and in deuteranopia are those of two colours of Tol's scheme; equal colours have 0.
@pytest.mark.parametrize(
    ("vision", "least"), [("normal", 0.12), ("protanopia", 0.06), ("deuteranopia", 0.05)]
)
def test_sixteen_arms_have_colours_that_every_reader_can_distinguish(
    vision: str, least: float
) -> None:
    colours = style.colours(ARMS)
    assert nearest([colours[name] for name in ARMS], vision) >= least


@pytest.mark.parametrize("vision", VISIONS)
def test_the_colours_after_the_ninth_differ_from_the_baselines(vision: str) -> None:
    colours = style.colours(ARMS)
    for name in ARMS[9:]:
        assert nearest([colours[name], colours["baseline"]], vision) >= 0.11, colours[name]


def test_up_to_nine_arms_have_the_colours_of_tols_scheme() -> None:
    assert [style.colours(ARMS)[name] for name in ARMS[:9]] == [
        *("#332288", "#CC6677", "#44AA99", "#882255", "#88CCEE"),
        *("#117733", "#DDCC77", "#AA4499", "#999933"),
    ]


def test_points_of_many_arms_differ_in_marker_or_clearly_in_colour() -> None:
    names = [f"augmentation_{k}" for k in range(40)]
    table = pd.DataFrame({"augmentation": names, "accuracy": 0.5, "pearson": 0.5})
    over = pd.DataFrame({"metric": "pearson", "over": list(metrics.OVER), "n": 40})
    over[["pearson", "low", "high"]] = np.nan
    figure = metrics.accuracy(table, over, "pearson", names)
    points = [(line.get_marker(), to_hex(line.get_color())) for line in figure.axes[0].lines]
    assert (".", to_hex(metrics.PALE)) in points  # all others
    assert len(points) == len(set(points)) == MOST_SETS + 1
    for (marker, colour), (other_marker, other) in combinations(points[:16], 2):
        if marker == other_marker:
            assert min(nearest([colour, other], vision) for vision in VISIONS) >= 0.14
