"""The network as a table: what each layer reads, writes, stores and computes."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import BinaryLayer, Conv, Product, Threshold
from bnnhw.compiler.ir.types import BinaryType, Element, FloatType, TensorType
from bnnhw.compiler.passes.split_weights import with_planes

from .lanes import Lanes, lay_out
from .unique_filters import FilterReuse, count_unique_filters

WORD_BITS = 64
"""Binary multiply-accumulates that a CPU does in one operation, as the literature counts them."""


@dataclass(frozen=True, kw_only=True)
class LayerSummary:
    """One node of a graph.

    reads: the nodes whose outputs it reads, or the graph's input; files of reports leave it out. input_shape,
    input_element, input_bits: of the first of them. input_element, output_element: the numbers that an element may be,
    such as `"0..255"`, `"±1"`, `"float32"`; input_bits, output_bits: what carries one element. weights: how many, of
    1 bit each; integers count as their planes of such, here and below. macs: multiply-accumulates a frame. unique_rows:
    rows that differ, a row and its inverse counted once, as either's sum gives the other's (the filter reuse of
    Courbariaux et al., https://arxiv.org/abs/1602.02830, taken to rows). plus_share: share of +1 weights, 0 to 1.
    filters: a convolution's 2-D filters. constant_channels: outputs that are the same for every input. None where there
    is no such thing.
    """

    name: str
    op: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    input_element: str
    output_element: str
    input_bits: int
    output_bits: int
    weights: int = 0
    macs: int = 0
    unique_rows: int | None = None
    rows: int | None = None
    plus_share: float | None = None
    filters: FilterReuse | None = None
    constant_channels: int | None = None
    reads: tuple[str, ...] = field(default=(), compare=False, metadata={"plain": None})


@dataclass(frozen=True, kw_only=True)
class NetworkSummary:
    """The layers in order of evaluation, and their sums."""

    layers: tuple[LayerSummary, ...]

    @property
    def is_chain(self) -> bool:
        """Whether each layer reads the one before it alone."""
        return all(after.reads == (before.name,) for before, after in pairwise(self.layers))

    @property
    def inputs(self) -> tuple[str, ...]:
        """What layers read that no layer before them makes."""
        made: set[str] = set()
        inputs: dict[str, None] = {}
        for layer in self.layers:
            inputs |= dict.fromkeys(name for name in layer.reads if name not in made)
            made.add(layer.name)
        return tuple(inputs)

    @property
    def lanes(self) -> Lanes:
        """The graph in rows: the inputs, then the layers."""
        rows = {name: row for row, name in enumerate(self.inputs)}
        edges, first = [], len(rows)
        for row, layer in enumerate(self.layers, start=first):
            edges += ((rows[name], row) for name in layer.reads)
            rows[layer.name] = row
        return lay_out(first + len(self.layers), edges)

    @property
    def weights(self) -> int:
        return sum(layer.weights for layer in self.layers)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def weight_bytes(self) -> int:
        """With 1-bit weights; float32 needs 32 times as many bits."""
        return -(-self.weights // 8)

    @property
    def unique_row_share(self) -> float:
        """Rows that differ within their layer, of all rows; 1 where no row can be shared."""
        rows = sum(layer.rows or 0 for layer in self.layers)
        return sum(layer.unique_rows or 0 for layer in self.layers) / rows if rows else 1.0

    @property
    def theoretical_speedup(self) -> float:
        """Float32 operations of the same network over word operations of the binary one, on a CPU:

            macs / (sum over layers of macs * input_bits / 64 + outputs).

        1 for a network without weights. Source: Rastegari et al., XNOR-Net, https://arxiv.org/abs/1603.05279, section
        4.1; their one operation for each output, a scaling, is a comparison here; the input bits are ours.
        """
        layers = [layer for layer in self.layers if layer.macs]
        words = sum(layer.macs * layer.input_bits / WORD_BITS + int(np.prod(layer.output_shape)) for layer in layers)
        return self.macs / words if words else 1.0


def summarize_network(graph: Graph) -> NetworkSummary:
    """The table of a trained or an integer graph. Raises GraphError as `verify` does."""
    types = infer_types(graph)
    return NetworkSummary(layers=tuple(_summarize(node, graph, types) for node in graph.nodes))


def _summarize(node: Node, graph: Graph, types: dict[str, TensorType]) -> LayerSummary:
    read, written = types[node.inputs[0]], types[node.output]
    layer = {
        "name": node.name,
        "op": node.op.title,
        "reads": tuple(before.name if (before := graph.producer(value)) else value for value in node.inputs),
        "input_shape": read.shape,
        "output_shape": written.shape,
        "input_element": name_of(read.element),
        "output_element": name_of(written.element),
        "input_bits": bits_of(read.element),
        "output_bits": bits_of(written.element),
    }
    if isinstance(node.op, BinaryLayer | Product):
        whole = node.op.product if isinstance(node.op, BinaryLayer) else node.op
        product = with_planes(whole)
        weights = product.weights.reshape(product.rows, -1)
        layer |= {
            "weights": weights.size,
            "macs": product.cols * written.size * (product.rows // whole.rows),
            "rows": product.rows,
            "unique_rows": count_unique_rows(weights),
            "plus_share": float((weights == 1).mean()),
            "filters": count_unique_filters(product) if isinstance(product, Conv) else None,
        }
    producer = graph.producer(node.inputs[0])
    if isinstance(node.op, Threshold) and producer is not None and isinstance(producer.op, Product):
        layer["constant_channels"] = count_constant_channels(node.op, producer.op, types[producer.inputs[0]].element)
    return LayerSummary(**layer)


def count_unique_rows(weights: np.ndarray) -> int:
    """How many rows of (rows, cols) +-1 weights differ, a row and its inverse counted once."""
    return len(np.unique(np.packbits(weights * weights[:, :1] == 1, axis=1), axis=0))


def count_constant_channels(threshold: Threshold, product: Product, element: Element) -> int:
    """How many outputs of `threshold` never change, whatever `product` reads from `element`."""
    if isinstance(element, FloatType):
        raise TypeError("a product reads integers or +-1 values, not float32")
    reachable = product.reachable(element)
    return int(np.count_nonzero((threshold.thresholds <= reachable.lows) | (threshold.thresholds > reachable.highs)))


def name_of(element: Element) -> str:
    """The numbers that `element` holds, for people."""
    if isinstance(element, FloatType):
        return "float32"
    return "±1" if isinstance(element, BinaryType) else f"{element.lo}..{element.hi}".replace("-", "\u2212")


def bits_of(element: Element) -> int:
    """The bits that carry one element."""
    return 32 if isinstance(element, FloatType) else element.width
