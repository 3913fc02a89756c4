"""From an integer graph to an engine's program.

Tests: tests/compiler/engine/test_compile.py
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.ir.ops import Conv
from bnnhw.hw.engine.cycles import instruction_cycles, program_cycles
from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.instruction import Kind, Layer, Load, Tap
from bnnhw.hw.engine.packets import Memory

from .layers import EngineLayer, EngineNetwork, engine_network
from .maps import MapPlace, place_maps
from .program import EngineProgram, words_of_bits
from .streaming import stream_weights

__all__ = ["compile_program"]


def compile_program(graph: Graph, shape: EngineShape) -> EngineProgram:
    """The program of an integer graph. Raises ScheduleError, which names what does not fit and the way out."""
    network = unrolled_by_host(engine_network(graph), shape)
    strips = _strips(network, shape)
    frames = shape.array.pixels // strips
    simd = shape.array.simd
    maps = [MapPlace(layer.in_shape, layer.planes, strips, simd) for layer in network.layers]
    maps = [replace(place, base=base) for place, base in zip(maps, place_maps(shape, maps), strict=True)]
    tables = _Tables(shape)
    layers = [
        _layer(layer, tables, source, sink, frames)
        for layer, source, sink in zip(network.layers, maps, [*maps[1:], None], strict=True)
    ]
    instructions: Sequence[Layer | Load] = layers
    parts: Sequence[int] = range(len(layers))
    if tables.weight_words > shape.weight_words and shape.external is not None:
        names = [layer.name for layer in network.layers]
        streamed = stream_weights(shape, names, layers, tables.weights)
        instructions, parts, tables.external = streamed.instructions, streamed.parts, streamed.external
    program = EngineProgram(
        shape=shape,
        network=network,
        contents=tables.contents(instructions),
        input=maps[0],
        frames=frames,
        layer_cycles=tuple(
            sum(
                instruction_cycles(shape, each)
                for each, part in zip(instructions, parts, strict=True)
                if part == number
            )
            for number in range(len(layers))
        ),
        cycles=program_cycles(shape, instructions),
    )
    _check(program.results, shape.results * shape.array.group_rows, "sums of the last layer", "results")
    return program


def unrolled_by_host(network: EngineNetwork, shape: EngineShape) -> EngineNetwork:
    """The network with windows of a first convolution of few channels as its input: a word then holds many taps.

    Not where a border is a product of 0, which no code stands for.
    """
    first, *others = network.layers
    conv = first.conv
    no_code = any(conv.padding) and not first.pads_with_code
    if conv.kernel == (1, 1) or conv.channels >= shape.array.simd or no_code:
        return network
    lines, columns, _ = conv.output_shape(first.in_shape)
    pixels = Conv(conv.weights.reshape(conv.rows, 1, 1, -1), factors=conv.factors)
    whole = replace(first, conv=pixels, in_shape=(lines, columns, conv.cols))
    return replace(network, layers=(whole, *others), windows=conv)


def _strips(network: EngineNetwork, shape: EngineShape) -> int:
    """Into how many strips each frame's columns are cut: as many as divide all maps, with windows that reach no further
    than a neighbour; 1 where a layer's output columns are not those of its input, divided by stride and pooling."""
    if any(layer.in_shape[1] != layer.out_shape[1] * layer.columns_apart for layer in network.layers):
        return 1
    widths = [width for layer in network.layers for width in (layer.in_shape[1], layer.out_shape[1])]
    most = gcd(shape.array.pixels, reduce(gcd, widths))
    for strips in range(most, 0, -1):
        if most % strips == 0 and all(_reaches(layer) <= layer.in_shape[1] // strips for layer in network.layers):
            return strips
    return 1


def _reaches(layer: EngineLayer) -> int:
    """Columns beyond its own that a tap lies at most."""
    conv = layer.conv
    return max(conv.padding[1], conv.extent[1] - 1 - conv.padding[1], 1)


@dataclass
class _Tables:
    """The memories as they are filled, layer by layer."""

    shape: EngineShape

    def __post_init__(self):
        array = self.shape.array
        self.taps: list[int] = []
        self.parameters: list[NDArray[np.uint32]] = []
        self.weights: list[NDArray[np.uint8]] = []  # of each layer, (words, rows, simd)
        self.external: NDArray[np.uint32] | None = None  # the weights there, as words of the bus
        self.row_groups = 0
        self.weight_words = 0
        self.rows, self.simd = array.rows, array.simd

    def contents(self, program: Iterable[Layer | Load]) -> dict[Memory, NDArray[np.uint32]]:
        """The words of the bus of each memory."""
        _check(len(self.taps), self.shape.taps, "taps", "taps")
        _check(self.row_groups, self.shape.parameters, "groups of rows", "parameters")
        if self.external is None:
            _check(self.weight_words, self.shape.weight_words, "words of weights", "weight_words")
        instructions = [word for each in program for word in each.words(self.shape)] + [Kind.END]
        _check(len(instructions), self.shape.instructions, "words of instructions", "instructions")
        if self.external is None:
            weights = np.concatenate(self.weights)
            held = {Memory.WEIGHTS: words_of_bits(weights.reshape(len(weights), -1)).reshape(-1)}
        else:
            held = {Memory.EXTERNAL: self.external}
        return held | {
            Memory.INSTRUCTIONS: np.array(instructions, np.uint32),
            Memory.TAPS: np.array(self.taps, np.uint32),
            Memory.PARAMETERS: np.concatenate([*self.parameters, np.zeros(0, np.uint32)]),
        }


def _check(count: int, room: int, what: str, name: str) -> None:
    if count > room:
        raise ScheduleError(f"{count} {what} are more than the {name}={room} of this engine; take one with more")


def _layer(layer: EngineLayer, tables: _Tables, source: MapPlace, sink: MapPlace | None, frames: int) -> Layer:
    """The instruction of a layer; its taps, weights and parameters go into the tables."""
    shape, conv = tables.shape, layer.conv
    lines, columns, rows = layer.out_shape
    columns //= source.strips
    pool_lines, pool_columns = layer.pool
    row_tiles = -(-rows // tables.rows)
    taps, begin = _taps(layer, source, shape), len(tables.taps)
    tables.taps += [tap.word(shape) for tap in taps]
    weights, unused = _weights(layer, source, row_tiles, shape)
    first_weight, first_parameter = tables.weight_words, tables.row_groups
    tables.weights.append(weights)
    tables.weight_words += len(weights)
    down, across = conv.stride
    width = source.columns
    steps: dict[str, Any] = _steps(down, across, pool_lines, pool_columns, columns, width)
    if sink is None:
        steps = _steps(down, across, 1, 1, columns, width) | dict.fromkeys(_POOL_STEPS, 0)
        pool_columns = frames * source.strips
    else:
        tables.parameters.append(_parameters(layer, unused, row_tiles, shape))
        tables.row_groups += row_tiles * shape.array.row_groups
    strip = np.arange(shape.array.pixels) % source.strips
    return Layer(
        taps=begin,
        weights=first_weight,
        parameters=first_parameter,
        beats=len(taps),
        weight_step=len(weights) // row_tiles,
        pool_columns=pool_columns,
        pool_lines=pool_lines if sink else 1,
        columns=columns,
        lines=lines,
        row_tiles=row_tiles,
        origin=source.base,
        **steps,
        in_columns=width,
        in_lines=source.shape[0],
        border_code=int(layer.pads_with_code),
        first_pixels=_mask(strip == 0),
        last_pixels=_mask(strip == source.strips - 1),
        out=sink.base if sink else 0,
        out_plane=sink.plane_words if sink else 0,
        capture=int(sink is None),
    )


_POOL_STEPS = tuple(
    f"{prefix}step_{loop}" for prefix in ("", "column_", "line_") for loop in ("pool_column", "pool_line")
)


def _steps(down: int, across: int, pool_lines: int, pool_columns: int, columns: int, width: int) -> dict[str, Any]:
    """What each loop adds to the tile's column, line and address."""
    moves = {  # loop: (lines, columns) from the last place inside it to the next one's first
        "pool_column": (0, across),
        "pool_line": (down, -(pool_columns - 1) * across),
        "column": (-(pool_lines - 1) * down, across),
        "line": (down, -(columns * pool_columns - 1) * across),
    }
    steps: dict[str, Any] = {}
    for loop, (line, column) in moves.items():
        steps |= {f"line_step_{loop}": line, f"column_step_{loop}": column, f"step_{loop}": line * width + column}
    return steps


def _mask(bits: NDArray[np.bool_]) -> int:
    return sum(int(bit) << place for place, bit in enumerate(bits))


def _taps(layer: EngineLayer, source: MapPlace, shape: EngineShape) -> list[Tap]:
    """The beats of a tile: planes from the highest to the lowest, in each all words of the window."""
    conv = layer.conv
    taps: list[Tap] = []
    for plane in reversed(range(layer.planes)):
        window = [
            (line * conv.dilation[0] - conv.padding[0], column * conv.dilation[1] - conv.padding[1], word)
            for line in range(conv.kernel[0])
            for column in range(conv.kernel[1])
            for word in range(source.channel_words)
        ]
        for number, (line, column, word) in enumerate(window):
            offset = source.offset(plane=plane, word=word, line=line, column=column)
            taps.append(Tap(offset, column, line, double=number == 0 and bool(taps)))
    idle = [Tap(0, idle=True)] * max(0, shape.least_beats - len(taps))
    return [*idle, *taps]


def _weights(layer: EngineLayer, source: MapPlace, row_tiles: int, shape: EngineShape) -> tuple[NDArray[np.uint8], int]:
    """(words, rows, simd) of bits, and the mismatches that unused columns make in each sum.

    Unused columns of the maps are 0. Where a border is a product of 0, and so half a word, they count half, too.
    """
    conv, array = layer.conv, shape.array
    height, width = conv.kernel
    words = source.channel_words
    bits = np.zeros((row_tiles * array.rows, height, width, words * array.simd), np.uint8)
    bits[: conv.rows, :, :, : conv.channels] = conv.weights > 0
    unused = words * array.simd - conv.channels
    counted = 0
    if any(conv.padding) and not layer.pads_with_code:
        if unused % 2:
            raise ScheduleError(
                f"node {layer.name!r} pads {conv.channels} channels with 0; the engine does so for even numbers of them"
            )
        bits[..., conv.channels : conv.channels + unused // 2] = 1
        counted = unused // 2 * height * width
    tiles = bits.reshape(row_tiles, array.rows, height * width * words, array.simd).transpose(0, 2, 1, 3)
    return tiles.reshape(-1, array.rows, array.simd), counted


def _parameters(layer: EngineLayer, unused: int, row_tiles: int, shape: EngineShape) -> NDArray[np.uint32]:
    """Of each row one more than the greatest sum that gives a 1, and above it whether pooling takes the least bit."""
    assert layer.most is not None
    array = shape.array
    top = (1 << array.sum_width) - 1
    words = np.zeros(row_tiles * array.rows, np.uint32)
    words[: len(layer.most)] = np.clip(layer.most + unused + 1, 0, top)
    words[: len(layer.most)] |= layer.minimum.astype(np.uint32) << array.sum_width
    return words
