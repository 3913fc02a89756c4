"""From a core's integer graph to its pipeline: bit planes and mismatch sums instead of signed numbers.

Tests: tests/compiler/lowering/test_pipeline.py
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import gcd, prod

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import ArgMax, Conv, Product, ScoreTable, Threshold
from bnnhw.compiler.ir.types import BinaryType, IntType, TensorType
from bnnhw.compiler.units.codes import Codes, element_of
from bnnhw.compiler.units.inversion import Inverting
from bnnhw.compiler.units.offsets import rescaling
from bnnhw.compiler.units.product.borders import NO_BORDERS, border_sums
from bnnhw.compiler.units.product.layer import MatrixLayer, Windows
from bnnhw.compiler.units.product.mismatches import mismatch_thresholds, sums_to_dots, width_of
from bnnhw.compiler.units.thresholds import Quantising

from .build_steps import steps_behind
from .pipeline import Pipeline


def build_pipeline(graph: Graph) -> Pipeline:
    """The pipeline of a core's graph, which must be one chain: MatMul or Conv with thresholds and poolings behind it in
    turns, and for a label an ArgMax at the end, before it perhaps a ScoreTable.

    Raises ScheduleError for any other graph; the message names the node.
    """
    types = infer_types(graph)
    nodes = [node for node in chain_of(graph) if not node.op.STREAMS_THROUGH]
    *hidden, (product, *rest) = split_layers(nodes)
    label = bool(rest) and isinstance(rest[-1].op, ArgMax)
    rest = rest[: len(rest) - label]
    ranks = rest.pop().op if label and rest and isinstance(rest[-1].op, ScoreTable) else None
    last, codes = build_layer(product, rest, types)
    if prod(types[last.output].shape) != last.rows:
        raise ScheduleError(
            f"layer {last.name!r}: scores of shape {types[last.output].shape} have no hardware, only one score a "
            "channel; put an average pooling of the whole image behind it, or a dense layer"
        )
    if codes.by_place:
        last, codes = rescaled(last, codes, element_of(types[last.output]))
    elif label and ranks is None and (codes.offsets != codes.offsets.min()).any():
        last, codes = rescaled(last, codes, common_element(codes))
    offsets = codes.offsets[0, 0]
    return Pipeline(
        element=types[graph.inputs[0].name].element,
        layers=(*(hidden_layer(node, behind, types) for node, *behind in hidden), last),
        table=score_table(ranks, offsets, codes) if isinstance(ranks, ScoreTable) else None,
        label=label,
        offsets=offsets,
        scale=codes.scale,
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


def hidden_layer(node: Node, rest: Sequence[Node], types: Mapping[str, TensorType]) -> MatrixLayer:
    """A product with the thresholds and poolings behind it, which gives the codes that the next layer reads."""
    layer, codes = build_layer(node, rest, types)
    return layer if codes.means(layer.element) else rescaled(layer, codes, layer.element)[0]


def build_layer(node: Node, rest: Sequence[Node], types: Mapping[str, TensorType]) -> tuple[MatrixLayer, Codes]:
    """A product with the thresholds and poolings behind it, and what its results are carried as."""
    op, input_type = node.op, types[node.inputs[0]]
    assert isinstance(op, Product)
    element, weights = element_of(input_type), op.weights.reshape(op.rows, -1)
    windows, borders, sums = None, NO_BORDERS, np.zeros((1, 1, op.rows), np.int64)
    if isinstance(op, Conv):
        windows = windows_of(node, op, input_type)
        if op.terms(element) != element:
            borders, sums = border_sums(op, windows.height, windows.width)
            sums *= op.pad_value - element.lo
    thresholds, value = None, rest[-1].output if rest else node.output
    if rest and isinstance(op_of := rest[0].op, Threshold) and borders == NO_BORDERS:
        thresholds = mismatch_thresholds(op, element, np.broadcast_to(op_of.thresholds, (op.rows,)))
        steps, codes = steps_behind(rest[1:], Codes.of(BinaryType(), op.rows), types)
    else:
        weights = -weights
        offsets, scale = sums_to_dots(op, element)
        greatest = op.cols * (2 ** width_of(element) - 1)
        steps, codes = steps_behind(rest, Codes(offsets + sums, scale, greatest, borders), types)
    layer = MatrixLayer(
        name=node.name,
        weights=weights,
        planes=width_of(element),
        thresholds=thresholds,
        windows=windows,
        behind=tuple(steps),
        output=value,
        element=element_of(types[value]),
        greatest=codes.greatest,
    )
    return without_first_inversion(layer), codes


def without_first_inversion(layer: MatrixLayer) -> MatrixLayer:
    """thresholds; invert c  ->  thresholds, with the weights of c inverted: which costs nothing."""
    match layer.behind:
        case (Inverting(channels), *rest) if layer.thresholds is not None:
            return replace(
                layer,
                weights=inverted_rows(layer.weights, channels),
                thresholds=np.where(channels, layer.max_sum - 1 - layer.thresholds, layer.thresholds),
                behind=tuple(rest),
            )
        case (Quantising(thresholds) as step, Inverting(channels), *rest) if layer.thresholds is None:
            falling = layer.max_sum + 1 - thresholds[:, :, ::-1]
            return replace(
                layer,
                weights=inverted_rows(layer.weights, channels),
                behind=(replace(step, thresholds=np.where(channels, falling, thresholds)), *rest),
            )
    return layer


def inverted_rows(weights: NDArray[np.int8], rows: NDArray[np.bool_]) -> NDArray[np.int8]:
    return np.where(rows[:, None], -weights, weights)


def rescaled(layer: MatrixLayer, codes: Codes, element: BinaryType | IntType) -> tuple[MatrixLayer, Codes]:
    """The layer with its results as the codes of an element type, and these codes."""
    step, codes = rescaling(codes, element)
    return replace(layer, behind=(*layer.behind, step), greatest=codes.greatest), codes


def common_element(codes: Codes) -> IntType:
    """An element type that has all values of these codes, whatever the channel."""
    least, most = int(codes.offsets.min()), int(codes.offsets.max())
    step = gcd(codes.scale, *(codes.offsets - least).ravel().tolist())
    return IntType(least, most + codes.scale * codes.greatest, step)


def windows_of(node: Node, op: Conv, input_type: TensorType) -> Windows:
    """How a convolution reads its input. Raises ScheduleError where no hardware does."""
    if any(padding >= taps for padding, taps in zip(op.padding, op.kernel, strict=True)):
        raise ScheduleError(
            f"node {node.name!r}: padding={op.padding} must be less than the kernel, {op.kernel}: a window of "
            "nothing but padding has no hardware"
        )
    element = element_of(input_type)
    height, width, channels = input_type.shape
    inside = any(op.padding) and op.terms(element) == element
    return Windows(
        height=height,
        width=width,
        channels=channels,
        kernel=op.kernel,
        stride=op.stride,
        padding=op.padding,
        groups=op.groups,
        padding_code=(op.pad_value - element.lo) // element.step if inside else 0,
    )


def score_table(ranks: ScoreTable, offsets: NDArray[np.int64], codes: Codes) -> NDArray[np.int64]:
    """The table (classes, entries) of a class's rank by the last layer's code. Codes that no input reaches have 0."""
    dots = offsets[:, None] + codes.scale * np.arange(codes.greatest + 1)
    index = (dots - ranks.lows[:, None]) // ranks.step
    inside = (index >= 0) & (index < ranks.table.shape[1])
    picked = np.take_along_axis(ranks.table, np.clip(index, 0, ranks.table.shape[1] - 1), axis=1)
    return np.where(inside, picked, 0)
