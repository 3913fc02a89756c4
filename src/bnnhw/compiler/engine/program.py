"""A network as an engine's program: what its memories hold, and how frames go in and sums come out.

Tests: tests/compiler/engine/test_compile.py
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.engine.bases.weight_bases import weight_bases
from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.program import packets
from bnnhw.hw.engine.program.packets import Answer, Memory

from .figures import LayerFigures, LayerMoves, Moved
from .layers import EngineNetwork
from .maps import MapPlace
from .tables import check_room
from .values.value_places import ValuePlace

__all__ = ["Captured", "EngineProgram", "words_of_bits"]


def words_of_bits(bits: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Bits (.., n), n a multiple of the bus's word, as words (.., n / WORD), lowest bit first."""
    return np.packbits(bits, axis=-1, bitorder="little").view(np.dtype("<u4"))


@dataclass(frozen=True)
class Captured:
    """Sums of one instruction: of a group of frames, tiles of rows and output lines."""

    group: int
    row_tiles: range
    lines: range


@dataclass(frozen=True, eq=False)
class EngineProgram:
    """A network for engines of one shape. Raises ScheduleError where its sums have no room there.

    Attributes
    ----------
    shape : EngineShape
    network : EngineNetwork
    contents : mapping
        Memory -> its words of the bus, from address 0 on.
    input : MapPlace
        Where frames go, as the first layer reads them: in the banks, or group by group in the external memory.
    input_burst : int, optional
        Where their place in the external memory begins. None: it is in the banks.
    external_parts : tuple of (int, int)
        Where the parts of the external memory's contents lie, in words of the bus, and how many words each has.
    rewound : tuple of Memory
        Those whose contents are written again before each run.
    frames : int
        Frames of a run.
    captured : tuple of Captured
        What the sums are of that wait for the host, in their order.
    values : ValuePlace, optional
        Where the values are that the host reads instead.
    values_burst : int, optional
        Where those begin in the external memory, group by group. None: they are in the engine.
    layer_cycles : tuple of int
        Of each layer those in which the array is at work for it, exactly.
    moves : tuple of LayerMoves
        Of each layer what goes from and to the external memory for it.
    list_moves : Moved
        What comes from there of the program's lists.
    cycles : int
        Of a run: those of all layers, and all waits.
    """

    shape: EngineShape
    network: EngineNetwork
    contents: Mapping[Memory, NDArray[np.uint32]]
    input: MapPlace
    frames: int
    captured: tuple[Captured, ...]
    layer_cycles: tuple[int, ...]
    moves: tuple[LayerMoves, ...]
    list_moves: Moved
    cycles: int
    input_burst: int | None = None
    external_parts: tuple[tuple[int, int], ...] = ()
    rewound: tuple[Memory, ...] = ()
    values: ValuePlace | None = None
    values_burst: int | None = None

    def __post_init__(self):
        check_room(self.results, self.shape.results * self.shape.array.group_rows, "sums of the last layer", "results")

    @property
    def figures(self) -> tuple[LayerFigures, ...]:
        """Of each layer what it takes of a run."""
        layers = self.network.layers
        convs = [self.network.windows or layers[0].conv, *(layer.conv for layer in layers[1:])]
        found = []
        for layer, conv, cycles, moves in zip(layers, convs, self.layer_cycles, self.moves, strict=True):
            bases = len(weight_bases(conv).factors) * len(layer.bases)
            planes = layer.planes * bases if layer.reads else 0
            products = self.frames * planes * conv.weights.size * layer.sum_shape[0] * layer.sum_shape[1]
            used = products / (self.shape.array.macs * cycles)
            found.append(LayerFigures(name=layer.name, cycles=cycles, products=products, used=used, moves=moves))
        return tuple(found)

    def load(self, *, base: int = 0) -> list[NDArray[np.uint32]]:
        """The packets that bring the program into an engine, and to that burst of its external memory."""
        return self.load_outside(base=base) + self.load_engine()

    def load_engine(self) -> list[NDArray[np.uint32]]:
        """Those of the engine's own memories alone."""
        within = {memory: words for memory, words in self.contents.items() if memory is not Memory.EXTERNAL}
        return [packet for memory, words in within.items() for packet in packets.write(memory, 0, words)]

    def load_outside(self, *, base: int) -> list[NDArray[np.uint32]]:
        """Those of the external memory alone."""
        return [
            packet
            for address, words in self.outside(base=base)
            for packet in packets.write(Memory.EXTERNAL, address, words)
        ]

    def outside(self, *, base: int = 0) -> list[tuple[int, NDArray[np.uint32]]]:
        """The parts of the external memory's contents, from that burst on: where each lies, and its words of the
        bus."""
        words = self.contents.get(Memory.EXTERNAL, np.zeros(0, np.uint32))
        counts = [count for _, count in self.external_parts]
        pieces = np.split(words, np.cumsum(counts)[:-1]) if counts else []
        return [
            (base * self.shape.burst_words + address, piece)
            for (address, _), piece in zip(self.external_parts, pieces, strict=True)
        ]

    @property
    def external_words(self) -> int:
        """Words of the bus of the external memory that it uses, maps between its parts included."""
        return max((address + count for address, count in self.external_parts), default=0)

    @property
    def group_frames(self) -> int:
        """Frames that are in the array at once when the first layer runs."""
        return self.shape.array.pixels // self.input.strips

    def feed(self, codes: NDArray[np.int64], *, base: int = 0) -> list[NDArray[np.uint32]]:
        """The packets that bring frames (n, *input.shape) of codes, at most `frames` of them, to their place, and the
        program, which lies from that burst on, to its begin."""
        if not 1 <= len(codes) <= self.frames:
            raise ValueError(f"{len(codes)} frames must be 1 to {self.frames}, those of a run")
        array = self.shape.array
        requests = [packet for memory in self.rewound for packet in packets.write(memory, 0, self.contents[memory])]
        for group, first in enumerate(range(0, len(codes), self.group_frames)):
            bits = self.input.packed(codes[first : first + self.group_frames])
            banks = words_of_bits(bits)  # (pixels, words, words of the bus)
            wide = np.zeros((banks.shape[1], array.pixels, banks.shape[2]), np.uint32)
            wide[:, : len(banks)] = banks.transpose(1, 0, 2)
            if self.input_burst is None:
                address = self.input.bus_address(self.input.base, self.shape.lanes)
                requests += packets.write(self.input.memory, address, wide.reshape(-1))
            else:
                begin = (base + self.input_burst) * self.shape.burst_words + group * wide.size
                requests += packets.write(Memory.EXTERNAL, begin, wide.reshape(-1))
        return requests

    @property
    def results(self) -> int:
        """Sums that a run leaves for the host."""
        return sum(self._sums_of(captured) for captured in self.captured)

    def _sums_of(self, captured: Captured) -> int:
        columns = self.network.layers[-1].out_shape[1] // self._last_strips
        array = self.shape.array
        return len(captured.row_tiles) * len(captured.lines) * columns * array.pixels * array.rows

    @property
    def _last_strips(self) -> int:
        """Into how many strips the last layer cuts frames: the first group's, where all groups are the same frames."""
        return self.shape.array.pixels * (1 + max(each.group for each in self.captured)) // self.frames

    def reads(self, *, base: int = 0) -> list[NDArray[np.uint32]]:
        """The packets that ask for the results which the answer to a run does not bring, of the program that lies from
        that burst on."""
        if self.values is not None:
            memory = Memory.VALUES if self.values_burst is None else Memory.EXTERNAL
            words, begin = self._value_words, 0 if self.values_burst is None else base * self.shape.burst_words
            return [
                packets.read(begin + at, memory=memory) for at in range(words.start, words.stop, packets.DATA_WORDS)
            ]
        return [packets.read(at) for at in range(packets.DATA_WORDS, self.results, packets.DATA_WORDS)]

    @property
    def _value_groups(self) -> int:
        """Groups of frames whose values the host reads."""
        assert self.values is not None
        return self.frames * self.values.strips // self.shape.array.pixels

    @property
    def _value_words(self) -> range:
        """Those words of the bus."""
        assert self.values is not None
        first = self.values.base * self.shape.value_lanes
        if self.values_burst is not None:
            first = self.values_burst * self.shape.burst_words
        return range(first, first + self._value_groups * self.values.words * self.shape.value_lanes)

    def outputs(self, answers: Sequence[Answer]) -> NDArray[np.int64]:
        """The answers to a run and to `reads` as values or sums of mismatches (frames, lines, columns, rows)."""
        if self.values is not None:
            words = np.concatenate([answer.data for answer in answers[1:]])[: len(self._value_words)]
            return self.values.unpacked(words, self.shape.array.pixels, groups=self._value_groups)
        results = np.concatenate([answer.data for answer in answers])[: self.results].astype(np.int64)
        lines, columns, rows = self.network.layers[-1].sum_shape
        strips, size, pixels = self._last_strips, self.shape.array.rows, self.shape.array.pixels
        sums = np.zeros((self.frames, lines, columns, -(-rows // size) * size), np.int64)
        at = 0
        for each in self.captured:
            count = self._sums_of(each)
            tiles = results[at : at + count].reshape(
                len(each.row_tiles), len(each.lines), columns // strips, pixels // strips, strips, size
            )
            # (tiles of rows, lines, columns of a strip, frames, strips, rows of a tile)
            part = tiles.transpose(3, 1, 4, 2, 0, 5).reshape(pixels // strips, len(each.lines), columns, -1)
            frames = slice(each.group * (pixels // strips), (each.group + 1) * (pixels // strips))
            places = slice(each.row_tiles.start * size, each.row_tiles.stop * size)
            sums[frames, each.lines.start : each.lines.stop, :, places] = part
            at += count
        return sums[..., :rows]
