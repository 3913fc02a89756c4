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

__all__ = ["columns_of", "first_line_read", "layer_instruction", "lines_of", "lines_read", "of_each_phase"]


def first_line_read(layer: EngineLayer, line: int) -> int:
    """The first line inside of the input map that output line `line` and those behind it read."""
    return max(0, _place(layer, 0, line) - layer.conv.padding[0])


def lines_read(layer: EngineLayer, lines: int, axis: int = 0) -> int:
    """Input lines that so many output lines read at most; or, for axis 1, columns."""
    return min(layer.in_shape[axis], _last(layer, axis, lines - 1) - _first(layer, axis, 0))


def lines_of(layer: EngineLayer, lines: range) -> range:
    """The input lines, inside of the map, that these output lines read."""
    return _inside(layer, 0, lines)


def columns_of(layer: EngineLayer, columns: range, place: MapPlace) -> range:
    """The input columns of each strip that lie in a place for these output columns: all of them where it has room."""
    if place.columns * place.strips == layer.in_shape[1]:
        return range(place.columns)
    return _inside(layer, 1, columns)


def _place(layer: EngineLayer, axis: int, number: int) -> int:
    """The line or the column of the input at which an output's first window lies, the padding of which is beyond it."""
    pool = layer.pool
    return (number * pool.stride[axis] - pool.padding[axis]) * layer.conv.stride[axis]


def _first(layer: EngineLayer, axis: int, number: int) -> int:
    """The first input line or column that it reads, be it beyond the map."""
    return _place(layer, axis, number) - layer.conv.padding[axis]


def _last(layer: EngineLayer, axis: int, number: int) -> int:
    """The one behind the last one."""
    conv = layer.conv
    return _first(layer, axis, number) + (layer.pool.kernel[axis] - 1) * conv.stride[axis] + conv.extent[axis]


def _inside(layer: EngineLayer, axis: int, those: range) -> range:
    first, last = _first(layer, axis, those.start), _last(layer, axis, those.stop - 1)
    return range(max(0, first), min(layer.in_shape[axis], last))


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
    held: range | None = None,
    **fields: int,
) -> Layer:
    """The instruction for these output lines, so many columns of each strip, by default all, and tiles of rows.
    `source` holds the first map that is read, of which its first line is the first one that is read, and of each strip
    the columns `held`, by default all; output columns begin at `first_column`. `fields` are those of `Layer` that say
    where things lie."""
    columns = layer.out_shape[1] // source.strips if columns is None else columns
    held = range(source.columns) if held is None else held
    pool_lines, pool_columns = layer.pool.kernel
    steps = _steps(layer, columns, source)
    if layer.gives_sums:  # sums: of one pixel after the other
        steps |= dict.fromkeys(_POOL_STEPS, 0)
        pool_columns = shape.array.pixels
    strip = np.arange(shape.array.pixels) % source.strips
    first_line = _place(layer, 0, lines.start)
    column = _place(layer, 1, first_column) - held.start
    origin = source.base + (first_line - first_line_read(layer, lines.start)) * source.line_words
    origin += column * source.column_words
    return Layer(
        pool_columns=pool_columns,
        pool_lines=pool_lines,
        columns=columns,
        lines=len(lines),
        row_tiles=row_tiles // array_rows(layer, shape).inside,
        origin=origin,
        **steps,
        in_columns=len(held),
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
    inside = tiles * whole.values.inside_tiles
    return [
        replace(
            whole,
            row_tiles=tiles,
            weights=whole.weights + phase * inside * whole.weight_step,
            parameters=whole.parameters + phase * inside * whole.values.bases * shape.array.row_groups,
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


def _steps(layer: EngineLayer, columns: int, source: MapPlace) -> dict[str, Any]:
    """What each loop adds to the tile's column, line and address."""
    down, across = layer.conv.stride
    (lines_inside, columns_inside), (lines_apart, columns_apart) = layer.pool.kernel, layer.pool.stride
    lines_back, columns_back = (1 - lines_inside) * down, (1 - columns_inside) * across
    moves = {  # loop: (lines, columns) from the last place inside it to the next one's first
        "pool_column": (0, across),
        "pool_line": (down, columns_back),
        "column": (lines_back, columns_back + columns_apart * across),
        "line": (lines_back + lines_apart * down, columns_back - (columns - 1) * columns_apart * across),
    }
    steps: dict[str, Any] = {}
    for loop, (line, column) in moves.items():
        step = line * source.line_words + column * source.column_words
        steps |= {f"line_step_{loop}": line, f"column_step_{loop}": column, f"step_{loop}": step}
    return steps


def _mask(bits: NDArray[np.bool_]) -> int:
    return sum(int(bit) << place for place, bit in enumerate(bits))
