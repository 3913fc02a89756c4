"""Programs of networks that are larger than the engine: weights and maps come from the external memory and go there.

Tests: tests/compiler/engine/external/test_scheduled.py
"""

from collections.abc import Collection, Sequence

import numpy as np

from bnnhw.compiler.engine.figures import layer_moves, list_moves
from bnnhw.compiler.engine.layers import EngineNetwork
from bnnhw.compiler.engine.program import EngineProgram
from bnnhw.compiler.engine.strips import keeps_columns, strips_of
from bnnhw.compiler.engine.values.value_places import kept_values
from bnnhw.hw.engine.cycles import layer_cycles, program_cycles
from bnnhw.hw.engine.engine_shape import EngineShape
from bnnhw.hw.engine.program.packets import Memory
from bnnhw.hw.engine.program.transfer import Transfer

from .lists import Lists
from .places import WeightsInMemory
from .schedule import Schedule
from .segments import Segment, segments_of

__all__ = ["frame_counts", "outsides", "scheduled_program", "segmentations"]

_TIMES = (1, 2, 4, 8)


def scheduled_program(
    network: EngineNetwork,
    shape: EngineShape,
    *,
    weights: WeightsInMemory | None = None,
    frames: int | None = None,
    segments: Sequence[Segment] | None = None,
    outside: Collection[str] | None = None,
) -> EngineProgram:
    """Segment by segment for all frames of a run, each layer in parts. Raises ScheduleError, which names what does not
    fit.

    weights : WeightsInMemory, optional
        The network's, where they have been made already.
    frames : int, optional
        Of a run, a multiple of the first one of the `frame_counts`; by default that.
    segments : sequence of Segment, optional
        One of the `segmentations`. By default each layer is one.
    outside : set of str, optional
        One of the `outsides`. By default all maps of values lie in the external memory.
    """
    strips = _strips(network, shape)
    least = frame_counts(network, shape)[0]
    frames = least if frames is None else frames
    if frames < 1 or frames % least:
        raise ValueError(f"frames={frames} must be a multiple of {least}")
    weights = WeightsInMemory(network, shape) if weights is None else weights
    outside = outsides(network)[0] if outside is None else outside
    segments = segments_of(network, strips, shape, longest=1, outside=outside) if segments is None else segments
    schedule = Schedule(network, shape, weights, segments, strips=strips, frames=frames, outside=outside)
    lists = Lists(schedule.steps, shape, first_burst=schedule.maps.end)
    first = schedule.maps.places[network.input]
    output = None if network.output is None else schedule.maps.values[network.output.name]
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
        values=None if output is None else output.place,
        values_burst=None if output is None else output.burst,
        layer_cycles=tuple(cycles),
        moves=tuple(layer_moves(each, shape) for each in transfers),
        list_moves=list_moves(lists.transfers, shape),
        cycles=program_cycles(shape, lists.layers, lists.transfers),
    )


def frame_counts(network: EngineNetwork, shape: EngineShape) -> tuple[int, ...]:
    """How many frames a run may have: of more each weight is loaded for more of them."""
    if network.output is None:
        return tuple(times * shape.array.pixels for times in _TIMES)
    made = {layer.values.map.name: number for number, layer in enumerate(network.layers) if layer.values is not None}
    strips = _strips(network, shape)[made[network.output.name]]
    return tuple(times * shape.array.pixels // strips for times in _TIMES)


def outsides(network: EngineNetwork) -> list[frozenset[str]]:
    """Which maps of values lie in the external memory: all, or that alone which the host reads."""
    every = frozenset(values.map.name for _, values in kept_values(network))
    least = frozenset() if network.output is None else frozenset({network.output.name})
    return [every] if every == least else [every, least]


def segmentations(
    network: EngineNetwork, shape: EngineShape, *, outside: Collection[str] | None = None
) -> list[list[Segment]]:
    """All ways to cut a network into segments that are as long as they can be up to a length, with those values in the
    external memory."""
    strips = _strips(network, shape)
    outside = outsides(network)[0] if outside is None else outside
    found: list[list[Segment]] = []
    for longest in range(1, len(network.layers) + 1):
        segments = segments_of(network, strips, shape, longest=longest, outside=outside)
        if segments not in found:
            found.append(segments)
    return found


def _strips(network: EngineNetwork, shape: EngineShape) -> list[int]:
    """Of each layer: those of images are cut, those behind them that read a whole map are not; none where values are
    added on both sides."""
    image = 0
    while image < len(network.layers) and keeps_columns(network.layers[image]):
        image += 1
    cut = strips_of(network.layers[:image], shape.array.pixels) if image else 1
    made = {layer.values.map.name for layer in network.layers[:image] if layer.values is not None}
    behind = [layer.values.residual for layer in network.layers[image:] if layer.values is not None]
    if any(residual is not None and residual.map.name in made for residual in behind):
        cut = 1
    return [cut if number < image else 1 for number in range(len(network.layers))]
