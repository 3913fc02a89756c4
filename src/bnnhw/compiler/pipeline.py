"""A core's integer graph as the hardware computes it: bit planes and mismatch sums instead of signed numbers.

With u = (x - lo)/step the unsigned input in k planes and m_p the mismatches of a row's signs with plane p, the
mismatch sum is

    m = sum_p 2^p m_p,   and   dot = step*((2^k - 1)*ones - m) + lo*(ones - others),

`ones` and `others` the row's numbers of +1 and -1. For +-1 inputs, k = 1, step = 2 and dot = cols - 2*m. The
conventions are in docs/architecture.md, "Numbers".
"""

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from bnnhw.hw.matrix_shape import MatrixShape
from bnnhw.hw.window_shape import WindowShape

from .errors import ScheduleError
from .folding import Folding, divisors
from .ir import Graph, Node, infer_types
from .ops import ArgMax, Conv, Flatten, MatMul, MaxPool, Product, ScoreTable, Threshold
from .ops.windows import Pair, window_counts
from .types import BinaryType, Element, IntType, TensorType


@dataclass(frozen=True, kw_only=True)
class Windows:
    """How a convolution reads its input: what a WindowShape says without its folding."""

    height: int
    width: int
    channels: int
    kernel: Pair
    stride: Pair
    padding: Pair
    padding_code: int

    def shape(self, folding: Folding, *, element_bits: int, in_pixels: int = 1) -> WindowShape:
        """The sizes of the sliding window with this folding. Raises ValueError for an illegal one."""
        down, across = self.padding
        return WindowShape(
            height=self.height,
            width=self.width,
            channels=self.channels,
            element_bits=element_bits,
            kernel=self.kernel,
            stride=self.stride,
            padding=(down, down, across, across),
            in_pixels=in_pixels,
            pixels=folding.pixels,
            simd=folding.simd,
        )

    @property
    def simds(self) -> list[int]:
        """The legal SIMD: divisors of the channels, a row of the kernel, the kernel."""
        kernel_row = self.kernel[1] * self.channels
        return sorted({*divisors(self.channels), kernel_row, self.kernel[0] * kernel_row})

    @property
    def output(self) -> Pair:
        """(height, width) of the layer's output."""
        return window_counts((self.height, self.width, self.channels), self.kernel, self.stride, self.padding)


@dataclass(frozen=True, eq=False)
class MatrixLayer:
    """One matrix unit's work. Without thresholds it gives the mismatch sums themselves.

    Attributes
    ----------
    weights
        (rows, cols) int8 of +-1; the columns of a convolution in the order (ky, kx, channel).
    planes
        Bits of an input element.
    thresholds
        (rows,) int64: the output bit is 1 where the mismatch sum is at most this; from -1, never, to `max_sum`, always.
    windows
        The windows of a convolution.
    pool
        The (window, stride) of a max pooling behind the thresholds.
    inverted
        (rows,) bool: the channels to be inverted behind the pooling, whose weights and thresholds are inverted, too. So
        the greatest of an inverted bit is the least of the bit.
    """

    name: str
    weights: NDArray[np.int8]
    planes: int
    thresholds: NDArray[np.int64] | None
    windows: Windows | None = None
    pool: tuple[Pair, Pair] | None = None
    inverted: NDArray[np.bool_] | None = None

    @property
    def rows(self) -> int:
        return self.weights.shape[0]

    @property
    def cols(self) -> int:
        return self.weights.shape[1]

    @property
    def positions(self) -> int:
        """Vectors of a frame that meet the weights: the output pixels of a convolution."""
        return prod(self.windows.output) if self.windows else 1

    def shape(self, folding: Folding, vectors: int) -> MatrixShape:
        """The sizes of the matrix unit with this folding. Raises ScheduleError for an illegal one."""
        try:
            if self.windows:
                self.windows.shape(folding, element_bits=self.planes)
            elif folding.pixels != 1:
                raise ValueError(f"pixels={folding.pixels} must be 1: it is no convolution")
            return MatrixShape(
                rows=self.rows,
                cols=self.cols,
                pe=folding.pe,
                simd=folding.simd,
                vectors=vectors * folding.pixels,
                planes=self.planes,
                thresholded=self.thresholds is not None,
                store=folding.store,
            )
        except ValueError as error:
            raise ScheduleError(f"layer {self.name!r}: {error}") from error

    def cycles(self, folding: Folding) -> int:
        """Cycles in which the matrix unit works on a frame."""
        folds, words = self.rows // folding.pe, self.cols // folding.simd
        return self.positions // folding.pixels * folds * words * self.planes

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
