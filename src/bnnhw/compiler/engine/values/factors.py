"""What lanes know of a layer: its rows' factors, its shift, and thresholds of its values.

Tests: tests/compiler/engine/test_values.py
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.engine.array_rows import array_rows
from bnnhw.compiler.engine.layers import EngineLayer
from bnnhw.compiler.engine.weight_bases import weight_bases
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.types import FloatType
from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.lane_format import OFFSET_BITS, SHIFT_BITS, VALUE_BITS
from bnnhw.hw.engine.program.factors import Factor

from .layer_values import LayerValues
from .lines import Line

__all__ = ["layer_factors", "shift_of", "value_parameters"]


def layer_factors(layer: EngineLayer, values: LayerValues, unused: int, shape: EngineShape) -> NDArray[np.uint32]:
    """The words of all rows of the array; `unused` mismatches are in each sum.

    Raises ScheduleError where a number has no room.
    """
    rows, numbers = array_rows(layer, shape), _numbers(layer, values, unused)
    reach = _reach(layer, values.line) << weight_bases(layer.conv).halved >> numbers.halves
    if reach >= 1 << OFFSET_BITS - 1:
        raise ScheduleError(
            f"node {layer.name!r} adds up numbers of up to {reach}, and the engine's lanes have {OFFSET_BITS} bits; "
            "quantise its weights to fewer bits"
        )
    words: list[int] = []
    for channel, basis, gives_bits in zip(
        rows.channels.tolist(), rows.bases.tolist(), rows.gives_bits.tolist(), strict=True
    ):
        if channel < 0:
            words += Factor(gives_bits=gives_bits).words()
            continue
        last = basis == numbers.factors.shape[1] - 1
        factor = Factor(
            factor=int(numbers.factors[channel, basis]),
            offset=_wrapped(int(numbers.offsets[channel])) if last else 0,
            doubles=numbers.doubles[basis],
            adds=last and (layer.pools_values or _meets(values, channel)),
            ends=last,
            gives_bits=gives_bits,
        )
        try:
            words += factor.words()
        except ValueError as error:
            raise ScheduleError(f"node {layer.name!r}: {error}; quantise it to fewer bits") from error
    return np.array(words, np.uint32)


def shift_of(layer: EngineLayer, values: LayerValues) -> int:
    """By which lanes shift. Raises ScheduleError where it is more than they can."""
    shift, most = _numbers(layer, values, 0).shift, (1 << SHIFT_BITS) - 1
    if shift > most:
        raise ScheduleError(
            f"node {layer.name!r} shifts its sums by {shift} bits, and the engine by {most} at most; "
            "quantise it with fewer weight bits, or smaller factors"
        )
    return shift


@dataclass(frozen=True, eq=False)
class _Numbers:
    """(the sum over bases of 2^.. * factors[:, b] * sum + offsets) >> shift, doubled where `doubles` says it. It is
    2^halves less than a line of dot products.

    factors : (rows, bases)
    offsets : (rows,)
    """

    factors: NDArray[np.int64]
    offsets: NDArray[np.int64]
    doubles: tuple[bool, ...]
    shift: int
    halves: int


def _reach(layer: EngineLayer, line: Line) -> int:
    """What a line of dot products is at most before its shift; what lanes have on the way there may wrap around."""
    element = layer.element
    assert not isinstance(element, FloatType)
    dots = layer.conv.magnitudes * max(abs(element.lo), abs(element.hi))
    return int((np.abs(line.factor) * dots + np.abs(line.offset)).max())


def _wrapped(number: int) -> int:
    """A number as lanes have it."""
    half = 1 << OFFSET_BITS - 1
    return (number + half) % (2 * half) - half


def _numbers(layer: EngineLayer, values: LayerValues, unused: int) -> _Numbers:
    """A line of dot products as one of sums of mismatches.

    dot = the sum over bases of factor * (top - step * (sum - unused)), over 2^halved. Where all products of sums are
    even, half of them and of the rest, rounded down, shifted by one bit less, is the same.
    """
    bases, line = weight_bases(layer.conv), values.line
    doubles, step = bases.doubles, layer.dots_step
    own = np.array(bases.factors if doubles is None else (1,) * len(bases.factors), np.int64)
    factors = -step * line.factor[:, None] * own
    offsets = line.offset << bases.halved
    if layer.reads:
        offsets = offsets + line.factor * (
            (bases.tops(layer.element) + step * unused) @ np.array(bases.factors, np.int64)
        )
    shift = line.shift + bases.halved
    common = int(np.gcd.reduce(factors, axis=None))
    halves = min(shift, (common & -common).bit_length() - 1) if common else shift
    return _Numbers(factors >> halves, offsets >> halves, doubles or (False,) * len(own), shift - halves, halves)


def _meets(values: LayerValues, channel: int) -> bool:
    """Whether a channel has a residual."""
    residual = values.residual
    return residual is not None and residual.first <= channel < residual.first + residual.map.shape[2]


def value_parameters(layer: EngineLayer, values: LayerValues, shape: EngineShape) -> NDArray[np.uint32]:
    """Of each row of the array the threshold of its value, in offset binary, and that a 1 is at least as much."""
    rows, width = array_rows(layer, shape), shape.array.sum_width
    words = np.zeros(len(rows.channels), np.uint32)
    if values.thresholds is not None:
        half = 1 << VALUE_BITS - 1
        thresholds = np.clip(values.thresholds + half, 0, 2 * half)[rows.channels[rows.used]]
        words[rows.used] = thresholds | 1 << width + 1
    return words
