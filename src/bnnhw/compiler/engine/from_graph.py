"""An integer graph in the engine's layers, each of which knows the maps that it reads and the one that it writes.

Tests: tests/compiler/engine/test_from_graph.py
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Graph, Node, Value, infer_types
from bnnhw.compiler.ir.ops import (
    Add,
    Concat,
    Conv,
    DepthToSpace,
    Flatten,
    Levels,
    MatMul,
    MaxPool,
    MultiThreshold,
    Product,
    Threshold,
)
from bnnhw.compiler.ir.types import Element, FloatType, IntType
from bnnhw.compiler.lowering.network import split_host
from bnnhw.compiler.units.product.mismatches import mismatch_thresholds, width_of

from .bits import bit_thresholds, is_code
from .layers import EngineLayer, EngineNetwork, Pool
from .values.layer_values import ValueMap
from .values.value_walk import ValueWalk

__all__ = ["engine_network"]

_HOST_SHARE = 0.1
"""Of all products those of a convolution behind the last values that is left to the host, at most."""


def engine_network(graph: Graph) -> EngineNetwork:
    """The integer graph in the engine's layers. Raises ScheduleError, which names the node, where it has no place."""
    host, core = split_host(graph)
    if len(core.outputs) != 1:
        raise ScheduleError(f"a network for the engine has one output; this one has {list(core.outputs)}")
    return _Walk(core).network(host)


@dataclass(frozen=True)
class _Maps:
    """A value of the graph as maps of `size` lines and columns, whose channels lie side by side.

    is_flat: their elements come one behind the other, in raster order of all channels.
    """

    names: tuple[str, ...]
    channels: tuple[int, ...]
    size: tuple[int, int]
    is_flat: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        return *self.size, sum(self.channels)


