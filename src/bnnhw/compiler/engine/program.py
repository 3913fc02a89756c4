"""A network as an engine's program: what its memories hold, and how frames go in and sums come out.

Tests: tests/compiler/engine/test_compile.py
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.hw.engine import packets
from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.packets import Answer, Memory

from .layers import EngineNetwork
from .maps import MapPlace

__all__ = ["EngineProgram", "words_of_bits"]


def words_of_bits(bits: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Bits (.., n), n a multiple of the bus's word, as words (.., n / WORD), lowest bit first."""
    return np.packbits(bits, axis=-1, bitorder="little").view(np.dtype("<u4"))


@dataclass(frozen=True, eq=False)
class EngineProgram:
    """A network for engines of one shape.

    Attributes
    ----------
    shape : EngineShape
    network : EngineNetwork
    contents : mapping
        Memory -> its words of the bus, from address 0 on.
    input : MapPlace
        Where frames go, as the first layer reads them.
    frames : int
        Frames that run at once.
    layer_cycles : tuple of int
        Of each layer, exactly.
    cycles : int
        Of a run: theirs, and its begin and end; waits for the external memory not counted.
    """

    shape: EngineShape
    network: EngineNetwork
    contents: Mapping[Memory, NDArray[np.uint32]]
    input: MapPlace
    frames: int
    layer_cycles: tuple[int, ...]
    cycles: int

    @property
    def loads(self) -> bool:
        """Whether it loads from the external memory, for which it may have to wait."""
        return Memory.EXTERNAL in self.contents

    @property
    def used(self) -> tuple[float, ...]:
        """Of each layer the share of the array's products in its cycles that the network asks for."""
        useful = (
            self.frames * layer.planes * layer.conv.weights.size * layer.sum_shape[0] * layer.sum_shape[1]
            for layer in self.network.layers
        )
        macs = self.shape.array.macs
        return tuple(count / (macs * cycles) for count, cycles in zip(useful, self.layer_cycles, strict=True))

    def load(self) -> list[NDArray[np.uint32]]:
        """The packets that bring the program into an engine."""
        return [packet for memory, words in self.contents.items() for packet in packets.write(memory, 0, words)]

    def feed(self, codes: NDArray[np.int64]) -> list[NDArray[np.uint32]]:
        """The packets that bring frames (n, *input.shape) of codes, at most `frames` of them, into the banks."""
        if not 1 <= len(codes) <= self.frames:
            raise ValueError(f"{len(codes)} frames must be 1 to {self.frames}, those that run at once")
        array = self.shape.array
        banks = words_of_bits(self.input.packed(codes))  # (pixels, words, words of the bus)
        lanes = array.pixels * (array.simd // WORD)
        wide = np.zeros((self.input.words, array.pixels, array.simd // WORD), np.uint32)
        wide[:, : len(banks)] = banks.transpose(1, 0, 2)
        return packets.write(Memory.MAPS, self.input.base * lanes, wide.reshape(-1))

    @property
    def results(self) -> int:
        """Sums that a run leaves for the host."""
        lines, columns, rows = self.network.layers[-1].sum_shape
        padded = -(-rows // self.shape.array.rows) * self.shape.array.rows
        return self.frames * lines * columns * padded

    def reads(self) -> list[NDArray[np.uint32]]:
        """The packets that ask for the results which the answer to a run does not bring."""
        return [packets.read(at) for at in range(packets.DATA_WORDS, self.results, packets.DATA_WORDS)]

    def sums(self, answers: Iterable[Answer]) -> NDArray[np.int64]:
        """The answers to a run and to `reads` as sums of mismatches (frames, lines, columns, rows)."""
        results = np.concatenate([answer.data for answer in answers])[: self.results]
        lines, columns, rows = self.network.layers[-1].sum_shape
        strips, size = self.input.strips, self.shape.array.rows
        tiles = results.astype(np.int64).reshape(-1, lines, columns // strips, self.frames, strips, size)
        # (tiles of rows, lines, columns of a strip, frames, strips, rows)
        return tiles.transpose(3, 1, 4, 2, 0, 5).reshape(self.frames, lines, columns, -1)[..., :rows]
