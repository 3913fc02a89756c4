"""The ladder's rungs from the trained graph to the RTL. Those above need a tool chain, and come from the caller."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir import Graph, evaluate, trace
from bnnhw.compiler.kernel import PackedKernel
from bnnhw.compiler.ops import MatMul, Threshold
from bnnhw.compiler.packing import unpack_beats
from bnnhw.compiler.schedule import Schedule
from bnnhw.hw.core import Core
from bnnhw.hw.matrix_unit import MatrixUnit

from .batch import BatchSimulator
from .ladder import Rung

__all__ = ["core_rung", "graph_rung", "packed_rung", "rtl_rung", "simulate_core"]

_BLOCK = 500  # images that the oracle holds in memory at a time


def graph_rung(name: str, graph: Graph) -> Rung:
    """A trained or an integer graph, by the oracle."""
    (value,) = graph.inputs
    (output,) = graph.outputs

    def answers(images: NDArray[Any]) -> NDArray[Any]:
        blocks = (images[start : start + _BLOCK] for start in range(0, len(images), _BLOCK))
        return np.concatenate([evaluate(graph, {value.name: block})[output] for block in blocks])

    return Rung(name, answers, lambda images: trace(graph, {value.name: images}))


def packed_rung(graph: Graph) -> Rung:
    """The packed kernel of an integer graph."""
    return Rung("packed kernel", PackedKernel(graph))


def rtl_rung(schedule: Schedule) -> Rung:
    """The core's RTL as it is built, in the batch simulator; its trace runs the units up to each layer."""
    simulator = BatchSimulator(schedule.core("ecp5"))
    return core_rung("RTL", schedule, simulator, lambda images: trace_rtl(schedule, images))


def core_rung(
    name: str,
    schedule: Schedule,
    simulator: BatchSimulator,
    trace_of: Callable[[NDArray[Any]], dict[str, NDArray[Any]]] | None = None,
) -> Rung:
    """A core at any level: RTL, or a netlist with the same ports."""
    return Rung(name, lambda images: simulate_core(schedule, simulator, images), trace_of)


def simulate_core(schedule: Schedule, simulator: BatchSimulator, images: NDArray[Any]) -> NDArray[np.int64]:
    """The answers that a simulated core of `schedule` gives to images (N, *shape)."""
    result = simulator.run(frames_of(schedule, images), output_beats=schedule.output_beats)
    return schedule.decode(result.outputs.reshape(-1, result.outputs.shape[2]), frames=len(images))


def frames_of(schedule: Schedule, images: NDArray[Any]) -> NDArray[np.uint64]:
    """The core's input for images (N, *shape), by groups of `vectors`: (groups, beats, words)."""
    beats = schedule.encode(images)
    return beats.reshape(-1, schedule.input_beats, beats.shape[1])


def trace_rtl(schedule: Schedule, images: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
    """The activations (N, channels) that the RTL computes for images, by the names that the integer graph gives them."""
    core = schedule.core("ecp5")
    activations = thresholds_of(schedule.core_graph)
    found: dict[str, NDArray[np.int64]] = {}
    for position, unit in enumerate(core.units, start=1):
        if not isinstance(unit, MatrixUnit):
            continue
        layer, folding = (parts[len(found)] for parts in (schedule.pipeline.layers, schedule.foldings))
        if layer.thresholds is None:
            break
        prefix = Core(
            units=core.units[:position],
            input_lanes=core.input_lanes,
            input_width=core.input_width,
            output_lanes=folding.pe,
            output_width=1,
            vectors=schedule.vectors,
        )
        result = BatchSimulator(prefix).run(frames_of(schedule, images), output_beats=layer.rows // folding.pe)
        bits = unpack_beats(
            result.outputs.reshape(-1, result.outputs.shape[2]),
            width=1,
            lanes=folding.pe,
            vectors=schedule.vectors,
            elements=layer.rows,
            frames=len(images),
        )
        found[activations[layer.name]] = 2 * bits - 1
    return found


def thresholds_of(graph: Graph) -> dict[str, str]:
    """The value that a Threshold makes of each MatMul's sums, by the MatMul's name."""
    products = {node.output: node.name for node in graph.nodes if isinstance(node.op, MatMul)}
    return {
        products[node.inputs[0]]: node.output
        for node in graph.nodes
        if isinstance(node.op, Threshold) and node.inputs[0] in products
    }