class _Walk:
    """The layers of a graph, node by node, and the nodes that are left to the host."""

    def __init__(self, core: Graph):
        self._core = core
        self._types = infer_types(core)
        self._layers: list[EngineLayer] = []
        self._tail: list[Node] = []
        self._behind: set[str] = set()  # thresholds and poolings of layers
        value = core.inputs[0].name
        *lines, columns, channels = (1, 1, *self._types[value].shape)
        self._maps = {value: _Maps((value,), (channels,), (int(np.prod(lines)), columns))}
        self._values = ValueWalk(core)
        self._output: ValueMap | None = None
        for node in core.nodes:
            if node.name not in self._behind | self._values.behind:
                self._add(node)

    def network(self, host: Graph) -> EngineNetwork:
        """All of it, behind what the host does first."""
        layers = self._layers
        sums = [layer for layer in layers if layer.gives_sums]
        if not layers or sums != ([layers[-1]] if self._output is None else []):
            raise ScheduleError(
                "a network for the engine is layers with thresholds or values behind them, and one output of sums or "
                "values"
            )
        if not all(self._is_small(node) for node in self._tail):
            raise _no_place(self._tail[0])
        name = layers[-1].writes if self._output is None else self._output.name
        tail = replace(self._core, inputs=(Value(name, self._types[name]),), nodes=tuple(self._tail))
        return EngineNetwork(host, tuple(layers), tail, output=self._output)

    def _is_small(self, node: Node) -> bool:
        """Whether the host may do it: behind values dense layers and convolutions of a small share; no thresholds."""
        if isinstance(node.op, Conv):
            lines, columns, _ = self._types[node.output].shape
            pixels = [lines * columns, *(each.sum_shape[0] * each.sum_shape[1] for each in self._layers)]
            sizes = [node.op.weights.size, *(each.conv.weights.size for each in self._layers)]
            own, *others = (count * size for count, size in zip(pixels, sizes, strict=True))
            return self._output is not None and own <= _HOST_SHARE * sum(others)
        if isinstance(node.op, MatMul):
            return self._output is not None
        return not isinstance(node.op, MaxPool | Threshold | MultiThreshold)

    def _add(self, node: Node) -> None:
        known = [self._maps[name] for name in node.inputs if name in self._maps]
        if any(name in self._values for name in node.inputs):
            self._add_to_values(node)
        elif not known:
            self._tail.append(node)
        elif len(known) == len(node.inputs) and isinstance(node.op, Flatten):
            self._maps[node.output] = self._flat(node, known[0])
        elif isinstance(node.op, Levels) and is_code(node.op):
            self._maps[node.output] = known[0]
        elif len(known) == len(node.inputs) and isinstance(node.op, Concat):
            self._maps[node.output] = self._beside(node, known)
        elif len(known) == len(node.inputs) and isinstance(node.op, Product):
            self._add_product(node, known[0])
        else:
            raise _no_place(node)

    def _add_to_values(self, node: Node) -> None:
        if not all(name in self._values for name in node.inputs):
            raise _no_place(self._tail[0] if self._tail else node)
        if self._values.takes(node):
            self._append(self._values.add(node))
            return
        if isinstance(node.op, Product) and self._is_needed(node):
            self._add_product_of_values(node)
            return
        output = self._values.output(node, node.inputs[0])
        if len(node.inputs) > 1 or self._output not in (None, output):
            raise _no_place(node)
        self._output = output
        self._tail.append(node)

    def _append(self, layers: Iterable[EngineLayer]) -> None:
        for layer in layers:
            self._layers.append(layer)
            if layer.writes_bits:
                lines, columns, channels = layer.map_shape
                self._maps[layer.writes] = _Maps((layer.writes,), (channels,), (lines, columns))

    def _flat(self, node: Node, maps: _Maps) -> _Maps:
        if node.inputs[0] == self._core.inputs[0].name and self._core.consumers(node.inputs[0]) == (node,):
            return _Maps(maps.names, self._types[node.output].shape, (1, 1))
        return replace(maps, is_flat=maps.size != (1, 1))

    def _beside(self, node: Node, parts: list[_Maps]) -> _Maps:
        if any(part.is_flat for part in parts):
            raise ScheduleError(
                f"node {node.name!r} joins maps that are flattened; the engine joins channels: flatten behind it"
            )
        codes = {_coding(self._types[name].element) for name in (*node.inputs, node.output)}
        if len(codes) > 1:
            raise ScheduleError(
                f"node {node.name!r} joins values of several ranges; the engine joins those of one, such as bits"
            )
        return _Maps(
            tuple(name for part in parts for name in part.names),
            tuple(count for part in parts for count in part.channels),
            parts[0].size,
        )

    def _add_product(self, node: Node, maps: _Maps) -> None:
        element = self._types[node.inputs[0]].element
        if isinstance(element, FloatType):
            raise ScheduleError(f"node {node.name!r} reads floats; integerize the graph")
        conv = _convolution(node, maps.shape)
        _check_padding(node, conv, element)
        layer = _layer(node, conv, maps, element)
        readers = self._core.consumers(node.output)
        are_bits = [bit_thresholds(reader.op, conv.rows) is not None for reader in readers]
        if conv.is_binary and readers and all(are_bits) and node.output not in self._core.outputs:
            self._append(self._with_threshold(layer, reader) for reader in readers)
        elif self._values.makes_values(node):
            self._append(self._values.add_product(node, layer))
        else:
            self._append([layer])

    def _add_product_of_values(self, node: Node) -> None:
        """A convolution of values: behind a layer that makes bit planes of these."""
        lines, columns, channels = (1, 1, *self._types[node.inputs[0]].shape)[-3:]
        conv, planes = self._values.planes(node, _convolution(node, (lines, columns, channels)))
        self._append([planes])
        element = IntType(-1 << planes.bit_planes - 1, (1 << planes.bit_planes - 1) - 1)
        _check_padding(node, conv, element)
        maps = _Maps((planes.writes,), (conv.channels,), planes.map_shape[:2])
        self._append(self._values.add_product(node, _layer(node, conv, maps, element)))

    def _is_needed(self, node: Node) -> bool:
        """Whether what comes of a node is compared, or added to values, and not the host's alone."""
        readers = self._core.consumers(node.output)
        return any(
            isinstance(reader.op, Threshold | MultiThreshold | Add) or self._is_needed(reader) for reader in readers
        )

    def _with_threshold(self, layer: EngineLayer, node: Node) -> EngineLayer:
        """The layer with a threshold, and what stands behind that: a pooling, or a block of pixels from channels. Of
        sums with several thresholds each has a layer of its own."""
        self._behind.add(node.name)
        thresholds = bit_thresholds(node.op, layer.conv.rows)
        assert thresholds is not None
        layer = replace(layer, most=mismatch_thresholds(layer.conv, layer.element, thresholds), writes=node.output)
        pooling = self._follower(node, MaxPool)
        if pooling is not None and isinstance(pooling.op, MaxPool):
            op = pooling.op
            if any(op.padding):
                raise ScheduleError(
                    f"node {pooling.name!r} pools bits with padding={op.padding}; the engine pads windows of values "
                    "alone: pool before the activation, or without padding"
                )
            pool = Pool(op.kernel, op.stride)
            minimum = layer.minimum if op.minimum is None else op.minimum
            return replace(layer, writes=pooling.output, pool=pool, minimum=minimum)
        shuffling = self._follower(node, DepthToSpace)
        if shuffling is not None and isinstance(shuffling.op, DepthToSpace):
            return replace(layer, writes=shuffling.output, block=shuffling.op.block)
        return layer

    def _follower(self, node: Node, kind: type) -> Node | None:
        """The node of that kind behind `node`, which a layer does too; None where there is none."""
        readers = self._core.consumers(node.output)
        found = next((reader for reader in readers if isinstance(reader.op, kind)), None)
        if found is None:
            return None
        others = [repr(reader.name) for reader in readers if reader is not found]
        others += ["the output"] * (node.output in self._core.outputs)
        if others:
            raise ScheduleError(
                f"node {found.name!r} ({kind.__name__}) reads {node.name!r}, and so does {others[0]}; the engine does "
                "this to bits that nothing else reads: give each a threshold of its own"
            )
        self._behind.add(found.name)
        return found


