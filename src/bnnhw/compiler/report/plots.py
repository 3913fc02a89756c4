"""The plots: inline SVG in the page's CSS variables for colours, so that they follow its light and dark theme.

Text stays text: it scales, can be searched and takes the page's font. The same data give the same bytes on every
machine: matplotlib's own defaults rule, not the user's; identifiers come from a fixed salt; nothing carries a date.
"""

import io
import re
from collections.abc import Sequence

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from .data import BuildReport
from .formats import count, si, text

WIDTH_INCHES = 4.7
BAR_INCHES = 0.28
COLOURS = {  # stand-in that matplotlib draws with -> the page's CSS variable
    "#010101": "var(--ink)",
    "#020202": "var(--muted)",
    "#030303": "var(--line)",
    "#040404": "var(--accent)",
    "#050505": "var(--warm)",
    "#060606": "var(--soft)",
}
INK, MUTED, LINE, ACCENT, WARM, SOFT = COLOURS
RC = {
    "svg.fonttype": "none",
    "svg.hashsalt": "bnnhw",
    "font.size": 9.5,
    "text.parse_math": False,  # a layer's name may hold a $
    "text.color": INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "xtick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.color": LINE,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
}


def plot_cycles(report: BuildReport) -> str:
    """Cycles of every unit for a group of frames; the bottleneck in the warm colour, the core's interval as a line."""
    bottleneck = report.bottleneck
    colours = [WARM if unit is bottleneck else ACCENT for unit in report.units]
    return _bars(
        "cycles",
        [unit.name for unit in report.units],
        [[unit.cycles for unit in report.units]],
        colours=[colours],
        labels=[count(unit.cycles) for unit in report.units],
        axis="cycles for each group of frames" if report.performance.vectors > 1 else "cycles for each frame",
        mark=report.performance.interval_cycles,
    )


def plot_area(report: BuildReport) -> str:
    """Where the LUTs go: TRELLIS_COMB of every unit by the cost model, logic apart from what carry chains take."""
    units = [(unit.name, unit.estimated) for unit in report.units if unit.estimated is not None]
    carries = [2 * (cells.ccu2c or 0) for _, cells in units]
    return _bars(
        "area",
        [name for name, _ in units],
        [[cells.comb - carry for (_, cells), carry in zip(units, carries, strict=True)], carries],
        colours=[[ACCENT] * len(units), [SOFT] * len(units)],
        labels=[count(cells.comb) for _, cells in units],
        axis="TRELLIS_COMB, estimated",
    )


def _bars(
    name: str,
    rows: Sequence[str],
    series: Sequence[Sequence[int]],
    *,
    colours: Sequence[Sequence[str]],
    labels: Sequence[str],
    axis: str,
    mark: int | None = None,
) -> str:
    """Horizontal stacked bars, the first row on top, each row's label at its end; `mark` is a dashed line across."""
    with style.context(["default", RC]):
        height = 0.62 + BAR_INCHES * len(rows)
        figure = Figure(figsize=(WIDTH_INCHES, height))
        names = [_shortened(text(row)) for row in rows]
        left = (12 + 5.9 * max(map(len, names))) / 72 / WIDTH_INCHES
        axes = figure.add_axes((left, 0.46 / height, 0.87 - left, 1 - 0.54 / height))
        positions = range(len(rows))
        ends = [0] * len(rows)
        for values, shades in zip(series, colours, strict=True):
            axes.barh(positions, values, left=ends, color=list(shades), height=0.66)
            ends = [end + value for end, value in zip(ends, values, strict=True)]
        for position, end, label in zip(positions, ends, labels, strict=True):
            axes.annotate(label, (end, position), (4, 0), textcoords="offset points", va="center", fontsize=9)
        if mark is not None:
            axes.axvline(mark, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0.9)
        _finish(axes, names, axis, greatest=max([*ends, mark or 0, 1]))
        return to_inline_svg(figure, name)


def _finish(axes: Axes, names: Sequence[str], axis: str, *, greatest: int) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, greatest * 1.02)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: si(value)))
    axes.xaxis.grid(True)
    axes.tick_params(length=0)
    axes.set_xlabel(axis)


def _shortened(name: str, longest: int = 18) -> str:
    """The end of a long dotted name: what tells it from its neighbours."""
    return name if len(name) <= longest else "…" + name[-longest + 1 :]


def to_inline_svg(figure: Figure, name: str) -> str:
    """`figure` as an <svg> element for an HTML page; `name` keeps its identifiers apart from other plots'."""
    buffer = io.StringIO()
    FigureCanvasSVG(figure).print_svg(buffer, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", svg)
    for stand_in, variable in COLOURS.items():
        svg = svg.replace(stand_in, variable)
    return svg
