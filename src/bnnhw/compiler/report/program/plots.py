"""The plots of a program's page.

Tests: tests/compiler/report/program/test_page.py
"""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from bnnhw.compiler.report.plots import plot_bars
from bnnhw.pages.formats import si
from bnnhw.pages.svg import ACCENT, INK, MUTED, RC, WARM, WIDTH_INCHES, to_inline_svg

from .data import OPERATIONS, ProgramReport

__all__ = ["plot_cycles", "plot_rates", "plot_roofline"]

_CLOSE = 1.5
"""Points whose places are less than so many times each other lie on top of each other."""


@dataclass(frozen=True)
class _Point:
    """A layer's: its number in the page's table, what rules it, its place."""

    number: int
    bound_by: str
    intensity: float
    rate: float


def plot_cycles(report: ProgramReport) -> str:
    """Cycles in which the array is at work, by layer."""
    return plot_bars("cycles", [(layer.name, layer.cycles) for layer in report.layers], axis="cycles of a run")


def plot_rates(report: ProgramReport) -> str:
    """Binary operations a cycle by layer, the array's peak as a line: the roofline where nothing is moved."""
    bars = [(layer.name, round(OPERATIONS * layer.products / layer.cycles)) for layer in report.layers]
    mark = OPERATIONS * report.shape.array.macs
    return plot_bars("rates", bars, axis="binary operations a cycle", mark=mark)


def plot_roofline(report: ProgramReport) -> str:
    """Binary operations a second against those for each byte that is moved: of each layer that multiplies, of the
    whole program, and the roofs, the external memory's and the array's."""
    points = [
        _Point(number, layer.bound_by, report.intensity(layer.products, layer.moves.all), report.rate_of(layer))
        for number, layer in enumerate(report.layers, start=1)
        if layer.products
    ]
    intensity = report.intensity(report.products, report.moved)
    ridge = report.peak / report.bandwidth
    intensities = [ridge, intensity, *(point.intensity for point in points)]
    left, right = min(intensities) / 2, max(intensities) * 3
    with style.context(["default", RC]):
        figure = Figure(figsize=(WIDTH_INCHES, 2.8))
        axes = figure.add_axes((0.17, 0.16, 0.8, 0.81))
        axes.plot([left, ridge, right], [left * report.bandwidth, report.peak, report.peak], color=MUTED, lw=1.1)
        for point in points:
            colour = ACCENT if point.bound_by == "array" else WARM
            axes.plot([point.intensity], [point.rate], "o", color=colour, ms=4)
        for group in _close_together(points):
            place = max(point.intensity for point in group), min(point.rate for point in group)
            label = _ranges([point.number for point in group])
            axes.annotate(label, place, (4, -8), textcoords="offset points", fontsize=7.5, color=MUTED)
        axes.plot([intensity], [report.operations_per_second], "D", color=INK, ms=4.5)
        axes.set_xlim(left, right)
        axes.set_ylim(min(report.operations_per_second, *(point.rate for point in points)) / 3, report.peak * 2)
        _finish(axes)
        return to_inline_svg(figure, "roofline")


def _close_together(points: Sequence[_Point]) -> list[list[_Point]]:
    """Points in groups, of each of which the numbers have room for one label."""
    groups: list[list[_Point]] = []
    for point in points:
        for group in groups:
            if all(_is_close(point.intensity, each.intensity) and _is_close(point.rate, each.rate) for each in group):
                group.append(point)
                break
        else:
            groups.append([point])
    return groups


def _is_close(one: float, other: float) -> bool:
    return max(one, other) < _CLOSE * min(one, other)


def _ranges(numbers: Sequence[int]) -> str:
    """(1, 2, 3, 5) -> `1–3, 5`."""
    begins = [number for number in numbers if number - 1 not in numbers]
    ends = [number for number in numbers if number + 1 not in numbers]
    pairs = zip(begins, ends, strict=True)
    return ", ".join(str(begin) if begin == end else f"{begin}\N{EN DASH}{end}" for begin, end in pairs)


def _finish(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: si(value)))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(True)
    axes.tick_params(length=0, which="both")
    axes.set_xlabel("binary operations for each byte moved")
    axes.set_ylabel("binary operations a second")
