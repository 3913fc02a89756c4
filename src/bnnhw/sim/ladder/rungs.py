"""The ladder's rungs from the trained graph to the RTL. Those above need a tool chain, and come from the caller.

Tests: tests/sim/ladder/test_ladder.py
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.dataflow.packing import unpack_beats
from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.compiler.ir.answers import Answers, as_answers
from bnnhw.compiler.ir.graph import Graph, evaluate, trace
from bnnhw.compiler.kernel.packed_kernel import PackedKernel
from bnnhw.compiler.units.block import Block
from bnnhw.sim.batch.simulator import PATIENCE, BatchSimulator

from .ladder import Rung

__all__ = [
    "core_rung",
    "frames_of",
    "graph_rung",
    "packed_rung",
    "patience_for",
    "rtl_rung",
    "simulate_core",
    "trace_rtl",
]

_BLOCK = 500  # images that the oracle holds in memory at a time


def graph_rung(name: str, graph: Graph, *, as_below: Callable[[Answers], Answers] | None = None) -> Rung:
    """A trained or an integer graph, by the oracle."""
    (value,) = graph.inputs

    def answers(images: NDArray[Any]) -> Answers:
        blocks = [images[start : start + _BLOCK] for start in range(0, len(images), _BLOCK)]
        values = [evaluate(graph, {value.name: block}) for block in blocks]
        return as_answers([np.concatenate([each[output] for each in values]) for output in graph.outputs])

    return Rung(name, answers, lambda images: trace(graph, {value.name: images}), as_below)


def packed_rung(graph: Graph) -> Rung:
    """The packed kernel of an integer graph."""
    return Rung("packed kernel", PackedKernel(graph))


def rtl_rung(schedule: Schedule) -> Rung:
    """The core's RTL as it is built, in the batch simulator; its trace runs the units up to each layer."""
    simulator = BatchSimulator(schedule.core())
    return core_rung("RTL", schedule, simulator, lambda images: trace_rtl(schedule, images))


def core_rung(
    name: str,
    schedule: Schedule,
    simulator: BatchSimulator,
    trace_of: Callable[[NDArray[Any]], dict[str, NDArray[Any]]] | None = None,
) -> Rung:
    """A core at any level: RTL, or a netlist with the same ports."""
    return Rung(name, lambda images: simulate_core(schedule, simulator, images), trace_of)


def simulate_core(schedule: Schedule, simulator: BatchSimulator, images: NDArray[Any]) -> Answers:
    """The answers that a simulated core of `schedule` gives to images (N, *shape)."""
    frames = frames_of(schedule, images)
    result = simulator.run(frames, output_beats=schedule.output_beats, patience=patience_for(schedule))
    return schedule.decode(result.outputs.reshape(-1, result.outputs.shape[2]), frames=len(images))


def patience_for(schedule: Schedule) -> int:
    """Cycles without a beat that only a core at a standstill has: a slow one computes for as long as its latency."""
    return PATIENCE + schedule.timing.latency


def frames_of(schedule: Schedule, images: NDArray[Any]) -> NDArray[np.uint64]:
    """The core's input for images (N, *shape), by groups of `vectors`: (groups, beats, words)."""
    beats = schedule.encode(images)
    return beats.reshape(-1, schedule.input_beats, beats.shape[1])


def trace_rtl(schedule: Schedule, images: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
    """The activations (N, *shape) that the RTL computes, by the names that the integer graph gives them."""
    *hidden, _ = schedule.pipeline.blocks
    return {block.output: block.codes.values(codes_of(schedule, images, block)) for block in hidden}


def codes_of(schedule: Schedule, images: NDArray[Any], block: Block) -> NDArray[np.int64]:
    """What the RTL's block gives to those behind it: codes (N, *shape)."""
    core, port = schedule.part(block.output)
    result = BatchSimulator(core).run(
        frames_of(schedule, images), output_beats=port.beats, patience=patience_for(schedule)
    )
    beats = unpack_beats(
        result.outputs.reshape(-1, result.outputs.shape[2]),
        width=port.bits,
        lanes=port.pixels * port.lanes,
        vectors=schedule.vectors,
        elements=port.elements,
        frames=len(images),
    )
    # Of a group of pixels the first `lanes` channels come first.
    chunks = port.channels // port.lanes
    pixels = beats.reshape(len(images), -1, chunks, port.pixels, port.lanes).swapaxes(2, 3)
    return pixels.reshape(len(images), *block.output_shape)
