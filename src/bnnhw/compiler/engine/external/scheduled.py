"""Programs of networks that are larger than the engine: weights and maps come from the external memory and go there.

Tests: tests/compiler/engine/external/test_scheduled.py
"""

from collections.abc import Sequence

import numpy as np

from bnnhw.compiler.engine.figures import layer_moves, list_moves
from bnnhw.compiler.engine.layers import EngineNetwork
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.compiler.engine.strips import keeps_columns, strips_of
from bnnhw.hw.engine.cycles import layer_cycles, program_cycles
from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.program.packets import Memory
from bnnhw.hw.engine.program.transfer import Transfer

from .blocks import blocks_of
from .lists import Lists
from .places import WeightsInMemory
from .schedule import Schedule
from .segments import Segment, segments_of

__all__ = ["frame_counts", "scheduled_program", "segmentations"]

_TIMES = (1, 2, 4)


def scheduled_program(
    network: EngineNetwork,
    shape: EngineShape,
    *,
    weights: WeightsInMemory | None = None,
    frames: int | None = None,
    segments: Sequence[Segment] | None = None,
) -> EngineProgram:
    """Segment by segment for all frames of a run, each layer in parts. Raises ScheduleError, which names what does not
    fit.

    weights : WeightsInMemory, optional
        The network's, where they have been made already.
    frames : int, optional
        Of a run, by default the first one of the `frame_counts`: a multiple of it, or it alone where the host reads
        values.
    segments : sequence of Segment, optional
        One of the `segmentations`. By default each layer is one.
    """
    strips = _strips(network, shape)
    least = frame_counts(network, shape)[0]
    frames = least if frames is None else frames
    if frames < 1 or frames % least or (network.output is not None and frames > least):
        raise ValueError(f"frames={frames} must be {'' if network.output else 'a multiple of '}{least}")
    weights = WeightsInMemory(network, shape) if weights is None else weights
    schedule = Schedule(network, shape, weights, strips=strips, frames=frames)
    segments = segments_of(network, strips, shape, longest=1) if segments is None else segments
    for block in blocks_of(network):
        if some := [segment for segment in segments if segment.layers.start in block]:
            schedule.add_block(some)
    lists = Lists(schedule.steps, shape, first_burst=schedule.maps.end)
    first = schedule.maps.places[network.input]
    held = np.concatenate([weights.words, lists.external])
    lists_at = schedule.maps.end * shape.burst_words
    cycles = [0] * len(network.layers)
    transfers: list[list[Transfer]] = [[] for _ in network.layers]
    for number, step, layer in zip(schedule.numbers, schedule.steps, lists.layers, strict=True):
        cycles[number] += layer_cycles(shape, layer)
        transfers[number] += step.transfers
    return EngineProgram(
        shape=shape,
        network=network,
        contents={
            Memory.INSTRUCTIONS: lists.words[Memory.INSTRUCTIONS],
            Memory.TAPS: schedule.taps.words,
            Memory.TRANSFERS: lists.words[Memory.TRANSFERS],
            Memory.EXTERNAL: held,
        },
        input=first.place,
        input_burst=first.burst,
        external_parts=((0, len(weights.words)), (lists_at, len(lists.external))),
        rewound=lists.rewound,
        frames=frames,
        captured=tuple(schedule.captured),
        values=None if network.output is None else schedule.values[network.output.name],
        layer_cycles=tuple(cycles),
        moves=tuple(layer_moves(each, shape) for each in transfers),
        list_moves=list_moves(lists.transfers, shape),
        cycles=program_cycles(shape, lists.layers, lists.transfers),
    )


def frame_counts(network: EngineNetwork, shape: EngineShape) -> tuple[int, ...]:
    """How many frames a run may have: of more each weight is loaded for more of them. Where the host reads values, one
    group of frames, whose values stay."""
    if network.output is None:
        return tuple(times * shape.array.pixels for times in _TIMES)
    made = {layer.values.map.name: number for number, layer in enumerate(network.layers) if layer.values is not None}
    return (shape.array.pixels // _strips(network, shape)[made[network.output.name]],)


def segmentations(network: EngineNetwork, shape: EngineShape) -> list[list[Segment]]:
    """All ways to cut a network into segments that are as long as they can be up to a length."""
    strips = _strips(network, shape)
    found: list[list[Segment]] = []
    for longest in range(1, len(network.layers) + 1):
        segments = segments_of(network, strips, shape, longest=longest)
        if segments not in found:
            found.append(segments)
    return found


def _strips(network: EngineNetwork, shape: EngineShape) -> list[int]:
    """Of each layer: those of images are cut, those behind them that read a whole map are not."""
    image = 0
    while image < len(network.layers) and keeps_columns(network.layers[image]):
        image += 1
    cut = strips_of(network.layers[:image], shape.array.pixels) if image else 1
    return [cut if number < image else 1 for number in range(len(network.layers))]
