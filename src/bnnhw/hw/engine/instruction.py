"""What an engine's program is made of: instructions, a layer each, and the taps that its beats read.

Tests: tests/hw/engine/test_engine.py
"""

from dataclasses import dataclass, fields
from enum import IntEnum

from amaranth.lib import data

from .engine_shape import COORDINATE_BITS, TAP_BITS, WORD, EngineShape
from .packets import Memory

__all__ = ["LOOPS", "Kind", "Layer", "Load", "Tap", "layer_layout", "load_layout", "tap_layout"]


class Kind(IntEnum):
    """An instruction's first word."""

    END = 0
    LAYER = 1
    LOAD = 2
    LAYER_BEHIND_LOADS = 3


LOOPS = ("pool_column", "pool_line", "column", "line")
"""The loops over a layer's tiles, innermost first; the one over its tiles of rows is around them."""


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
    border_code : int
        1: words outside of the map are zeros. 0: they count simd / 2 mismatches, a product of 0.
    first_pixels, last_pixels : int
        Masks of the pixels with nothing on their left, and on their right.
    out, out_plane : int
        The address of the first word of bits, and the words from one word of channels to the next.
    capture : int
        1: the sums of one pixel a tile go to the host, and no bits are written: of pixel n in the n-th pass of the loop
        over pool columns.
    behind_loads : bool
        It waits until what is being loaded is there.
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
    border_code: int = 0
    first_pixels: int
    last_pixels: int
    out: int = 0
    out_plane: int = 0
    capture: int = 0
    behind_loads: bool = False

    def words(self, shape: EngineShape) -> list[int]:
        """The instruction as words of the bus: its kind, then a word for each field."""
        words = [Kind.LAYER_BEHIND_LOADS if self.behind_loads else Kind.LAYER]
        for name, width in _widths(shape).items():
            value = getattr(self, name) - (name in _COUNTS)
            if not -(1 << width - 1) <= value < 1 << width:
                raise ValueError(f"{name}={getattr(self, name)} must fit into {width} bits of an instruction")
            words.append(value & (1 << width) - 1)
        return words

    @property
    def tiles(self) -> int:
        """Tiles of the array."""
        return self.pool_columns * self.pool_lines * self.columns * self.lines * self.row_tiles


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
        "capture": 1,
        "origin": address,
        "out": address,
        "out_plane": address,
    }
    for field in fields(Layer):
        if field.name not in known and field.name != "behind_loads":
            known[field.name] = address if field.name.startswith("step_") else COORDINATE_BITS
    return {field.name: known[field.name] for field in fields(Layer) if field.name != "behind_loads"}


def layer_layout(shape: EngineShape) -> data.StructLayout:
    """The fields as a signal has them."""
    return data.StructLayout(dict(_widths(shape)))


@dataclass(frozen=True)
class Load:
    """Words of the external memory, from a burst on, go into a memory; the program goes on meanwhile.

    source, bursts : int
        In the external memory.
    memory : Memory
    address : int
        Of its first word of the bus.
    """

    source: int
    bursts: int
    memory: Memory
    address: int

    def words(self, shape: EngineShape) -> list[int]:
        """The instruction as words of the bus."""
        return [Kind.LOAD, self.source, self.bursts, self.bursts * shape.burst_words - 1, self.memory, self.address]


def load_layout(shape: EngineShape) -> data.StructLayout:
    """The fields of a load as a signal has them; `words` is less 1."""
    assert shape.external is not None, "an engine without external memory loads nothing"
    bits = shape.external.address_bits
    return data.StructLayout({"source": bits, "bursts": bits, "words": WORD, "memory": 4, "address": WORD})


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
