"""How a layer's instruction steps over values, and what else it tells lanes.

Tests: tests/compiler/engine/test_values.py
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bnnhw.compiler.engine.array_rows import array_rows
from bnnhw.compiler.engine.bases.weight_bases import weight_bases
from bnnhw.compiler.engine.layers import EngineLayer
from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.program.value_fields import NO_VALUES, ValueFields

from .factors import shift_of
from .value_places import ValuePlace

__all__ = ["ValueSteps", "layer_lanes", "steps_inside", "word_of_tile"]


@dataclass(frozen=True)
class ValueSteps:
    """Words of values that a layer's output pixels meet: the first one's first word, and how far the next ones are.

    column_words, line_words : int
        From one output column to the next, and from one output line's first to the next one's.
    is_outside : bool
        They go where transfers read them.
    """

    base: int
    column_words: int
    line_words: int
    is_outside: bool = False


def word_of_tile(layer: EngineLayer, shape: EngineShape, row_tile: int) -> int:
    """The word of a pixel's channels that a tile of rows begins with."""
    return row_tile // array_rows(layer, shape).inside * shape.array.row_groups


def steps_inside(
    layer: EngineLayer, places: Mapping[str, ValuePlace], shape: EngineShape, *, line: int = 0, row_tile: int = 0
) -> tuple[ValueSteps | None, ValueSteps | None]:
    """Over the residuals and over the layer's own values, from that output line and tile of rows on; None for those
    that are not among the values in the engine."""
    values = layer.values
    if values is None:
        return None, None
    word = word_of_tile(layer, shape, row_tile)
    source, residual = None, values.residual
    if residual is not None and (place := places.get(residual.map.name)) is not None:
        down, across = residual.stride
        line_words = down * place.columns * place.sheet_words
        begin = place.base + line * line_words + word - residual.first // place.group_rows
        source = ValueSteps(begin, across * place.sheet_words, line_words)
    if (place := places.get(values.map.name)) is None:
        return source, None
    line_words = place.columns * place.sheet_words
    return source, ValueSteps(place.base + line * line_words + word, place.sheet_words, line_words)


def layer_lanes(
    layer: EngineLayer, shape: EngineShape, source: ValueSteps | None, sink: ValueSteps | None, /, *, columns: int
) -> ValueFields:
    """A layer's fields for lanes, for so many output columns; none of its own where it makes no values.

    Raises ScheduleError where a residual's channels do not begin a word.
    """
    values = layer.values
    if values is None:
        return NO_VALUES
    inside = array_rows(layer, shape).inside
    inside_words = shape.array.row_groups // len(weight_bases(layer.conv).factors) if inside > 1 else 0
    back = (inside - 1) * inside_words
    pools = layer.pools_values
    steps: dict[str, int] = {}
    if values.residual is not None and values.residual.first % shape.array.group_rows:
        raise ScheduleError(
            f"node {layer.name!r} adds values from channel {values.residual.first} on; the engine adds words of "
            f"{shape.array.group_rows} channels"
        )
    if pools and source is None:  # windows lie where they end
        source = sink
    if source is not None:
        steps = {
            "values_in": source.base,
            "in_column_step": source.column_words - back,
            "in_line_step": source.line_words - (columns - 1) * source.column_words - back,
        }
    if sink is not None:
        steps |= {"values_out": sink.base, "out_step": sink.column_words - back}
    return ValueFields(
        compares_values=int(values.thresholds is not None),
        bases=len(layer.bases),
        inside_tiles=inside,
        takes_greatest=int(pools),
        keeps_values=int(pools or (sink is not None and not sink.is_outside)),
        sends_values=int(sink is not None and sink.is_outside),
        shift=shift_of(layer, values),
        value_clip=values.line.bits - 1,
        residual_clip=values.map.bits - 1,
        inside_rows=inside_words,
        inside_back=back,
        **{name: step % shape.values for name, step in steps.items()},
    )
