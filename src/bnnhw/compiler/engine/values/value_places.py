"""Where values lie in the engine, and how a layer's instruction walks over them.

Tests: tests/compiler/engine/test_values.py
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.engine.array_rows import array_rows
from bnnhw.compiler.engine.layers import EngineLayer, EngineNetwork
from bnnhw.compiler.engine.lifetimes import Lifetime, place_lifetimes
from bnnhw.compiler.engine.weight_bases import weight_bases
from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.lane_format import VALUE_BITS
from bnnhw.hw.engine.program.value_fields import NO_VALUES, ValueFields

from .factors import shift_of
from .layer_values import LayerValues, Residual, ValueMap

__all__ = ["ValuePlace", "layer_lanes", "place_values"]


@dataclass(frozen=True)
class ValuePlace:
    """Pixel by pixel of a strip in raster order, the words of its channels: `group_rows` of them each."""

    map: ValueMap
    strips: int
    group_rows: int
    base: int = 0

    @property
    def columns(self) -> int:
        """Of a strip."""
        return self.map.shape[1] // self.strips

    @property
    def pixel_words(self) -> int:
        """From a pixel to the next one."""
        return -(-self.map.shape[2] // self.group_rows)

    @property
    def words(self) -> int:
        """Of each pixel of the array."""
        return self.map.shape[0] * self.columns * self.pixel_words

    def bus_words(self, pixels: int) -> range:
        """Of all pixels, one behind the other on the bus."""
        each = pixels * self.group_rows * VALUE_BITS // WORD
        return range(self.base * each, (self.base + self.words) * each)

    def unpacked(self, words: NDArray[np.uint32], pixels: int) -> NDArray[np.int64]:
        """Those words as values (frames, lines, columns, channels)."""
        lines, _, channels = self.map.shape
        values = np.ascontiguousarray(words, np.dtype("<u4")).view(np.dtype("<i2")).astype(np.int64)
        values = values.reshape(lines, self.columns, self.pixel_words, pixels // self.strips, self.strips, -1)
        # (frames, lines, strips, columns, words, values of a word)
        whole = values.transpose(3, 0, 4, 1, 2, 5).reshape(pixels // self.strips, lines, self.map.shape[1], -1)
        return whole[..., :channels]


def place_values(network: EngineNetwork, shape: EngineShape, strips: Sequence[int]) -> dict[str, ValuePlace]:
    """All maps of values that are kept, each there from the layer that makes it to the last one that adds it. `strips`
    are those of each layer.

    One that takes the place of each value which it adds lies where those did, if nothing needs them any longer.

    Raises ScheduleError where they do not fit.
    """
    layers = network.layers
    first = next((layer for layer in layers if layer.values is not None), None)
    if first is not None and not shape.values:
        raise ScheduleError(
            f"node {first.name!r} makes values of fixed point, and the engine has values=0; take an engine of more"
        )
    kept = [(number, layer.values) for number, layer in enumerate(layers) if layer.values and layer.values.keeps]
    last = {values.map.name: number for number, values in kept}
    for number, layer in enumerate(layers):
        if layer.values is not None and layer.values.residual is not None:
            last[layer.values.residual.map.name] = number
    if network.output is not None:
        last[network.output.name] = len(layers)
    places = {
        values.map.name: ValuePlace(values.map, strips[number], shape.array.group_rows) for number, values in kept
    }
    lives: dict[str, Lifetime] = {}
    home: dict[str, str] = {}
    for number, values in kept:
        name = values.map.name
        before = values.residual
        if before is not None and values.replaces and last[before.map.name] == number:
            home[name] = home[before.map.name]
            lives[home[name]] = replace(lives[home[name]], last=last[name])
        else:
            home[name] = name
            lives[name] = Lifetime(name, places[name].words, number, last[name])
    begins = place_lifetimes(
        list(lives.values()),
        shape.values,
        what="values",
        name="values",
        way_out="take an engine of more, or a network of fewer channels or smaller images",
    )
    begin = dict(zip(lives, begins, strict=True))
    return {name: replace(place, base=begin[home[name]]) for name, place in places.items()}


def layer_lanes(
    layer: EngineLayer, places: Mapping[str, ValuePlace], shape: EngineShape, *, lines: range, row_tiles: range
) -> ValueFields:
    """A layer's fields for lanes, for these output lines and tiles of rows; none of its own where it makes no values.

    Raises ScheduleError where a residual's channels do not begin a word.
    """
    if layer.values is None:
        return NO_VALUES
    return _value_fields(layer, layer.values, places, shape, lines=lines, row_tiles=row_tiles)


def _value_fields(
    layer: EngineLayer,
    values: LayerValues,
    places: Mapping[str, ValuePlace],
    shape: EngineShape,
    *,
    lines: range,
    row_tiles: range,
) -> ValueFields:
    inside = array_rows(layer, shape).inside
    row_words = shape.array.row_groups  # of values, of a tile of single bases
    first = row_tiles.start // inside * row_words
    inside_words = row_words // len(weight_bases(layer.conv).factors) if inside > 1 else 0
    back = (inside - 1) * inside_words
    steps: dict[str, int] = {}
    if values.residual is not None:
        source = places[values.residual.map.name]
        if values.residual.first % source.group_rows:
            raise ScheduleError(
                f"node {layer.name!r} adds values from channel {values.residual.first} on; the engine adds words of "
                f"{source.group_rows} channels"
            )
        steps = _steps(values.residual, source, layer.out_shape[1] // source.strips, lines.start)
        steps["values_in"] += first
        steps["in_column_step"] -= back
        steps["in_line_step"] -= back
    if (own := places.get(values.map.name)) is not None:
        begin = own.base + lines.start * own.columns * own.pixel_words + first
        steps |= {"values_out": begin, "out_step": own.pixel_words - back}
    return ValueFields(
        compares_values=int(values.thresholds is not None),
        rows_inside=int(inside > 1),
        keeps_values=int(values.keeps),
        shift=shift_of(layer, values),
        value_clip=values.line.bits - 1,
        residual_clip=values.map.bits - 1,
        inside_rows=inside_words,
        **{name: step % shape.values for name, step in steps.items()},
    )


def _steps(residual: Residual, source: ValuePlace, columns: int, line: int) -> dict[str, int]:
    """The walk over residuals of output lines from `line` on, each of so many columns."""
    down, across = residual.stride
    lines = down * source.columns  # pixels from one to the next
    return {
        "values_in": source.base + line * lines * source.pixel_words - residual.first // source.group_rows,
        "in_column_step": across * source.pixel_words,
        "in_line_step": (lines - (columns - 1) * across) * source.pixel_words,
    }