def _layer(node: Node, conv: Conv, maps: _Maps, element: Element) -> EngineLayer:
    """A product's layer, without what stands behind it."""
    return EngineLayer(
        name=node.name,
        reads=maps.names,
        channels=maps.channels,
        writes=node.output,
        conv=conv,
        element=element,
        in_shape=maps.shape,
        most=None,
        pool=Pool(),
        minimum=np.zeros(conv.rows, bool),
    )


def _no_place(node: Node) -> ScheduleError:
    return ScheduleError(
        f"node {node.name!r} ({type(node.op).__name__}) has no place on the engine, which runs products with "
        "thresholds, joins their bits, and adds values of fixed point"
    )


def _coding(element: Element) -> tuple[int, int, int]:
    """What the codes of two values must have in common."""
    if isinstance(element, FloatType):
        return 0, 0, 0
    return element.lo, element.step, width_of(element)


def _convolution(node: Node, shape: tuple[int, int, int]) -> Conv:
    """A product as a convolution of maps of that shape."""
    op = node.op
    if isinstance(op, MatMul):
        op = Conv(op.weights.reshape(op.rows, *shape), factors=op.factors)
    if not isinstance(op, Conv):
        raise _no_place(node)
    if op.groups != 1:
        raise ScheduleError(f"node {node.name!r} has weights of several groups; the engine takes one group")
    return op


def _check_padding(node: Node, op: Conv, element: Element) -> None:
    if not any(op.padding):
        return
    if isinstance(element, FloatType):
        return
    if op.pad_value == element.lo or (op.pad_value == 0 and element.lo == -element.hi and width_of(element) == 1):
        return
    raise ScheduleError(
        f"node {node.name!r} pads with {op.pad_value}; "
        f"the engine pads with {element.lo}, the least input, or two numbers +-x with 0"
    )
