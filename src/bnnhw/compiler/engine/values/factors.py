"""What lanes know of a layer: its rows' factors, its shift, and thresholds of its values.

Tests: tests/compiler/engine/test_values.py
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.engine.array_rows import array_rows
from bnnhw.compiler.engine.bases.weight_bases import weight_bases
from bnnhw.compiler.engine.layers import EngineLayer
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
    halved = weight_bases(layer.conv).halved + layer.bases.halved
    reach = _reach(layer, values.line) << halved >> numbers.halves
    if reach >= 1 << OFFSET_BITS - 1:
        raise ScheduleError(
            f"node {layer.name!r} adds up numbers of up to {reach}, and the engine's lanes have {OFFSET_BITS} bits; "
            "quantise its weights to fewer bits"
        )
    of_tiles = (numbers_of.reshape(rows.tiles, -1) for numbers_of in (rows.channels, rows.bases, rows.gives_bits))
    words: list[int] = []
    for channels, bases, gives_bits in zip(*of_tiles, strict=True):
        for of_input in range(len(layer.bases)):
            for channel, basis, gives in zip(channels.tolist(), bases.tolist(), gives_bits.tolist(), strict=True):
                words += _factor_words(layer, values, numbers, channel, basis, of_input, gives_bits=gives)
    return np.array(words, np.uint32)


def _factor_words(
    layer: EngineLayer,
    values: LayerValues,
    numbers: "_Numbers",
    channel: int,
    basis: int,
    of_input: int,
    /,
    *,
    gives_bits: bool,
) -> list[int]:
    """Those of a row: a channel's, of a basis of its weights and one of its inputs."""
    if channel < 0:
        return Factor(gives_bits=gives_bits).words()
    inputs, _, bases = numbers.factors.shape
    ends = basis == bases - 1
    factor = Factor(
        factor=int(numbers.factors[of_input, channel, basis]),
        offset=_wrapped(int(numbers.offsets[channel])) if ends and of_input == inputs - 1 else 0,
        doubles=numbers.doubles[basis],
        adds=ends and (layer.pools_values or _meets(values, channel)),
        ends=ends,
        gives_bits=gives_bits,
    )
    try:
        return factor.words()
    except ValueError as error:
        raise ScheduleError(f"node {layer.name!r}: {error}; quantise it to fewer bits") from error


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
    """(the sum over bases of 2^.. * factors[i, :, b] * sum + offsets) >> shift, doubled where `doubles` says it. It is
    2^halves less than a line of dot products.

    factors : (bases of the inputs, rows, bases of the weights)
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
    bases, most = layer.bases, max(abs(element.lo), abs(element.hi))
    dots = layer.conv.magnitudes * most * (abs(bases.offset) + sum(map(abs, bases.factors))) >> bases.halved
    return int((np.abs(line.factor) * dots + np.abs(line.offset)).max())


def _wrapped(number: int) -> int:
    """A number as lanes have it."""
    half = 1 << OFFSET_BITS - 1
    return (number + half) % (2 * half) - half


def _numbers(layer: EngineLayer, values: LayerValues, unused: int) -> _Numbers:
    """A line of dot products as one of sums of mismatches.

    dot = the sum over bases of factor * (top - step * (sum - unused)), over 2^halved; of several inputs' bases the sum
    of all these, and what the inputs are beside their bases. Where all products of sums are even, half of them and of
    the rest, rounded down, shifted by one bit less, is the same.
    """
    bases, inputs, line = weight_bases(layer.conv), layer.bases, values.line
    doubles, step = bases.doubles if len(inputs) == 1 else None, layer.dots_step
    own = np.array(bases.factors if doubles is None else (1,) * len(bases.factors), np.int64)
    factors = -step * np.array(inputs.factors, np.int64)[:, None, None] * line.factor[:, None] * own
    halved = bases.halved + inputs.halved
    offsets = line.offset << halved
    if layer.reads:
        tops = (bases.tops(layer.element) + step * unused) @ np.array(bases.factors, np.int64)
        weights = layer.conv.weights.reshape(layer.conv.rows, -1).sum(axis=1, dtype=np.int64) << bases.halved
        offsets = offsets + line.factor * (tops * sum(inputs.factors) + weights * inputs.offset)
    shift = line.shift + halved
    common = int(np.gcd.reduce(factors, axis=None))
    halves = min(shift, (common & -common).bit_length() - 1) if common else shift
    return _Numbers(factors >> halves, offsets >> halves, doubles or (False,) * len(own), shift - halves, halves)


def _meets(values: LayerValues, channel: int) -> bool:
    """Whether a channel has a residual."""
    residual = values.residual
    return residual is not None and residual.first <= channel < residual.first + residual.map.shape[2]


def value_parameters(layer: EngineLayer, values: LayerValues, shape: EngineShape) -> NDArray[np.uint32]:
    """Of each row of the array the threshold of its value, in offset binary, and whether a 1 is at least as much; else
    the least bit of a window is that of its greatest value. The same for each of the inputs' bases."""
    rows, width = array_rows(layer, shape), shape.array.sum_width
    words = np.zeros(len(rows.channels), np.uint32)
    if values.thresholds is not None:
        half = 1 << VALUE_BITS - 1
        falls = np.zeros(layer.conv.rows, bool) if values.falls is None else values.falls
        numbers = np.clip(values.thresholds + half, 0, 2 * half) | np.where(falls, 1, 2) << width
        words[rows.used] = numbers[rows.channels[rows.used]]
    of_tiles = words.reshape(rows.tiles, -1)
    return np.repeat(of_tiles, len(layer.bases), axis=0).reshape(-1)
