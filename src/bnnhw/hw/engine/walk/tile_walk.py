"""The walk over a layer's tiles: where each reads, which weights it meets and where its bits go.

Tests: tests/hw/engine/test_engine.py
"""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import COORDINATE_BITS, EngineShape
from bnnhw.hw.engine.program.instruction import LOOPS, layer_layout

__all__ = ["TileWalk", "tile_layout"]

_COUNTS = ("pool_columns", "pool_lines", "columns", "lines", "row_tiles")
_COUNTS_OF_VALUES = ("bases", "inside_tiles")


def tile_layout(shape: EngineShape) -> data.StructLayout:
    """A tile: what its beats begin with, and what becomes of its sums."""
    address, pixels = shape.address_bits, shape.array.pixels
    return data.StructLayout(
        {
            "address": address,
            "column": COORDINATE_BITS,
            "line": COORDINATE_BITS,
            "weights": (shape.weight_words - 1).bit_length(),
            "parameters": (shape.parameters - 1).bit_length(),
            "out": address,
            "part": shape.parts,  # of a word, one-hot
            "first": 1,  # of a pooling window
            "last": 1,
            "pixel": (pixels - 1).bit_length(),
            **(_of_values(shape) if shape.values else {}),
        }
    )


def _of_values(shape: EngineShape) -> dict[str, int]:
    """What lanes want to know besides. left, right, outside: its place in the map that is read is before the first
    column, behind the last one, or beyond the lines. follows: it is added to the one before it, of another basis of
    the inputs; ends: none follows it."""
    bits = shape.value_address_bits
    flags = ("left", "right", "outside", "follows", "ends")
    return {"values_in": bits, "values_out": bits, **dict.fromkeys(flags, 1)}


