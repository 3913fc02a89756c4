"""Programs of networks that fit into the engine: all weights, and the maps that are needed at once.

Tests: tests/compiler/engine/test_compile.py
"""

import numpy as np
from numpy.typing import NDArray

from bnnhw.hw.engine.cycles import layer_cycles, program_cycles
from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.program.factors import FACTOR_WORDS
from bnnhw.hw.engine.program.instruction import Layer
from bnnhw.hw.engine.program.packets import Memory
from bnnhw.hw.engine.program.transfer import list_words

from .figures import LayerMoves, Moved
from .layer_data import groups_of_tile, layer_parameters, layer_taps, layer_weights, row_tiles_of
from .layer_fields import layer_instruction, of_each_phase
from .layers import EngineNetwork
from .maps import MapPlace, place_maps
from .program import Captured, EngineProgram, words_of_bits
from .strips import strips_of
from .tables import TapTable, check_room
from .values.factors import layer_factors
from .values.value_lanes import layer_lanes, steps_inside
from .values.value_places import place_values

__all__ = ["resident_program"]


def resident_program(network: EngineNetwork, shape: EngineShape) -> EngineProgram:
    """Layer by layer. Raises ScheduleError, which names what does not fit and the way out."""
    strips = strips_of(network.layers, shape.array.pixels)
    maps = place_maps(network, shape, strips)
    values = place_values(network, shape, [strips] * len(network.layers))
    taps = TapTable(shape)
    weights: list[NDArray[np.uint8]] = []
    parameters: list[NDArray[np.uint32]] = []
    factors: list[NDArray[np.uint32]] = []
    layers: list[list[Layer]] = []
    weight_words = row_groups = 0
    for layer in network.layers:
        sources, sink = [maps[name] for name in layer.reads], maps.get(layer.writes)
        beats = layer_taps(layer, sources, shape)
        bits, unused = layer_weights(layer, shape)
        row_tiles, lines = row_tiles_of(layer, shape), range(layer.out_shape[0])
        whole = layer_instruction(
            layer,
            shape,
            sources[0] if sources else MapPlace(layer.in_shape, 0, strips, shape.array.simd),
            layer_lanes(layer, shape, *steps_inside(layer, values, shape), columns=layer.out_shape[1] // strips),
            lines=lines,
            row_tiles=row_tiles,
            taps=taps.begin(beats),
            beats=len(beats) // len(layer.bases),
            weights=weight_words,
            weight_step=len(bits) // row_tiles % shape.weight_words,
            parameters=row_groups,
            out=sink.base if sink else 0,
            out_plane=sink.plane_words if sink else 0,
        )
        layers.append(of_each_phase(layer, whole, shape))
        weights.append(bits)
        weight_words += len(bits)
        check_room(weight_words, shape.weight_words, "words of weights", "weight_words")
        if not layer.gives_sums:
            parameters.append(layer_parameters(layer, unused, shape))
            if layer.values is None:
                factors.append(np.zeros(len(parameters[-1]) * FACTOR_WORDS, np.uint32))
            else:
                factors.append(layer_factors(layer, layer.values, unused, shape))
            row_groups += row_tiles * groups_of_tile(layer, shape)
            check_room(row_groups, shape.parameters, "groups of rows", "parameters")
    held, makes_values = np.concatenate(weights), any(layer.values is not None for layer in network.layers)
    in_order = [each for some in layers for each in some]
    instructions = list_words(in_order, shape)
    check_room(len(instructions), shape.instructions, "words of instructions", "instructions")
    return EngineProgram(
        shape=shape,
        network=network,
        contents={
            Memory.INSTRUCTIONS: instructions,
            Memory.TAPS: taps.words,
            Memory.PARAMETERS: np.concatenate([*parameters, np.zeros(0, np.uint32)]),
            Memory.WEIGHTS: words_of_bits(held.reshape(len(held), -1)).reshape(-1),
        }
        | ({} if shape.external is None else {Memory.TRANSFERS: np.zeros(1, np.uint32)})
        | ({Memory.FACTORS: np.concatenate(factors)} if makes_values else {}),
        input=maps[network.input],
        frames=shape.array.pixels // strips,
        captured=() if network.output else (_all_sums(network, shape),),
        values=values[network.output.name] if network.output else None,
        layer_cycles=tuple(sum(layer_cycles(shape, each) for each in some) for some in layers),
        moves=(LayerMoves(),) * len(layers),
        list_moves=Moved(),
        cycles=program_cycles(shape, in_order),
    )


def _all_sums(network: EngineNetwork, shape: EngineShape) -> Captured:
    last = network.layers[-1]
    return Captured(0, range(row_tiles_of(last, shape)), range(last.out_shape[0]))
