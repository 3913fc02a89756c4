"""What an engine's program is made of: layers, and the taps that their beats read.

Tests: tests/hw/engine/test_engine.py
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache

from amaranth.lib import data

from bnnhw.hw.engine.engine_shape import COORDINATE_BITS, TAP_BITS, WORD, EngineShape

from .value_fields import NO_VALUES, ValueFields, value_field_widths

__all__ = ["COUNT_BITS", "END", "LOOPS", "Layer", "Tap", "instruction_words", "layer_layout", "packed", "tap_layout"]

END = 0
"""The word behind the last instruction of a list."""
COUNT_BITS = 16
"""Bits of the number of instructions that another list must have ended before one begins."""


def instruction_words(layout: data.StructLayout) -> int:
    """Words of the bus of an instruction: its kind and what it waits for, and its fields without gaps."""
    return 1 + -(-layout.size // WORD)


def packed(layout: data.StructLayout, values: Mapping[str, int], *, behind: int) -> list[int]:
    """An instruction as words of the bus; it waits until the other list has ended `behind` instructions.

    Raises ValueError where a value does not fit.
    """
    bits = 0
    for name, field in layout:
        value = values[name]
        if not -(1 << field.width - 1) <= value < 1 << field.width:
            raise ValueError(f"{name}={value} must fit into {field.width} bits of an instruction")
        bits |= (value & (1 << field.width) - 1) << field.offset
    if not 0 <= behind < 1 << COUNT_BITS:
        raise ValueError(f"behind={behind} must fit into {COUNT_BITS} bits of an instruction")
    words = range(0, layout.size, WORD)
    return [1 | behind << 1, *(bits >> at & (1 << WORD) - 1 for at in words)]


LOOPS = ("pool_column", "pool_line", "column", "line")
"""The loops over a layer's tiles, innermost first; the one over its tiles of rows is around them, and in an engine with
values those over `bases` and `inside_tiles` in them."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer: for each tile of rows, line, column and pixel of a pooling window, `beats` beats of the table.

    Every pixel of the array walks over the same places of its own bank: of its own frame, or of its own strip of
    columns of a frame. A beat's word lies at the tile's address + the tap's offset; beyond a strip's end it is the
    neighbour's.

    Parameters
    ----------
    taps, weights, parameters : int
        Where those of the layer begin.
    beats : int
        Beats of a tile.
    weight_step : int
        Words of weights of a tile of rows: its beats of one plane.
    pool_columns, pool_lines, columns, lines, row_tiles : int
        How often each loop runs.
    origin : int
        The address of the first tile's first word.
    step_* : int
        What the address is more by when this loop goes on, those inside it starting again.
    column_step_*, line_step_* : int
        The same for the column and the line.
    in_columns, in_lines : int
        The size of the map that is read, in one pixel's bank.
    first_line, first_column : int
        The line and the column of that map in which the first tile's window begins: others than 0 for parts of a map.
    border_code : int
        1: words outside of the map are zeros. 0: they count simd / 2 mismatches, a product of 0.
    first_pixels, last_pixels : int
        Masks of the pixels with nothing on their left, and on their right.
    out, out_plane : int
        The address of the first word of bits, and the words from one word of channels to the next.
    out_column_step, out_line_step : int
        What the address of bits is more by in the next column, and in the next line.
    sent : int
        1: the bits go where transfers to the external memory read them, and not into the banks.
    capture : int
        1: the sums of one pixel a tile go to the host, and no bits are written: of pixel n in the n-th pass of the loop
        over pool columns.
    discard : int
        1: no bits are written.
    values : ValueFields
        What lanes do.
    behind : int
        It waits until so many transfers have ended.
    """

    taps: int
    weights: int
    parameters: int
    beats: int
    weight_step: int
    pool_columns: int = 1
    pool_lines: int = 1
    columns: int = 1
    lines: int = 1
    row_tiles: int
    origin: int
    step_pool_column: int = 0
    step_pool_line: int = 0
    step_column: int = 0
    step_line: int = 0
    column_step_pool_column: int = 0
    column_step_pool_line: int = 0
    column_step_column: int = 0
    column_step_line: int = 0
    line_step_pool_column: int = 0
    line_step_pool_line: int = 0
    line_step_column: int = 0
    line_step_line: int = 0
    in_columns: int
    in_lines: int
    first_line: int = 0
    first_column: int = 0
    border_code: int = 0
    first_pixels: int
    last_pixels: int
    out: int = 0
    out_plane: int = 0
    out_column_step: int = 1
    out_line_step: int = 1
    sent: int = 0
    capture: int = 0
    discard: int = 0
    values: ValueFields = NO_VALUES
    behind: int = 0

    def words(self, shape: EngineShape) -> list[int]:
        """The instruction as words of the bus. Raises ValueError where a value has no room."""
        values = {name: getattr(self, name) - (name in _COUNTS) for name in _widths(shape)}
        values |= self.values.of(shape)
        return packed(layer_layout(shape), values, behind=self.behind)

    @property
    def tiles(self) -> int:
        """Tiles of the array."""
        inside = self.values.bases * self.values.inside_tiles * self.pool_columns * self.pool_lines
        return inside * self.columns * self.lines * self.row_tiles


_COUNTS = ("beats", "pool_columns", "pool_lines", "columns", "lines", "row_tiles")  # carried less 1


def _widths(shape: EngineShape) -> dict[str, int]:
    """The bits of each field of a Layer."""
    address, pixels = shape.address_bits, shape.array.pixels
    known = {
        "taps": (shape.taps - 1).bit_length(),
        "weights": (shape.weight_words - 1).bit_length(),
        "parameters": (shape.parameters - 1).bit_length(),
        "weight_step": (shape.weight_words - 1).bit_length(),
        "beats": (shape.taps - 1).bit_length(),
        "row_tiles": COORDINATE_BITS,
        "border_code": 1,
        "first_pixels": pixels,
        "last_pixels": pixels,
        "sent": 1,
        "capture": 1,
        "discard": 1,
        "origin": address,
        "out": address,
        "out_plane": address,
        "out_column_step": address,
        "out_line_step": address,
    }
    for field in fields(Layer):
        if field.name not in known and field.name not in ("values", "behind"):
            known[field.name] = address if field.name.startswith("step_") else COORDINATE_BITS
    return {field.name: known[field.name] for field in fields(Layer) if field.name not in ("values", "behind")}


@cache
def layer_layout(shape: EngineShape) -> data.StructLayout:
    """The fields as a signal has them."""
    return data.StructLayout(_widths(shape) | value_field_widths(shape))


@dataclass(frozen=True)
class Tap:
    """What a beat reads: a word `offset` from the tile's, which lies (lines, columns) from its pixel.

    double: the sums double before it, and the weights are those of the tile's first word again: a bit plane begins.
    idle: it reads nothing, and the sums are 0 behind it.
    """

    offset: int
    column: int = 0
    line: int = 0
    double: bool = False
    idle: bool = False

    def word(self, shape: EngineShape) -> int:
        """The tap as a word of the bus."""
        half = 1 << TAP_BITS - 1
        for name, value in (("column", self.column), ("line", self.line)):
            if not -half <= value < half:
                raise ValueError(f"{name}={value} of a tap must be in {-half}..{half - 1}")
        layout, word = tap_layout(shape), 0
        for name, value in (
            ("offset", self.offset),
            ("column", self.column),
            ("line", self.line),
            ("double", self.double),
            ("idle", self.idle),
        ):
            field = layout[name]
            word |= (int(value) & (1 << field.width) - 1) << field.offset
        return word


def tap_layout(shape: EngineShape) -> data.StructLayout:
    """A tap in a word of the bus."""
    bits = {"offset": shape.address_bits, "column": TAP_BITS, "line": TAP_BITS, "double": 1, "idle": 1}
    assert sum(bits.values()) <= WORD
    return data.StructLayout(bits)
