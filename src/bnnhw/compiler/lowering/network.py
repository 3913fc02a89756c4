"""A network as host and core compute it: what the link carries is what lies between the two.

Tests: tests/compiler/dataflow/test_schedule.py
"""

from dataclasses import dataclass, replace

import numpy as np

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Graph, Value, evaluate, infer_types
from bnnhw.compiler.ir.ops import Threshold
from bnnhw.compiler.ir.types import FloatType, TensorType

from .build_pipeline import build_pipeline
from .pipeline import Pipeline

CLOCK_MARGIN = 1.25
"""Operators are made for a clock so much faster than the core's, which so much else bounds."""


@dataclass(frozen=True, eq=False)
class LoweredNetwork:
    """An integer graph, split between host and core, and the work of the core's units.

    Attributes
    ----------
    host_graph
        From the graph's input to the core's input; without nodes where the core takes the raw input.
    core_graph
        From the core's input to the graph's outputs.
    pipeline
        The core graph as the hardware computes it.
    """

    host_graph: Graph
    core_graph: Graph
    pipeline: Pipeline


def lower_network(graph: Graph, *, clock_hz: float = 100e6) -> LoweredNetwork:
    """An integer graph, lowered for a clock. Raises ScheduleError, which names the node, where it has no hardware."""
    host_graph, core_graph = split_host(graph)
    return LoweredNetwork(host_graph, core_graph, build_pipeline(core_graph).at_clock(CLOCK_MARGIN * clock_hz))


def split_host(graph: Graph) -> tuple[Graph, Graph]:
    """(host graph, core graph): the host does the input's scalar Threshold, with what stands before it.

    A bit for a pixel then goes over the link, not eight.
    """
    if len(graph.inputs) != 1:
        raise ScheduleError(f"a network needs one input; this one has {[value.name for value in graph.inputs]}")
    count, before = 0, graph.inputs[0].name
    for position, node in enumerate(graph.nodes, start=1):
        if node.inputs != (before,) or len(graph.consumers(before)) > 1 or before in graph.outputs:
            break
        before = node.output
        if isinstance(node.op, Threshold) and len(node.op.thresholds) == 1:
            count = position
        elif not node.op.STREAMS_THROUGH:
            break
    value = graph.nodes[count - 1].output if count else graph.inputs[0].name
    return (
        replace(graph, nodes=graph.nodes[:count], outputs=(value,)),
        replace(graph, inputs=(Value(value, infer_types(graph)[value]),), nodes=graph.nodes[count:]),
    )


def input_threshold(host_graph: Graph) -> int | None:
    """The integer t with which the host's graph is x >= t; None where it hands the raw integers on.

    It is read off the graph's answer to every value of its input; a pixel each, as the host treats all alike.
    """
    (value,) = host_graph.inputs
    if not any(isinstance(node.op, Threshold) for node in host_graph.nodes):
        return None
    element, shape = value.type.element, (1,) * len(value.type.shape)
    if isinstance(element, FloatType):
        raise TypeError("float values do not go into hardware")
    levels = np.arange(element.lo, element.hi + 1, element.step)
    pixel = replace(host_graph, inputs=(Value(value.name, TensorType(shape, element)),))
    (bits,) = evaluate(pixel, {value.name: levels.reshape(-1, *shape)}).values()
    return element.lo + element.step * int(np.count_nonzero(bits < 0))
