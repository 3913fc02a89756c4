"""A layer as the engine's instruction.

Tests: tests/compiler/engine/test_compile.py
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.lane_format import VALUE_BITS
from bnnhw.hw.engine.program.instruction import Layer
from bnnhw.hw.engine.program.value_fields import NO_VALUES, ValueFields

from .array_rows import array_rows
from .layers import EngineLayer
from .maps import MapPlace

__all__ = ["first_line_read", "layer_instruction", "lines_of", "lines_read", "of_each_phase"]


def first_line_read(layer: EngineLayer, line: int) -> int:
    """The first line inside of the input map that output line `line` and those behind it read."""
    return max(0, line * layer.pool[0] * layer.conv.stride[0] - layer.conv.padding[0])


def lines_read(layer: EngineLayer, lines: int) -> int:
    """Input lines that so many output lines read at most."""
    conv = layer.conv
    return min(layer.in_shape[0], (lines * layer.pool[0] - 1) * conv.stride[0] + conv.extent[0])


def lines_of(layer: EngineLayer, lines: range) -> range:
    """The input lines, inside of the map, that these output lines read."""
    first = first_line_read(layer, lines.start)
    conv = layer.conv
    last = (lines.stop * layer.pool[0] - 1) * conv.stride[0] + conv.extent[0] - conv.padding[0]
    return range(first, min(layer.in_shape[0], last))


def layer_instruction(
    layer: EngineLayer,
    shape: EngineShape,
    source: MapPlace,
    values: ValueFields = NO_VALUES,
    /,
    *,
    lines: range,
    row_tiles: int,
    columns: int | None = None,
    first_column: int = 0,
    **fields: int,
) -> Layer:
    """The instruction for these output lines, so many columns of each strip, by default all, and tiles of rows.
    `source` holds the first map that is read, of which its first line is the first one that is read; output columns
    begin at `first_column` of those that it is read for. `fields` are those of `Layer` that say where things lie."""
    conv = layer.conv
    columns = layer.out_shape[1] // source.strips if columns is None else columns
    pool_lines, pool_columns = layer.pool
    down, across = conv.stride
    if layer.gives_sums:  # sums: of one pixel after the other
        steps = _steps(down, across, 1, 1, columns, source) | dict.fromkeys(_POOL_STEPS, 0)
        pool_columns = shape.array.pixels
    else:
        steps = _steps(down, across, pool_lines, pool_columns, columns, source)
    inside = array_rows(layer, shape).inside
    if inside > 1:  # tiles of rows in the place of pool columns
        steps |= dict.fromkeys(_POOL_STEPS, 0)
        pool_columns = inside
    strip = np.arange(shape.array.pixels) % source.strips
    first_line = lines.start * pool_lines * down
    column = first_column * layer.columns_apart
    origin = source.base + (first_line - first_line_read(layer, lines.start)) * source.line_words
    origin += column * source.column_words
    return Layer(
        pool_columns=pool_columns,
        pool_lines=pool_lines,
        columns=columns,
        lines=len(lines),
        row_tiles=row_tiles // inside,
        origin=origin,
        **steps,
        in_columns=source.columns,
        in_lines=layer.in_shape[0],
        first_line=first_line,
        first_column=column,
        border_code=int(layer.pads_with_code),
        first_pixels=_mask(strip == 0),
        last_pixels=_mask(strip == source.strips - 1),
        capture=int(layer.gives_sums),
        discard=int(not layer.gives_sums and not layer.writes_bits),
        values=values,
        **fields,
    )


def of_each_phase(layer: EngineLayer, whole: Layer, shape: EngineShape) -> list[Layer]:
    """A layer's instruction as those for the first pixels of its blocks, then the next ones, .., or for its bit planes,
    the lowest one first; itself where its channels become neither."""
    if layer.bit_planes > 1:
        return _of_each_plane(layer, whole, shape)
    block = layer.block
    if block == 1:
        return [whole]
    tiles, columns = whole.row_tiles // block**2, block * whole.columns
    return [
        replace(
            whole,
            row_tiles=tiles,
            weights=whole.weights + phase * tiles * whole.weight_step,
            parameters=whole.parameters + phase * tiles * shape.array.row_groups,
            out=whole.out + phase // block * columns + phase % block,
            out_column_step=block,
            out_line_step=block * columns - (columns - block),
        )
        for phase in range(block**2)
    ]


def _of_each_plane(layer: EngineLayer, whole: Layer, shape: EngineShape) -> list[Layer]:
    plane_words = -(-layer.out_shape[2] // shape.array.simd) * whole.out_plane
    sign = layer.bit_planes - 1
    bits = [*range(sign), VALUE_BITS - 1]
    return [
        replace(whole, out=whole.out + plane * plane_words, values=replace(whole.values, compared_bit=bit))
        for plane, bit in enumerate(bits)
    ]


_POOL_STEPS = tuple(
    f"{prefix}step_{loop}" for prefix in ("", "column_", "line_") for loop in ("pool_column", "pool_line")
)


def _steps(
    down: int, across: int, pool_lines: int, pool_columns: int, columns: int, source: MapPlace
) -> dict[str, Any]:
    """What each loop adds to the tile's column, line and address."""
    moves = {  # loop: (lines, columns) from the last place inside it to the next one's first
        "pool_column": (0, across),
        "pool_line": (down, -(pool_columns - 1) * across),
        "column": (-(pool_lines - 1) * down, across),
        "line": (down, -(columns * pool_columns - 1) * across),
    }
    steps: dict[str, Any] = {}
    for loop, (line, column) in moves.items():
        step = line * source.line_words + column * source.column_words
        steps |= {f"line_step_{loop}": line, f"column_step_{loop}": column, f"step_{loop}": step}
    return steps


def _mask(bits: NDArray[np.bool_]) -> int:
    return sum(int(bit) << place for place, bit in enumerate(bits))
