"""The share of flipped weights by layer, drawn as in RBNN's figure 7, arXiv:2009.13055.

Tests: tests/accuracy/test_accuracy.py
"""

import io
from collections.abc import Mapping

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["plot_flips"]

_BARS = 0.8
"""How much of a layer's room its bars take."""


def plot_flips(flips: Mapping[str, Mapping[str, float]]) -> bytes:
    """A PNG of bars, a group for each layer: `flips` has each row's shares by layer, the same layers in all."""
    layers = list(next(iter(flips.values())))
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.add_subplot()
    width = _BARS / len(flips)
    for place, (row, shares) in enumerate(flips.items()):
        left = np.arange(len(layers)) - _BARS / 2 + width * place
        axes.bar(left, [100 * shares[layer] for layer in layers], width, align="edge", label=row)
    axes.axhline(50, color="grey", linewidth=0.8, linestyle=":")
    axes.set_xticks(range(len(layers)), layers, rotation=60, ha="right", fontsize=8)
    axes.set_ylabel("weights with another sign\nthan at first, %")
    axes.legend(frameon=False, ncols=len(flips), loc="lower left", bbox_to_anchor=(0, 1))
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    return buffer.getvalue()
