"""Layers whose values are compared: of sums of which nothing but codes is needed, and of values that are there.

Tests: tests/compiler/engine/test_levels.py
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.engine.coding import Coding
from bnnhw.compiler.engine.layers import EngineLayer, Pool
from bnnhw.compiler.ir.ops import Conv
from bnnhw.compiler.ir.types import BinaryType, Element, FloatType
from bnnhw.hw.engine.lane_format import VALUE_BITS

from .layer_values import LayerValues, Residual, ValueMap
from .lines import Line

__all__ = ["compared_layers", "layer_of_values"]

_WIDEST = (1 << VALUE_BITS) - 4
"""From the least to the greatest threshold of one layer's values."""


def compared_layers(layer: EngineLayer, coding: Coding, element: Element) -> Iterator[EngineLayer]:
    """Those of a product, of whose sums, of that element, nothing but codes is needed: values are what the sums are
    more than the middle of their thresholds, or less, as far as values reach. Of each threshold but the first one there
    is a layer that reads the values; one that makes the sums anew where thresholds are too far apart."""
    assert not isinstance(element, FloatType)
    if coding.pool is not None:
        layer = replace(layer, pool=Pool(coding.pool.kernel, coding.pool.stride, coding.pool.padding))
    thresholds = np.clip(coding.thresholds, element.lo, element.hi + 1)
    least = np.zeros(layer.conv.rows, bool) if coding.least is None else coding.least
    sign = np.where(least, -1, 1)
    falls = coding.falls ^ least
    for levels in _spans(thresholds, most=1 if coding.block > 1 else len(thresholds)):
        names, own = coding.names[levels], thresholds[levels]
        middle = own.min(axis=0) + own.max(axis=0) >> 1
        numbers = np.where(least, middle - own + 1, own - middle)
        made = ValueMap(f"{names[0]}.values", layer.out_shape, VALUE_BITS)
        keeps = len(names) > 1 or layer.pool != Pool()
        values = LayerValues(Line(sign, -sign * middle), made, keeps, thresholds=numbers[0], falls=falls)
        yield replace(layer, writes=names[0], block=coding.block, values=values)
        for name, more in zip(names[1:], numbers[1:], strict=True):
            yield layer_of_values(coding.nodes[0].name, name, made.shape, Residual(made), more, falls)


def layer_of_values(
    name: str,
    writes: str,
    image: tuple[int, int, int],
    source: Residual,
    thresholds: NDArray[np.int64],
    falls: NDArray[np.bool_] | None = None,
) -> EngineLayer:
    """A layer that reads no map, and makes bits of values: of an image of them (lines, columns, channels)."""
    lines, columns, rows = image
    nothing = np.zeros(rows, np.int64)
    return EngineLayer(
        name=name,
        reads=(),
        channels=(),
        writes=writes,
        conv=Conv(np.ones((rows, 1, 1, 1), np.int8)),
        element=BinaryType(),
        in_shape=(lines, columns, 1),
        most=None,
        pool=Pool(),
        minimum=np.zeros(rows, bool),
        values=LayerValues(
            Line(nothing, nothing),
            ValueMap(writes, image, VALUE_BITS),
            keeps=False,
            residual=source,
            thresholds=thresholds,
            falls=falls,
        ),
    )


def _spans(thresholds: NDArray[np.int64], *, most: int) -> Iterator[slice]:
    """The levels of codes in parts of so many at most, each of which a value's numbers have room for."""
    first = 0
    for level in range(1, len(thresholds) + 1):
        part = thresholds[first : level + 1]
        is_too_wide = bool((part.max(axis=0) - part.min(axis=0) > _WIDEST).any())
        if level == len(thresholds) or level - first == most or is_too_wide:
            yield slice(first, level)
            first = level
