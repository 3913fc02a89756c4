"""A graph as the engine's layers: a product, the thresholds behind it, a pooling of their bits.

Tests: tests/compiler/engine/test_compile.py
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Graph, Node, Value, evaluate, infer_types
from bnnhw.compiler.ir.ops import Conv, Flatten, MatMul, MaxPool, Product, Threshold
from bnnhw.compiler.ir.types import BinaryType, Element, FloatType
from bnnhw.compiler.lowering.network import split_host
from bnnhw.compiler.units.product.mismatches import mismatch_thresholds, top_dots, width_of

__all__ = ["EngineLayer", "EngineNetwork", "engine_network"]


@dataclass(frozen=True, eq=False)
class EngineLayer:
    """A convolution, or a matrix product as one whose window is the whole map.

    Attributes
    ----------
    name : str
        Of the product's node.
    conv : Conv
        Its weights are +-1.
    element : element type
        Of the inputs.
    in_shape : (lines, columns, channels)
    most : (rows,) int64, or None
        A sum of mismatches gives the bit 1 where it is at most this. None: the sums are the network's output.
    pool : (lines, columns)
    minimum : (rows,) bool
        Rows of which a pooling takes the least bit.
    reads_windows : bool
        Its input pixels are windows of columns that the engine makes: see `first_layer`.
    """

    name: str
    conv: Conv
    element: Element
    in_shape: tuple[int, int, int]
    most: NDArray[np.int64] | None
    pool: tuple[int, int]
    minimum: NDArray[np.bool_]
    reads_windows: bool = False

    @property
    def sum_shape(self) -> tuple[int, int, int]:
        """Of the sums, before pooling."""
        lines, columns, rows = self.conv.output_shape(self.in_shape)
        return lines, columns, rows

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """Of the bits."""
        lines, columns, rows = self.sum_shape
        return lines // self.pool[0], columns // self.pool[1], rows

    @property
    def columns_apart(self) -> int:
        """Input columns from one output column to the next."""
        return self.conv.stride[1] * self.pool[1]

    @property
    def pads_with_code(self) -> bool:
        """Whether what lies beyond the border is the least input, whose code is 0; else it is a product of 0."""
        assert not isinstance(self.element, FloatType)
        return self.conv.pad_value == self.element.lo

    @property
    def planes(self) -> int:
        """Bit planes of the inputs."""
        return width_of(self.element)

    @property
    def dots(self) -> tuple[NDArray[np.int64], int]:
        """(top, step): a row's dot product is top - step times its sum of mismatches."""
        return top_dots(self.conv, self.element)


@dataclass(frozen=True, eq=False)
class EngineNetwork:
    """host graph -> windows -> layers -> tail: what the host does before, the engine, what the host makes of the sums.

    Where there are `windows`, the host gives the engine the windows of that convolution as pixels; or, where the first
    layer reads windows of columns, its pixels with those beside the image.
    """

    host: Graph
    layers: tuple[EngineLayer, ...]
    tail: Graph
    windows: Conv | None = None

    def codes(self, inputs: NDArray[np.int64]) -> NDArray[np.int64]:
        """The first layer's inputs (frames, lines, columns, channels), as codes, of the graph's (frames, *shape)."""
        (value,) = self.host.inputs
        (values,) = evaluate(self.host, {value.name: inputs}).values()
        first = self.layers[0]
        assert not isinstance(first.element, FloatType)
        if self.windows is not None and first.reads_windows:
            beside = self.windows.padding[1]
            codes = (values - first.element.lo) // first.element.step
            return np.pad(codes, ((0, 0), (0, 0), (beside, beside), (0, 0)))
        if self.windows is not None:
            values = self.windows.unrolled(values, fill=self.windows.pad_value)
        return (values.reshape(-1, *first.in_shape) - first.element.lo) // first.element.step

    def answers(self, sums: NDArray[np.int64]) -> NDArray[np.int64]:
        """The graph's output, of the last layer's mismatches (frames, lines, columns, rows)."""
        top, step = self.layers[-1].dots
        (value,) = self.tail.inputs
        dots = (top - step * sums).reshape(len(sums), *value.type.shape)
        (answers,) = evaluate(self.tail, {value.name: dots}).values()
        return answers


