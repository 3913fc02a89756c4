"""Plots for pages: inline SVG in the page's CSS variables for colours, so that they follow its light and dark theme.

Text stays text: it scales, can be searched and takes the page's font. The same data give the same bytes on every
machine: matplotlib's own defaults rule, not the user's; identifiers come from a fixed salt; nothing carries a date.

Tests: tests/compiler/report/test_page.py
"""

import io
import re

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

__all__ = ["ACCENT", "INK", "LINE", "MUTED", "RC", "WARM", "WIDTH_INCHES", "to_inline_svg"]

WIDTH_INCHES = 3.9
COLOURS = {  # stand-in that matplotlib draws with -> the page's CSS variable
    "#010101": "var(--ink)",
    "#020202": "var(--muted)",
    "#030303": "var(--line)",
    "#040404": "var(--accent)",
    "#050505": "var(--warm)",
}
INK, MUTED, LINE, ACCENT, WARM = COLOURS
RC = {
    "svg.fonttype": "none",
    "svg.hashsalt": "bnnhw",
    "font.size": 9,
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
