"""The training report's plots.

Tests: tests/model/report/test_page.py
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bnnhw.model.history.histograms import Histogram
from bnnhw.pages.svg import ACCENT, MUTED, RC, WARM, WIDTH_INCHES, to_inline_svg

__all__ = ["plot_curves", "plot_histograms"]

_COLOURS = (ACCENT, WARM)


def plot_curves(name: str, curves: Mapping[str, Sequence[float]], *, axis: str, height: float = 1.9) -> str:
    """One or two curves over the epochs, from epoch 1; `name` keeps the plot's identifiers apart from others'."""
    with style.context(["default", RC]):
        figure, axes = _axes(height)
        for (label, values), colour in zip(curves.items(), _COLOURS, strict=False):
            epochs = range(1, len(values) + 1)
            marker = "o" if len(values) == 1 else ""
            axes.plot(epochs, values, marker=marker, color=colour, linewidth=1.1, markersize=3.5, label=label)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
        axes.grid(True)
        axes.set_xlabel("epoch")
        axes.set_ylabel(axis)
        if len(curves) > 1:
            _legend(axes)
        return to_inline_svg(figure, name)


def plot_histograms(name: str, first: Histogram, last: Histogram) -> str:
    """The latent weights of a layer behind the first epoch and behind the last, as shares of a unit of w."""
    with style.context(["default", RC]):
        figure, axes = _axes(1.6)
        for label, histogram, colour in (("first epoch", first, MUTED), ("last epoch", last, ACCENT)):
            counts = np.asarray(histogram.counts, dtype=float)
            edges = np.linspace(-histogram.reach, histogram.reach, len(counts) + 1)
            axes.stairs(counts / (counts.sum() * np.diff(edges)), edges, color=colour, linewidth=1.1, label=label)
        axes.grid(True)
        axes.set_xlabel("latent weight")
        axes.set_ylabel("density")
        _legend(axes)
        return to_inline_svg(figure, name)


def _axes(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH_INCHES, height))
    axes = figure.add_axes((0.15, 0.4 / height, 0.82, 1 - 0.62 / height))
    axes.tick_params(length=0, which="both")
    return figure, axes


def _legend(axes: Axes) -> None:
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 0.98), ncols=2, frameon=False, labelcolor=MUTED, borderaxespad=0
    )
