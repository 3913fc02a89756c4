"""A core's integer graph as the hardware computes it: bit planes and mismatch sums instead of signed numbers.

With u = (x - lo)/step the unsigned input in k planes and m_p the mismatches of a row's signs with plane p, the
mismatch sum is

    m = sum_p 2^p m_p,   and   dot = step*((2^k - 1)*ones - m) + lo*(ones - others),

`ones` and `others` the row's numbers of +1 and -1. For +-1 inputs, k = 1, step = 2 and dot = cols - 2*m. The
conventions are in docs/architecture.md, "Numbers".
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.hw.matrix_shape import MatrixShape

from .errors import ScheduleError
from .folding import Folding
from .ir import Graph, Node, infer_types
from .ops import ArgMax, Conv, Flatten, MatMul, MaxPool, MultiThreshold, Product, ScoreTable, SumPool, Threshold
from .types import BinaryType, Element, IntType


@dataclass(frozen=True, eq=False)
class MatrixLayer:
    """One matrix unit's work. Without thresholds it gives the mismatch sums themselves.

    Attributes
    ----------
    weights
        (rows, cols) int8 of +-1.
    planes
        Bits of an input element.
    thresholds
        (rows,) int64: the output bit is 1 where the mismatch sum is at most this; from -1, never, to `max_sum`, always.
    """

    name: str
    weights: NDArray[np.int8]
    planes: int
    thresholds: NDArray[np.int64] | None

    @property
    def rows(self) -> int:
        return self.weights.shape[0]

    @property
    def cols(self) -> int:
        return self.weights.shape[1]

    def shape(self, folding: Folding, vectors: int) -> MatrixShape:
        """The sizes of the matrix unit with this folding. Raises ScheduleError for an illegal one."""
        try:
            return MatrixShape(
                rows=self.rows,
                cols=self.cols,
                pe=folding.pe,
                simd=folding.simd,
                vectors=vectors,
                planes=self.planes,
                thresholded=self.thresholds is not None,
                store=folding.store,
            )
        except ValueError as error:
            raise ScheduleError(f"layer {self.name!r}: {error}") from error

    @property
    def max_sum(self) -> int:
        """The greatest mismatch sum."""
        return self.cols * (2**self.planes - 1)


@dataclass(frozen=True, eq=False)
class Pipeline:
    """The units' work from the core's input to its output: matrix layers, perhaps a table of scores, perhaps the label.

    Attributes
    ----------
    element
        The input's elements.
    layers
        All but the last have thresholds. The last one's weights are inverted, so that a greater sum is a greater score.
    table
        (classes, entries) int64: the score of a class by the last layer's sum. None where the sum itself is the score.
    label
        Whether the arg max of the scores is the output, or the scores.
    offsets, scale
        The last layer's dots are offsets + scale*sums.
    """

    element: Element
    layers: tuple[MatrixLayer, ...]
    table: NDArray[np.int64] | None
    label: bool
    offsets: NDArray[np.int64]
    scale: int

    @property
    def classes(self) -> int:
        return self.layers[-1].rows

    @property
    def score_width(self) -> int:
        """Bits of a score, unsigned."""
        return max(1, int(self.layers[-1].max_sum if self.table is None else self.table.max()).bit_length())


def build_pipeline(graph: Graph) -> Pipeline:
    """The pipeline of a core's graph, which must be one chain: MatMul and Threshold in turns, a last MatMul, and for a
    label an ArgMax, before it perhaps a ScoreTable.

    Raises ScheduleError for any other graph; the message names the node.
    """
    types = infer_types(graph)
    nodes = [node for node in chain_of(graph) if not isinstance(node.op, Flatten)]
    for node in nodes:
        if isinstance(node.op, Conv | MaxPool | SumPool | MultiThreshold):
            raise ScheduleError(
                f"node {node.name!r} ({type(node.op).__name__}) has no hardware yet, only matrix products and "
                "thresholds have; `bnnhw eval` and `bnnhw verify --through packed` take this network"
            )
    *hidden, last = split_layers(nodes)
    layers = []
    for matmul, *rest in hidden:
        op = matmul.op
        if not isinstance(op, MatMul) or len(rest) != 1 or not isinstance(rest[0].op, Threshold):
            raise ScheduleError(f"node {matmul.name!r}: a hidden layer must be a MatMul and a Threshold")
        layers.append(hidden_layer(matmul.name, op, types[matmul.inputs[0]].element, rest[0].op))
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
    """The chain in pieces that begin with a MatMul each."""
    if not nodes or not isinstance(nodes[0].op, MatMul):
        what = f"node {nodes[0].name!r} ({type(nodes[0].op).__name__})" if nodes else "an empty graph"
        raise ScheduleError(f"{what} cannot begin a core; it begins with a MatMul")
    layers: list[list[Node]] = []
    for node in nodes:
        if isinstance(node.op, MatMul):
            layers.append([])
        layers[-1].append(node)
    return layers


def hidden_layer(name: str, op: MatMul, element: Element, threshold: Threshold) -> MatrixLayer:
    """dot >= t as m <= floor((top - t) / step), `top` the dot of no mismatch and `step` what a mismatch takes away."""
    layer = MatrixLayer(name, op.weights, width_of(element), None)
    thresholds = np.broadcast_to(threshold.thresholds, (op.rows,))
    return replace(layer, thresholds=mismatch_thresholds(op, element, thresholds))


def mismatch_thresholds(op: Product, element: Element, thresholds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Thresholds (rows,) on the mismatch sum m: dot >= t where m is at most this; -1 for never, its maximum for always.

    `element` is what the sums are made of (`Product.terms`).
    """
    top, step = top_dots(op, element)
    return np.clip((top - thresholds) // step, -1, op.cols * (2 ** width_of(element) - 1))


def sums_to_dots(op: Product, element: Element) -> tuple[NDArray[np.int64], int]:
    """(offsets, scale) of the last layer, whose weights are inverted: dot = offsets + scale*m."""
    top, step = top_dots(op, element)
    return top - step * op.cols * (2 ** width_of(element) - 1), step


def top_dots(op: Product, element: Element) -> tuple[NDArray[np.int64], int]:
    """(top, step): a row's dot is top - step*m, top its dot at a mismatch sum m of 0."""
    assert isinstance(element, BinaryType | IntType)  # a Product reads no floats
    ones = np.count_nonzero(op.weights.reshape(op.rows, -1) == 1, axis=1).astype(np.int64)
    return element.step * (2**element.width - 1) * ones + element.lo * (2 * ones - op.cols), element.step


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


def width_of(element: Element) -> int:
    """The bits of an element of a product's input."""
    assert isinstance(element, BinaryType | IntType)  # a Product reads no floats
    return element.width
