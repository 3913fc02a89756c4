"""The intermediate representation: values with types, nodes in order, graphs.

A graph is a list of nodes in an order in which it can be evaluated. Values are named; each name is written once. Shapes
carry no batch axis and are NHWC; feeds and results do carry one, in front.

    Graph(
        inputs=(Value("x", TensorType((8, 8, 1), IntType(0, 16))),),
        nodes=(Node("flat", Flatten(), ("x",), "f"), …),
        outputs=("label",),
    )
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import GraphError
from bnnhw.compiler.ir.ops.base import Op

from .types import FloatType, TensorType

__all__ = ["Graph", "Node", "Value", "check_feed", "evaluate", "infer_types", "random_feeds", "trace", "verify"]


@dataclass(frozen=True)
class Value:
    """A graph's input: its name and type."""

    name: str
    type: TensorType


@dataclass(frozen=True)
class Node:
    """`output = op(*inputs)`. The name is the dotted module name where the node comes from the trained network."""

    name: str
    op: Op
    inputs: tuple[str, ...]
    output: str


@dataclass(frozen=True)
class Graph:
    """Inputs, nodes in order of evaluation, and the names of the outputs.

    `meta` is the model file's, and passes leave it alone.
    """

    inputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    meta: Mapping[str, Any] = field(default_factory=dict)

    def producer(self, value: str) -> Node | None:
        """The node that writes `value`, None for a graph input."""
        return next((node for node in self.nodes if node.output == value), None)

    def consumers(self, value: str) -> tuple[Node, ...]:
        """The nodes that read `value`."""
        return tuple(node for node in self.nodes if value in node.inputs)

    def off_chain(self) -> Node | None:
        """The first node that does not read the value before it, and it alone; None in a chain."""
        values = (self.inputs[0].name, *(node.output for node in self.nodes))
        return next((node for node, value in zip(self.nodes, values, strict=False) if node.inputs != (value,)), None)


def infer_types(graph: Graph) -> dict[str, TensorType]:
    """The type of every value, by name. Raises GraphError where `verify` would."""
    types: dict[str, TensorType] = {}
    for value in graph.inputs:
        if value.name in types:
            raise GraphError(f"input {value.name!r} is defined twice")
        types[value.name] = value.type
    names: set[str] = set()
    for node in graph.nodes:
        if node.name in names:
            raise GraphError(f"two nodes are named {node.name!r}")
        names.add(node.name)
        for name in node.inputs:
            if name not in types:
                raise GraphError(f"node {node.name!r} reads {name!r}, which no input or earlier node defines")
        if node.output in types:
            raise GraphError(f"node {node.name!r} writes {node.output!r}, which is already defined")
        try:
            types[node.output] = node.op.infer(*(types[name] for name in node.inputs))
        except (TypeError, ValueError) as error:
            raise GraphError(f"node {node.name!r} ({type(node.op).__name__}): {error}") from error
    for name in graph.outputs:
        if name not in types:
            raise GraphError(f"output {name!r} is defined by no input or node")
    return types


def verify(graph: Graph) -> Graph:
    """Check names, order and types; return the graph. Raises GraphError with the node's name."""
    if not graph.inputs or not graph.outputs:
        raise GraphError("a graph needs at least one input and one output")
    infer_types(graph)
    return graph


def trace(graph: Graph, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Every value of the graph, by name: slow and obvious, the definition that all else is compared with.

    `feeds` maps each input's name to an array (N, *shape) of integers in the element's range.
    Integers and +-1 values are int64, floats float32.
    """
    values: dict[str, NDArray[Any]] = {}
    for value in graph.inputs:
        if value.name not in feeds:
            raise ValueError(f"input {value.name!r} has no feed; feeds are {sorted(feeds)}")
        feed = np.asarray(feeds[value.name])
        check_feed(value, feed)
        values[value.name] = feed.astype(np.int64)
    for node in graph.nodes:
        values[node.output] = node.op.reference(*(values[name] for name in node.inputs))
    return values


def evaluate(graph: Graph, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The graph's outputs, by name: those of `trace`."""
    values = trace(graph, feeds)
    return {name: values[name] for name in graph.outputs}


def random_feeds(graph: Graph, *, samples: int, seed: int) -> dict[str, NDArray[np.int64]]:
    """Seeded feeds for every input, uniform over its range."""
    rng = np.random.default_rng(seed)
    feeds = {}
    for value in graph.inputs:
        if isinstance(value.type.element, FloatType):
            raise TypeError(f"input {value.name!r} is a float value and cannot be fed")
        draws = rng.integers(0, value.type.element.count, (samples, *value.type.shape))
        feeds[value.name] = value.type.element.lo + value.type.element.step * draws
    return feeds


def check_feed(value: Value, feed: NDArray[Any]) -> None:
    """Raises ValueError or TypeError where `feed` is of another shape, kind or range than `value`."""
    if feed.shape[1:] != value.type.shape or feed.ndim != len(value.type.shape) + 1:
        wanted = ", ".join(map(str, ("N", *value.type.shape)))
        raise ValueError(f"feed of {value.name!r} must have shape ({wanted}), not {feed.shape}")
    if feed.dtype.kind not in "iu":
        raise TypeError(f"feed of {value.name!r} must be an integer array, not {feed.dtype}")
    value.type.element.check(value.name, feed)
