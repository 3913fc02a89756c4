"""A drawing of the core: its units from top to bottom, a layer's in a box, and the streams between them in lanes.

A row has a unit's engine and folding, its cycles, and what it gives: elements and bits of a beat, beats, and the share
of the core's interval in which a beat goes over the stream. Each row has one node, so nothing runs into another's way,
whatever the graph; text is of one width a sign, so nothing overlaps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bnnhw.pages.formats import TIMES, count, percent, text

from .data import BuildReport, Stream, Unit
from .lanes import Edge, Lanes, lay_out

__all__ = ["BAR", "SIGN", "Bar", "Box", "Curve", "Drawing", "Node", "Text", "draw", "layers_of"]

SIGN = 7.3
"""Greatest width of a sign of 12 pixels in the usual monospaced fonts, 0.6 of the height."""
LANE, ROW, GAP, MARGIN, PADDING, BAR = 16, 22, 8, 14, 10, 72
COLUMNS = {"unit": 16, "detail": 42, "cycles": 11, "cycles bar": BAR / SIGN, "gives": 16, "beats": 10, "busy": 9}
"""Each column and its width in signs."""
NUMBERS = ("cycles", "gives", "beats", "busy")
"""Columns whose words end at the right."""
NAMES = COLUMNS["unit"] + 1 + COLUMNS["detail"]
"""Signs of a layer's name."""
FEEDS = ("width converter", "queue", "sliding window")
"""Engines of units that belong to the layer behind them."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """Words that begin at x, or that end there; y is their base line. look: classes of CSS. title: all of what was cut
    short."""

    x: float
    y: float
    words: str
    look: str = ""
    ends: bool = False
    title: str = ""

    @property
    def extent(self) -> tuple[float, float]:
        """Left and right."""
        width = SIGN * len(self.words)
        return (self.x - width, self.x) if self.ends else (self.x, self.x + width)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """So many of BAR pixels; y is the middle."""

    x: float
    y: float
    length: float
    look: str = ""


@dataclass(frozen=True, kw_only=True)
class Box:
    """The frame of a layer's units."""

    y: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Node:
    """A unit's place in the lanes."""

    x: float
    y: float
    look: str = ""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A stream's way, as the `d` of an SVG path, thicker the busier it is; `title` says all about it."""

    way: str
    title: str
    thickness: float


@dataclass
class Drawing:
    """What to draw, in pixels: boxes, from `left` on, then curves, nodes, bars and texts."""

    left: float
    width: float
    height: float = 0
    texts: list[Text] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)

    def column(self, name: str) -> float:
        """Where a column begins."""
        names = list(COLUMNS)
        return self.left + PADDING + SIGN * sum(COLUMNS[other] + 1 for other in names[: names.index(name)])

    def put(self, column: str, y: float, words: str, look: str = "", *, signs: float = 0) -> None:
        """Words in a column, cut to its width or to so many signs; in those of numbers at the right."""
        cut, ends = _cut(words, signs or COLUMNS[column]), column in NUMBERS
        x = self.column(column) + SIGN * COLUMNS[column] * ends
        self.texts.append(Text(x=x, y=y + 4, words=cut, look=look, ends=ends, title="" if cut == words else words))

    def put_bar(self, column: str, y: float, share: float, look: str = "") -> None:
        """A share, 0 to 1 and perhaps more, as a bar."""
        self.bars.append(Bar(x=self.column(column), y=y, length=BAR * min(1.0, share), look=look))


def draw(report: BuildReport) -> Drawing:
    """The drawing of a report with streams."""
    outputs = sorted({stream.input for stream in report.streams if stream.target is None})
    last = len(report.units) + 1
    ends = [
        (
            0 if stream.source is None else stream.source + 1,
            last + outputs.index(stream.input) if stream.target is None else stream.target + 1,
        )
        for stream in report.streams
    ]
    lanes = lay_out(last + len(outputs), ends)
    left = MARGIN + LANE * lanes.count
    drawing = Drawing(left, left + PADDING + SIGN * sum(signs + 1 for signs in COLUMNS.values()) + MARGIN)
    for column in COLUMNS:
        if column != "cycles bar":
            drawing.put(column, 14, {"detail": "folding, depth"}.get(column, column), "muted")
    y = 44.0
    places = [y]
    _write_stream(drawing, y, "core input", _of_row(report, 0), report)
    y += ROW
    for layer in layers_of(report):
        y, rows = _write_layer(drawing, y, layer, report)
        places += rows
    for name in outputs:
        y += GAP
        places.append(y)
        drawing.put("unit", y, "core output" if len(outputs) == 1 else f"core output {name}", signs=NAMES)
        y += ROW
    drawing.height = y - ROW / 2 + 4
    _write_graph(drawing, lanes, places, report)
    return drawing


def layers_of(report: BuildReport) -> list[list[int]]:
    """The units, by position, in rows that belong together: what feeds a product, the product, and what is behind it;
    or what joins values, and what is behind that."""
    into: dict[int | None, list[int | None]] = {}
    out_of: dict[int | None, list[int | None]] = {}
    for stream in report.streams:
        into.setdefault(stream.target, []).append(stream.source)
        out_of.setdefault(stream.source, []).append(stream.target)
    layers: list[list[int]] = []
    for number, unit in enumerate(report.units):
        in_series = number > 0 and into.get(number) == [number - 1] and out_of.get(number - 1) == [number]
        begins = unit.engine in FEEDS or unit.pe is not None or len(out_of.get(number, ())) > 1
        if in_series and (not begins or report.units[number - 1].engine in FEEDS):
            layers[-1].append(number)
        else:
            layers.append([number])
    return layers


