"""Weights that are more than the engine holds: loaded from the external memory while the layers before are at work.

Tests: tests/hw/engine/test_external.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ScheduleError
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.instruction import Layer, Load
from bnnhw.hw.engine.packets import Memory
from bnnhw.hw.memory.port import MemoryShape

from .program import words_of_bits

__all__ = ["Streamed", "stream_weights"]


@dataclass(frozen=True, eq=False)
class Streamed:
    """Layers in parts whose weights fill a half of the weights' memory each, and the loads that bring them.

    Attributes
    ----------
    instructions : tuple of Layer and Load
    external : (words of the bus,)
        What the external memory holds, from its first burst on.
    parts : tuple of int
        Of each instruction the number of the layer that it is for.
    """

    instructions: tuple[Layer | Load, ...]
    external: NDArray[np.uint32]
    parts: tuple[int, ...]


def stream_weights(
    shape: EngineShape, names: Sequence[str], layers: Sequence[Layer], weights: Sequence[NDArray[np.uint8]]
) -> Streamed:
    """The layers with their weights (words, rows, simd) in the external memory.

    While a part is at work, the next one's weights come into the other half. Raises ScheduleError where the weights of
    the fewest tiles of rows are more than a half, or all of them more than the external memory.
    """
    assert shape.external is not None
    half = shape.weight_words // 2
    chunks: list[tuple[int, Layer, NDArray[np.uint8]]] = []
    for number, (layer, words) in enumerate(zip(layers, weights, strict=True)):
        least = 1 if layer.capture else shape.parts  # those whose bits make a word
        most = half // (layer.weight_step * least) * least
        if not most:
            raise ScheduleError(
                f"{layer.weight_step * least} words of weights of {names[number]!r} are more than the {half} of half "
                "the engine's memory for them; take an engine of more"
            )
        for first in range(0, layer.row_tiles, most):
            tiles = min(most, layer.row_tiles - first)
            part = replace(
                layer,
                weights=half * (len(chunks) % 2),
                row_tiles=tiles,
                parameters=layer.parameters + first * shape.array.row_groups,
                out=layer.out + first // shape.parts * layer.out_plane,
            )
            begin = first * layer.weight_step
            chunks.append((number, part, words[begin : begin + tiles * layer.weight_step]))
    return _in_order(shape, shape.external, chunks)


def _in_order(
    shape: EngineShape, external: MemoryShape, chunks: Sequence[tuple[int, Layer, NDArray[np.uint8]]]
) -> Streamed:
    """Load by load, each one part ahead of the array."""
    columns = shape.array.rows * shape.array.simd // WORD
    loads: list[Load] = []
    held: list[NDArray[np.uint32]] = []
    bursts = 0
    for _, layer, bits in chunks:
        words = words_of_bits(bits.reshape(len(bits), -1)).reshape(-1)
        count = -(-len(words) // shape.burst_words)
        held.append(np.pad(words, (0, count * shape.burst_words - len(words))))
        loads.append(Load(bursts, count, Memory.WEIGHTS, layer.weights * columns))
        bursts += count
    if bursts > 1 << external.address_bits:
        raise ScheduleError(f"weights of {bursts} bursts are more than the {1 << external.address_bits} of the memory")
    instructions: list[Layer | Load] = [loads[0]]
    parts = [chunks[0][0]]
    for at, (number, layer, _) in enumerate(chunks):
        if at + 1 < len(chunks):
            instructions += [loads[at + 1], layer]
            parts += [chunks[at + 1][0], number]
        else:
            instructions.append(replace(layer, behind_loads=True))
            parts.append(number)
    return Streamed(tuple(instructions), np.concatenate(held), tuple(parts))
