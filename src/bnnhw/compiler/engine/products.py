"""Products of a graph as layers, without what stands behind them.

Tests: tests/compiler/engine/test_from_graph.py
"""

from dataclasses import replace

import numpy as np

from bnnhw.compiler.engine.bases.input_bases import ONE_BASIS, InputBases
from bnnhw.compiler.engine.bases.sums_of_bases import SumsOfBases
from bnnhw.compiler.engine.bases.weight_bases import weight_bases
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Node
from bnnhw.compiler.ir.ops import Conv, MatMul
from bnnhw.compiler.ir.types import BinaryType, Element, FloatType
from bnnhw.compiler.units.product.mismatches import width_of

from .joined_maps import JoinedMaps
from .layers import EngineLayer, Pool

__all__ = ["as_signs", "convolution", "product_layer"]


def product_layer(node: Node, conv: Conv, maps: JoinedMaps, element: Element) -> EngineLayer:
    """The layer of a product as that convolution of maps. Raises ScheduleError where the engine has no such border."""
    bases = ONE_BASIS
    if maps.values is None:
        _check_padding(node, conv, element)
    else:
        bases, element = InputBases.of_levels(maps.values), BinaryType()
        conv = replace(conv, pad_value=_padding_of_bits(node, conv, maps.values, bases))
    return EngineLayer(
        name=node.name,
        reads=tuple(name for names in maps.names for name in names),
        channels=maps.channels,
        writes=node.output,
        conv=conv,
        element=element,
        in_shape=maps.shape,
        most=None,
        pool=Pool(),
        minimum=np.zeros(conv.rows, bool),
        bases=bases,
    )


def convolution(node: Node, shape: tuple[int, int, int]) -> Conv | None:
    """A product as a convolution of maps of that shape, of one group; None of any other node."""
    op = node.op
    if isinstance(op, MatMul):
        return Conv(op.weights.reshape(op.rows, *shape), factors=op.factors)
    if not isinstance(op, Conv):
        return None
    return op if op.groups == 1 else _of_one_group(op)


def _of_one_group(op: Conv) -> Conv:
    """Rows that have weights of 0 for the channels of other groups than theirs."""
    rows, height, width, channels = op.weights.shape
    whole = np.zeros((op.groups, rows // op.groups, height, width, op.groups, channels), np.int16)
    for group, weights in enumerate(op.weights.reshape(op.groups, -1, height, width, channels)):
        whole[group, ..., group, :] = weights
    return replace(op, weights=whole.reshape(rows, height, width, -1), groups=1, factors=())


def as_signs(layer: EngineLayer) -> tuple[EngineLayer, SumsOfBases]:
    """A layer of weights of +-1 that reads the maps of all of its inputs' bases side by side, and what is made of its
    sums.

    For each basis of the weights it has as many rows as inputs have bases. In the j-th one of these all bases of inputs
    behind the j-th are taken off: so half of the difference between two neighbours, and of the last one and the first
    one half of the sum, is a single basis' sum.
    """
    conv, inputs, weights = layer.conv, layer.bases, weight_bases(layer.conv)
    count = len(inputs)
    order = np.arange(count)
    signs = np.where(order <= order[:, None], 1, -1).astype(np.int8)  # (rows, bases of the inputs)
    of_rows = weights.signs[:, :, None, :, :, None] * signs[:, None, None, :, None]
    made = replace(conv, weights=of_rows.reshape(-1, *conv.kernel, count * conv.channels), factors=())
    factors = np.array(inputs.factors, np.int64)
    if count > 1:  # of twice the sum of each basis
        factors = factors - np.append(factors[1:], -factors[0])
    total = conv.weights.reshape(conv.rows, -1).sum(axis=1, dtype=np.int64)
    doubled = weights.halved + (count > 1)
    lines, columns, channels = layer.in_shape
    whole = replace(
        layer,
        conv=made,
        channels=layer.channels * count,
        in_shape=(lines, columns, channels * count),
        minimum=np.zeros(made.rows, bool),
        bases=ONE_BASIS,
    )
    return whole, SumsOfBases(
        np.outer(weights.factors, factors).reshape(-1), total * inputs.offset << doubled, inputs.halved + doubled
    )


def _check_padding(node: Node, op: Conv, element: Element) -> None:
    if not any(op.padding) or isinstance(element, FloatType):
        return
    if op.pad_value == element.lo or (op.pad_value == 0 and element.lo == -element.hi and width_of(element) == 1):
        return
    raise ScheduleError(
        f"node {node.name!r} pads with {op.pad_value}; "
        f"the engine pads with {element.lo}, the least input, or two numbers +-x with 0"
    )


def _padding_of_bits(node: Node, op: Conv, values: tuple[int, ...], bases: InputBases) -> int:
    if not any(op.padding):
        return 0
    padding = bases.pad_value(op.pad_value)
    if padding is None:
        raise ScheduleError(
            f"node {node.name!r} pads with {op.pad_value}; the engine pads with {values[0]}, the first of the values "
            f"that codes stand for, or with the middle of the first one and the last one, {values[-1]}"
        )
    return padding
