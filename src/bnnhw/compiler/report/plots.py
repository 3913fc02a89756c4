"""The build report's plots.

Tests: tests/compiler/report/test_page.py
"""

from collections.abc import Sequence
from typing import Literal

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from bnnhw.pages.formats import count, si, text
from bnnhw.pages.svg import ACCENT, MUTED, RC, WARM, WIDTH_INCHES, to_inline_svg

from .data import BuildReport
from .names import cell_names

CellKind = Literal["logic", "ebr"]
BAR_INCHES = 0.26


def plot_cycles(report: BuildReport) -> str:
    """Cycles of every unit for a group of frames, the core's interval as a line."""
    per = "group of frames" if report.performance.vectors > 1 else "frame"
    bars = [(unit.name, unit.cycles) for unit in report.units]
    return plot_bars("cycles", bars, axis=f"cycles for each {per}", mark=report.performance.interval_cycles)


def plot_cells(report: BuildReport, kind: CellKind) -> str:
    """Where the LUTs or the block RAMs go: cells of every unit by the cost model."""
    bars = [(unit.name, getattr(unit.estimated, kind)) for unit in report.units if unit.estimated is not None]
    name = {"logic": cell_names(report).logic, "ebr": "EBR"}[kind]
    return plot_bars(kind, bars, axis=f"{name}, estimated")


def plot_candidates(report: BuildReport) -> str:
    """The candidates' rates against their shares of the device's cells; this design's rate as a line."""
    device = report.device
    rates = [candidate.frames_per_second for candidate in report.candidates]
    cells = [candidate.estimated for candidate in report.candidates]
    lines = {
        "LUTs": (ACCENT, [each.logic / device.luts for each in cells]),
        "flip-flops": (MUTED, [each.ffs / device.ffs for each in cells]),
        "block RAM": (WARM, [each.ebr / device.ebr for each in cells]),
    }
    with style.context(["default", RC]):
        figure = Figure(figsize=(WIDTH_INCHES, 2.2))
        axes = figure.add_axes((0.13, 0.22, 0.84, 0.66))
        for name, (colour, shares) in lines.items():
            axes.plot(rates, [100 * share for share in shares], "o-", color=colour, lw=0.9, ms=3.5, label=name)
        axes.axvline(
            report.performance.core_frames_per_second, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0.9
        )
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: si(value)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(0, 1.08 * max(axes.get_ylim()[1], 10))
        axes.grid(True)
        axes.tick_params(length=0, which="both")
        axes.set_xlabel("frames/s of the core")
        axes.set_ylabel("% of the device")
        axes.legend(loc="lower center", bbox_to_anchor=(0.45, 0.98), ncols=3, frameon=False, labelcolor=MUTED)
        return to_inline_svg(figure, "candidates")


def plot_bars(name: str, bars: Sequence[tuple[str, int]], *, axis: str, mark: int | None = None) -> str:
    """Horizontal bars from top to bottom with their numbers, the longest in the warm colour; a dashed line at mark."""
    with style.context(["default", RC]):
        height = 0.62 + BAR_INCHES * len(bars)
        figure = Figure(figsize=(WIDTH_INCHES, height))
        names = [_shortened(text(row)) for row, _ in bars]
        values = [value for _, value in bars]
        left = (10 + 5.4 * max(map(len, names))) / 72 / WIDTH_INCHES
        axes = figure.add_axes((left, 0.46 / height, 0.86 - left, 1 - 0.54 / height))
        colours = [WARM if value == max(values) else ACCENT for value in values]
        axes.barh(range(len(bars)), values, color=colours, height=0.66)
        for position, value in enumerate(values):
            axes.annotate(
                count(value), (value, position), (4, 0), textcoords="offset points", va="center", fontsize=8.5
            )
        if mark is not None:
            axes.axvline(mark, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0.9)
        _finish(axes, names, axis, greatest=max(*values, mark or 0, 1))
        return to_inline_svg(figure, name)


def _finish(axes: Axes, names: Sequence[str], axis: str, *, greatest: int) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, greatest * 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: si(value)))
    axes.xaxis.grid(True)
    axes.tick_params(length=0)
    axes.set_xlabel(axis)


def _shortened(name: str, longest: int = 18) -> str:
    """The end of a long dotted name: what tells it from its neighbours."""
    return name if len(name) <= longest else "…" + name[-longest + 1 :]
