"""From a core's integer graph to its pipeline: bit planes and mismatch sums instead of signed numbers."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .errors import ScheduleError
from .ir import Graph, Node, infer_types
from .mismatches import mismatch_thresholds, sums_to_dots, width_of
from .ops import ArgMax, Conv, Flatten, MatMul, MaxPool, Product, ScoreTable, Threshold
from .pipeline import MatrixLayer, Pipeline, Windows
from .types import BinaryType, Element, IntType, TensorType


def build_pipeline(graph: Graph) -> Pipeline:
    """The pipeline of a core's graph, which must be one chain: MatMul or Conv, Threshold and perhaps MaxPool in turns,
    a last MatMul, and for a label an ArgMax, before it perhaps a ScoreTable.

    Raises ScheduleError for any other graph; the message names the node.
    """
    types = infer_types(graph)
    nodes = [node for node in chain_of(graph) if not isinstance(node.op, Flatten)]
    *hidden, last = split_layers(nodes)
    layers = [hidden_layer(product, rest, types[product.inputs[0]]) for product, *rest in hidden]
    matmul, *rest = last
    tables = [node.op for node in rest if isinstance(node.op, ScoreTable)]
    label = any(isinstance(node.op, ArgMax) for node in rest)
    op, element = matmul.op, types[matmul.inputs[0]].element
    if not isinstance(op, MatMul) or len(rest) != len(tables) + label or len(tables) > label:
        raise ScheduleError(
            f"node {matmul.name!r}: the last layer must be a MatMul, and before an ArgMax perhaps a ScoreTable"
        )
    offsets, scale = sums_to_dots(op, element)
    return Pipeline(
        element=types[graph.inputs[0].name].element,
        layers=(*layers, MatrixLayer(matmul.name, -op.weights, element.width, None)),  # pyright: ignore[reportAttributeAccessIssue]
        table=score_table(op, tables[0] if tables else None, offsets, scale, element) if label else None,
        label=label,
        offsets=offsets,
        scale=scale,
    )


def chain_of(graph: Graph) -> tuple[Node, ...]:
    """The graph's nodes, if they are one chain from one input to one output."""
    value = graph.inputs[0].name
    for node in graph.nodes:
        if node.inputs != (value,):
            raise ScheduleError(f"node {node.name!r} must read {value!r} alone: a core is one chain of layers")
        value = node.output
    if len(graph.inputs) != 1 or graph.outputs != (value,):
        raise ScheduleError(f"a core must have one input and the output {value!r}, not {list(graph.outputs)}")
    return graph.nodes


def split_layers(nodes: list[Node]) -> list[list[Node]]:
    """The chain in pieces that begin with a MatMul or a Conv each."""
    if not nodes or not isinstance(nodes[0].op, Product):
        what = f"node {nodes[0].name!r} ({type(nodes[0].op).__name__})" if nodes else "an empty graph"
        raise ScheduleError(f"{what} cannot begin a core; it begins with a layer of binary weights")
    layers: list[list[Node]] = []
    for node in nodes:
        if isinstance(node.op, Product):
            layers.append([])
        layers[-1].append(node)
    return layers


def hidden_layer(node: Node, rest: list[Node], input_type: TensorType) -> MatrixLayer:
    """A product with a threshold and perhaps a max pooling behind it."""
    for other in rest:
        if not isinstance(other.op, Threshold | MaxPool):
            raise ScheduleError(
                f"node {other.name!r} ({type(other.op).__name__}) has no hardware; binary layers with thresholds and "
                "max poolings have. `bnnhw eval` and `bnnhw verify --through packed` take this network"
            )
    op = node.op
    assert isinstance(op, Product)
    if [type(other.op) for other in rest] not in ([Threshold], [Threshold, MaxPool]):
        raise ScheduleError(f"node {node.name!r}: a hidden layer must be a product, a Threshold and perhaps a MaxPool")
    element = op.terms(input_type.element)
    threshold, pool = rest[0].op, rest[1].op if len(rest) > 1 else None
    assert isinstance(threshold, Threshold)
    thresholds = mismatch_thresholds(op, element, np.broadcast_to(threshold.thresholds, (op.rows,)))
    layer = MatrixLayer(
        node.name,
        op.weights.reshape(op.rows, -1),
        width_of(element),
        thresholds,
        windows=windows_of(node, op, input_type) if isinstance(op, Conv) else None,
    )
    if not isinstance(pool, MaxPool):
        return layer
    layer = replace(layer, pool=(pool.kernel, pool.stride))
    if pool.minimum is None:
        return layer
    return replace(
        layer,
        weights=np.where(pool.minimum[:, None], -layer.weights, layer.weights),
        thresholds=np.where(pool.minimum, layer.max_sum - 1 - thresholds, thresholds),
        inverted=pool.minimum,
    )


def windows_of(node: Node, op: Conv, input_type: TensorType) -> Windows:
    """How a convolution reads its input. Raises ScheduleError where no hardware does."""
    if op.groups != 1:
        raise ScheduleError(f"node {node.name!r}: groups={op.groups} has no hardware, only groups=1 has")
    element = input_type.element
    if op.terms(element) != element:
        raise ScheduleError(
            f"node {node.name!r}: padding with {op.pad_value} between inputs of {element} has no hardware; pad with -1"
        )
    assert isinstance(element, BinaryType | IntType)
    height, width, channels = input_type.shape
    return Windows(
        height=height,
        width=width,
        channels=channels,
        kernel=op.kernel,
        stride=op.stride,
        padding=op.padding,
        padding_code=(op.pad_value - element.lo) // element.step if any(op.padding) else 0,
    )


def score_table(
    op: MatMul, ranks: ScoreTable | None, offsets: NDArray[np.int64], scale: int, element: Element
) -> NDArray[np.int64] | None:
    """The table from the last layer's sums to scores that order the classes: None where the sums do so themselves.

    Entries for sums that no input reaches are 0.
    """
    sums = np.arange(op.cols * (2 ** width_of(element) - 1) + 1)
    dots = offsets[:, None] + scale * sums
    if ranks is not None:
        index = (dots - ranks.lows[:, None]) // ranks.step
        inside = (index >= 0) & (index < ranks.table.shape[1])
        picked = np.take_along_axis(ranks.table, np.clip(index, 0, ranks.table.shape[1] - 1), axis=1)
        return np.where(inside, picked, 0)
    return None if (offsets == offsets[0]).all() else dots - offsets.min()