def _write_layer(drawing: Drawing, y: float, layer: Sequence[int], report: BuildReport) -> tuple[float, list[float]]:
    """A box with its units; where the next one begins, and the middles of the rows."""
    units = [report.units[number] for number in layer]
    main = next((unit for unit in units if unit.pe is not None), units[0])
    title = main.name if len(units) > 1 and (main.pe is not None or is_called(main.name, units)) else ""
    y += GAP
    drawing.boxes.append(Box(y=y - ROW / 2, height=ROW * (len(units) + bool(title))))
    if title:
        drawing.put("unit", y, text(title), "layer", signs=NAMES)
        y += ROW
    rows = []
    for number, unit in zip(layer, units, strict=True):
        rows.append(y)
        look = "slow" if unit in report.bottlenecks else ""
        _write_stream(drawing, y, text(unit.engine), _of_row(report, number + 1), report, look)
        if detail := detail_of(unit, title):
            drawing.put("detail", y, text(detail), "muted")
        if unit.cycles:
            drawing.put("cycles", y, count(unit.cycles), look)
            drawing.put_bar("cycles bar", y, unit.cycles / report.performance.interval_cycles, look)
        y += ROW
    return y, rows


def detail_of(unit: Unit, layer: str) -> str:
    """What else there is to say about a unit of a layer: its folding, its depth, its stages, or what its name says."""
    if unit.pe is not None:
        more = [f"{size} {name}" for size, name in ((unit.planes, "planes"), (unit.vectors, "vectors")) if size != 1]
        return ", ".join([f"PE {unit.pe}, SIMD {unit.simd}", *more, unit.weight_store or ""])
    if unit.depth is not None:
        return f"{count(unit.depth)} beats"
    if unit.latency is not None:
        return f"{count(unit.latency)} stages"
    if not layer or not is_called(layer, [unit]):
        return unit.name.removesuffix(unit.engine).strip()
    rest = unit.name.removeprefix(layer).strip()
    return "" if rest.removesuffix("s") in unit.engine else rest


def is_called(name: str, units: Iterable[Unit]) -> bool:
    """Whether all units' names begin with it."""
    return all(f"{unit.name} ".startswith(f"{name} ") for unit in units)


def _of_row(report: BuildReport, row: int) -> list[Stream]:
    """The streams that leave a row."""
    return [stream for stream in report.streams if (0 if stream.source is None else stream.source + 1) == row]


def _write_stream(
    drawing: Drawing, y: float, name: str, streams: Sequence[Stream], report: BuildReport, look: str = ""
) -> None:
    """A row's name, and the busiest of the streams that leave it."""
    drawing.put("unit", y, name, look)
    stream = max(streams, key=lambda stream: stream.beats)
    busy = stream.beats / report.performance.interval_cycles
    drawing.put("gives", y, _beat(stream))
    drawing.put("beats", y, count(stream.beats))
    drawing.put("busy", y, percent(busy, 0 if busy > 0.0995 else 1), "slow" if busy > 0.995 else "")


def _beat(stream: Stream) -> str:
    return f"{count(stream.elements)} {TIMES} {stream.bits} bit{'s' * (stream.bits > 1)}"


def _write_graph(drawing: Drawing, lanes: Lanes, places: Sequence[float], report: BuildReport) -> None:
    """Nodes and streams, by the middles of all rows."""
    slow = {row for row, unit in enumerate(report.units, start=1) if unit in report.bottlenecks}
    for row, lane in enumerate(lanes.nodes):
        drawing.nodes.append(Node(x=_x(lane), y=places[row], look="slow" if row in slow else ""))
    names = [
        "core input",
        *(unit.name for unit in report.units),
        *["core output"] * (len(places) - len(report.units) - 1),
    ]
    for edge, stream in zip(lanes.edges, report.streams, strict=True):
        busy = stream.beats / report.performance.interval_cycles
        title = f"{names[edge.source]} → {names[edge.target]}: {_beat(stream)}, {count(stream.beats)} beats, "
        drawing.curves.append(
            Curve(
                way=_way(edge, lanes, places),
                title=text(title + percent(busy)),
                thickness=round(1.2 + 2.4 * min(1.0, busy), 2),
            )
        )


def _way(edge: Edge, lanes: Lanes, places: Sequence[float]) -> str:
    """Out of the node into the lane, down, and into the other node."""
    begin, lane, end = _x(lanes.nodes[edge.source]), _x(edge.lane), _x(lanes.nodes[edge.target])
    top, bottom, half = places[edge.source], places[edge.target], ROW / 2
    down = f"M{begin:g} {top:g}Q{lane:g} {top:g} {lane:g} {top + half:g}"
    return f"{down}V{bottom - half:g}Q{lane:g} {bottom:g} {end:g} {bottom:g}"


def _x(lane: int) -> float:
    return MARGIN + LANE * (lane + 0.25)


def _cut(words: str, signs: float) -> str:
    """The end of what is too long: what tells a name from its neighbours."""
    return words if len(words) <= signs else "…" + words[-int(signs) + 1 :]
