"""A layer's factors and thresholds of values, as lanes have them.

Tests: tests/compiler/engine/test_values.py
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.passes.split_weights import planes_of
from bnnhw.compiler.units.product.mismatches import top_dots
from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.lane_format import OFFSET_BITS, SHIFT_BITS, VALUE_BITS
from bnnhw.hw.engine.program.factors import Factor

from .array_rows import ArrayRows, array_rows
from .layers import EngineLayer

__all__ = ["layer_factors", "shift_of", "value_parameters"]


def shift_of(layer: EngineLayer) -> int:
    """By which lanes shift: the line's, and what weights are halved by."""
    assert layer.values is not None
    shift = layer.values.line.shift + _planes(layer)[1]
    if shift >= 1 << SHIFT_BITS:
        raise ScheduleError(
            f"node {layer.name!r} shifts its sums by {shift}, and lanes by {(1 << SHIFT_BITS) - 1} at most; quantise "
            "it to more bits"
        )
    return shift


def _planes(layer: EngineLayer) -> tuple[tuple[int, ...], int]:
    """The factors of a weight's bases, and by how many bits their sum is shifted."""
    if layer.conv.is_binary:
        return (1,), 0
    planes = planes_of(layer.conv)
    return planes.factors, planes.halved


def layer_factors(layer: EngineLayer, unused: int, shape: EngineShape) -> NDArray[np.uint32]:
    """Of each row of the array its words; `unused` mismatches are in each sum.

    A dot product is top - step * sum. Bases come from the greatest factor to the least one, so that a lane doubles what
    it has where the next factor is half of the one before.
    """
    values = layer.values
    assert values is not None
    rows = array_rows(layer, shape)
    factors, halved = _planes(layer)
    order = sorted(range(len(factors)), key=lambda basis: -factors[basis])
    ordered = [factors[basis] for basis in order]
    doubles = [False, *(before == 2 * after for before, after in zip(ordered, ordered[1:], strict=False))]
    is_scheme = ordered[-1] == 1 and all(
        twice or before == after for twice, before, after in zip(doubles[1:], ordered, ordered[1:], strict=False)
    )
    own = [1] * len(ordered) if is_scheme else ordered
    step = layer.dots[1]
    tops = _tops(layer)  # (channels, bases)
    line = values.line
    offset = (line.offset << halved) + line.factor * ((tops + step * unused) @ np.array(factors, np.int64))
    words: list[int] = []
    for channel, place in zip(rows.channels.tolist(), rows.bases.tolist(), strict=True):
        if channel < 0:
            words += Factor().words()
            continue
        last = place == len(order) - 1
        words += _checked(
            layer,
            Factor(
                factor=-int(line.factor[channel]) * step * own[place],
                offset=int(offset[channel]) if last else 0,
                doubles=is_scheme and doubles[place],
                adds=last and _has_residual(layer, channel),
                ends=last,
            ),
        )
    _check_reach(layer, ordered, offset, step)
    return np.array(words, np.uint32)