def engine_network(graph: Graph) -> EngineNetwork:
    """The integer graph in the engine's layers. Raises ScheduleError, which names the node, where it has no place."""
    host, core = split_host(graph)
    if (node := core.off_chain()) is not None:
        raise ScheduleError(
            f"node {node.name!r} reads {node.inputs}; the engine runs chains, each node of the one before"
        )
    types = infer_types(core)
    shape = _as_image(types[core.inputs[0].name].shape)
    layers: list[EngineLayer] = []
    at = 0
    while at < len(core.nodes) and not _only_host(core.nodes[at:]):
        layer, used = _layer(core, core.nodes[at:], shape)
        shape = layer.out_shape
        layers.append(layer)
        at += used
    if not layers or any(layer.most is None for layer in layers[:-1]) or layers[-1].most is not None:
        raise ScheduleError("a network for the engine is layers with thresholds behind them, and a last one without")
    value = core.nodes[at - 1].output
    tail = replace(core, inputs=(Value(value, types[value]),), nodes=core.nodes[at:])
    return EngineNetwork(host, tuple(layers), tail)


def _only_host(nodes: tuple[Node, ...]) -> bool:
    """Whether what is left is small and has no product: the host does it."""
    return not any(isinstance(node.op, Product | MaxPool | Threshold) for node in nodes)


def _as_image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    if len(shape) == 3:
        return shape[0], shape[1], shape[2]
    return 1, 1, int(np.prod(shape))


def _layer(core: Graph, nodes: tuple[Node, ...], shape: tuple[int, int, int]) -> tuple[EngineLayer, int]:
    """The first layer of `nodes`, whose input has that shape, and how many of them it takes."""
    types = infer_types(core)
    used = 0
    while isinstance(nodes[used].op, Flatten):
        if used == 0 and nodes[0].inputs[0] == core.inputs[0].name:
            shape = (1, 1, int(np.prod(shape)))
        used += 1
    node = nodes[used]
    op, element = node.op, types[node.inputs[0]].element
    if isinstance(element, FloatType):
        raise ScheduleError(f"node {node.name!r} reads floats; integerize the graph")
    if isinstance(op, MatMul):
        lines, columns, channels = shape
        weights = op.weights.reshape(op.rows, lines, columns, channels)
        op = Conv(weights, factors=op.factors)
    if not isinstance(op, Conv):
        kind = type(op).__name__
        raise ScheduleError(
            f"node {node.name!r} ({kind}) has no place on the engine, which runs products with thresholds"
        )
    if not op.is_binary or op.groups != 1:
        raise ScheduleError(
            f"node {node.name!r} has weights {'of several groups' if op.is_binary else 'of integers'}; "
            "the engine takes +-1, in one group"
        )
    used += 1
    thresholds, pool, minimum = None, (1, 1), np.zeros(op.rows, bool)
    if used < len(nodes) and isinstance(threshold := nodes[used].op, Threshold):
        thresholds = np.broadcast_to(threshold.thresholds, op.rows)
        used += 1
        if used < len(nodes) and isinstance(pooling := nodes[used].op, MaxPool):
            if pooling.kernel != pooling.stride:
                raise ScheduleError(
                    f"node {nodes[used].name!r} pools {pooling.kernel} with stride {pooling.stride}; "
                    "the engine wants both alike"
                )
            pool = pooling.kernel
            minimum = minimum if pooling.minimum is None else pooling.minimum
            used += 1
    _check_padding(node, op, element)
    most = None if thresholds is None else mismatch_thresholds(op, element, thresholds)
    return EngineLayer(node.name, op, element, shape, most, pool, minimum), used


def _check_padding(node: Node, op: Conv, element: Element) -> None:
    if not any(op.padding):
        return
    if isinstance(element, FloatType):
        return
    if op.pad_value == element.lo or (isinstance(element, BinaryType) and op.pad_value == 0):
        return
    raise ScheduleError(
        f"node {node.name!r} pads with {op.pad_value}; "
        f"the engine pads with {element.lo}, the least input, or +-1 with 0"
    )