class TileWalk(wiring.Component):
    """Five nested loops over a layer, in an engine with values seven. The tile after the one taken is there LEAST_BEATS
    cycles later.

    Members
    -------
    layer : In(layer_layout(shape))
        From `start` on.
    start : In(1)
        The first tile is there LEAST_BEATS cycles later.
    take : In(1)
        On to the next tile.
    tile : Out(tile_layout(shape))
    final : Out(1)
        `tile` is the layer's last one.
    """

    layer: Any
    start: Signal
    take: Signal
    tile: Any
    final: Signal

    def __init__(self, shape: EngineShape):
        self.shape = shape
        super().__init__(
            {
                "layer": In(layer_layout(shape)),
                "start": In(1),
                "take": In(1),
                "tile": Out(tile_layout(shape)),
                "final": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        layer, tile = self.layer, self.tile
        counts = (*(_COUNTS_OF_VALUES if self.shape.values else ()), *_COUNTS)
        pools = slice(len(counts) - len(_COUNTS), len(counts) - len(_COUNTS) + 2)
        counters = [Signal(len(layer[name]), name=name) for name in counts]
        ends = Signal(len(counters))
        goes_on = Signal(len(counters))  # one-hot: the loop that does at the next `take`
        m.d.sync += ends.eq(Cat(counter == layer[name] for counter, name in zip(counters, counts, strict=True)))
        m.d.sync += goes_on.eq(Cat(~ends[loop] & ends[:loop].all() for loop in range(len(counters))))
        m.d.sync += self.final.eq(ends.all())
        m.d.comb += [
            tile.first.eq(~Cat(counters[pools]).any()),
            tile.last.eq(ends[: pools.stop].all()),
        ]
        with m.If(self.take):
            for loop, counter in enumerate(counters):
                with m.If(goes_on[loop:].any() & (goes_on[loop] == 0)):
                    m.d.sync += counter.eq(0)
                with m.If(goes_on[loop]):
                    m.d.sync += counter.eq(counter + 1)
        for register, prefix in ((tile.address, "step"), (tile.column, "column_step"), (tile.line, "line_step")):
            self._place(m, register, prefix, goes_on[pools.start :])
        self._rows(m, goes_on[pools.start :])
        if self.shape.values:
            m.d.comb += [tile.follows.eq(counters[0].any()), tile.ends.eq(ends[0])]
            self._rows_inside(m, goes_on)
            self._values(m, goes_on[1:])
            self._place_in_map(m)
        with m.If(self.take):
            m.d.sync += tile.pixel.eq(Mux(goes_on[pools.start], tile.pixel + 1, 0))
        with m.If(self.start):
            m.d.sync += [counter.eq(0) for counter in counters]
            m.d.sync += [tile.address.eq(layer.origin), tile.column.eq(layer.first_column), tile.pixel.eq(0)]
            m.d.sync += tile.line.eq(layer.first_line)
        return m

    def _place(self, m: Module, register: Value, prefix: str, goes_on: Value) -> None:
        """A coordinate of the tile, which steps with the loops; a new tile of rows begins where the first one did."""
        layer = self.layer
        step = Signal(len(register), name=f"{prefix}_now")
        restart = {"step": layer.origin, "column_step": layer.first_column, "line_step": layer.first_line}[prefix]
        steps = Cat(layer[f"{prefix}_{loop}"] for loop in LOOPS)
        chosen: Value = Const(0, len(register))
        for number in range(len(LOOPS)):
            chosen = Mux(goes_on[number], steps.word_select(number, len(register)), chosen)
        m.d.sync += step.eq(chosen)
        with m.If(self.take):
            m.d.sync += register.eq(Mux(goes_on[-1], restart, register + step))

    def _rows(self, m: Module, goes_on: Value) -> None:
        """Weights, parameters and the place of the bits."""
        layer, tile = self.layer, self.tile
        rows_out = Signal(len(tile.out))  # of the first pixel of this tile of rows
        next_rows_out = Signal(len(tile.out))
        m.d.sync += next_rows_out.eq(Mux(tile.part[-1], rows_out + layer.out_plane, rows_out))
        with m.If(self.take):
            with m.If(goes_on[2]):
                m.d.sync += tile.out.eq(tile.out + layer.out_column_step)
            with m.If(goes_on[3]):
                m.d.sync += tile.out.eq(tile.out + layer.out_line_step)
            with m.If(goes_on[-1]):
                m.d.sync += [
                    tile.weights.eq(tile.weights + layer.weight_step),
                    tile.parameters.eq(tile.parameters + self.shape.array.row_groups),
                    tile.part.eq(tile.part.rotate_left(1)),
                    rows_out.eq(next_rows_out),
                    tile.out.eq(next_rows_out),
                ]
        with m.If(self.start):
            m.d.sync += [
                tile.weights.eq(layer.weights),
                tile.parameters.eq(layer.parameters),
                tile.part.eq(1),
                rows_out.eq(layer.out),
                tile.out.eq(layer.out),
            ]

    def _rows_inside(self, m: Module, goes_on: Signal) -> None:
        """Tiles of rows in the innermost loops: the same weights for each basis of the inputs, then those of the next
        tile; from the first ones on again where another loop goes on."""
        layer, tile = self.layer, self.tile
        weights, parameters = (
            Signal.like(tile.weights, name="first_weights"),
            Signal.like(tile.parameters, name="first"),
        )
        row_groups = self.shape.array.row_groups
        with m.If(self.take):
            with m.If(goes_on[:2].any()):
                m.d.sync += tile.parameters.eq(tile.parameters + row_groups)
            with m.If(goes_on[1]):
                m.d.sync += tile.weights.eq(tile.weights + layer.weight_step)
            with m.If(goes_on[2:-1].any()):
                m.d.sync += [tile.weights.eq(weights), tile.parameters.eq(parameters)]
            with m.If(goes_on[-1]):
                m.d.sync += [
                    weights.eq(tile.weights + layer.weight_step),
                    parameters.eq(tile.parameters + row_groups),
                ]
        with m.If(self.start):
            m.d.sync += [weights.eq(layer.weights), parameters.eq(layer.parameters)]

    def _values(self, m: Module, goes_on: Value) -> None:
        """Where residuals come from, and where values go; the same for each basis of the inputs."""
        layer, tile, row_groups = self.layer, self.tile, self.shape.array.row_groups
        for register, begin, column, line in (
            (tile.values_in, layer.values_in, layer.in_column_step, layer.in_line_step),
            (tile.values_out, layer.values_out, layer.out_step, layer.out_step),
        ):
            rows = Signal(len(register))  # of the first pixel of the next tile of rows
            with m.If(self.take):
                with m.If(goes_on[0]):
                    m.d.sync += register.eq(register + layer.inside_rows)
                with m.If(goes_on[1:3].any()):
                    m.d.sync += register.eq(register - layer.inside_back)
                with m.If(goes_on[3]):
                    m.d.sync += register.eq(register + column)
                with m.If(goes_on[4]):
                    m.d.sync += register.eq(register + line)
                with m.If(goes_on[-1]):
                    m.d.sync += [register.eq(rows), rows.eq(rows + row_groups)]
            with m.If(self.start):
                m.d.sync += [register.eq(begin), rows.eq(begin + row_groups)]

    def _place_in_map(self, m: Module) -> None:
        """Whether the tile's place is one of the map's, a cycle after the place."""
        layer, tile = self.layer, self.tile
        column, line = tile.column.as_signed(), tile.line.as_signed()
        m.d.sync += [
            tile.left.eq(column < 0),
            tile.right.eq((column >= 0) & (tile.column >= layer.in_columns)),
            tile.outside.eq((line < 0) | (tile.line >= layer.in_lines)),
        ]
