"""An integer graph in the engine's layers, each of which knows the maps that it reads and the one that it writes.

Tests: tests/compiler/engine/test_from_graph.py
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from bnnhw.compiler.engine.bases.input_bases import ONE_BASIS
from bnnhw.compiler.engine.bases.sums_of_bases import SumsOfBases
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Graph, Node, Value, infer_types
from bnnhw.compiler.ir.ops import (
    Add,
    Concat,
    Conv,
    DepthToSpace,
    Flatten,
    Invert,
    Levels,
    MatMul,
    MaxPool,
    MultiThreshold,
    Operator,
    Product,
    SumPool,
    Threshold,
)
from bnnhw.compiler.ir.ops.base import Op
from bnnhw.compiler.ir.types import FloatType, IntType
from bnnhw.compiler.lowering.network import split_host
from bnnhw.compiler.units.product.mismatches import mismatch_thresholds

from .coding import Coding
from .joined_maps import JoinedMaps, joined
from .layers import EngineLayer, EngineNetwork, Pool
from .products import as_signs, convolution, product_layer
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


_WAYS_OUT: Mapping[type[Op], str] = {
    SumPool: "take each n-th pixel before a convolution, or a convolution with a stride, in the place of an average",
    Operator: "behind sums it clips values to signed numbers of some bits, and bends them nowhere; take an identity",
}


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
        self._maps = {value: JoinedMaps(((value,),), (channels,), (int(np.prod(lines)), columns))}
        self._values = ValueWalk(core)
        self._output: ValueMap | None = None
        self._sums: SumsOfBases | None = None
        for node in core.nodes:
            if node.name not in self._behind | self._values.behind:
                self._add(node)

    def network(self, host: Graph) -> EngineNetwork:
        """All of it, behind what the host does first."""
        layers, (last,) = self._layers, self._core.outputs
        if self._output is None and last in self._values:
            self._output = self._values.output(f"output {last!r}", last)
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
        return EngineNetwork(host, tuple(layers), tail, output=self._output, sums=self._sums)

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
        elif isinstance(node.op, Levels):
            self._maps[node.output] = known[0].standing_for(node.op)
        elif len(known) == len(node.inputs) and isinstance(node.op, Concat):
            self._maps[node.output] = joined(
                node, known, [self._types[name].element for name in (*node.inputs, node.output)]
            )
        elif len(known) == len(node.inputs) and isinstance(node.op, Product):
            self._add_product(node, known[0])
        else:
            raise _no_place(node, self._core)

    def _add_to_values(self, node: Node) -> None:
        if not all(name in self._values for name in node.inputs):
            raise _no_place(self._tail[0] if self._tail else node)
        if self._values.takes(node):
            self._append(self._values.add(node))
            return
        if isinstance(node.op, Product) and self._is_needed(node):
            self._add_product_of_values(node)
            return
        output = self._values.output(f"node {node.name!r}", node.inputs[0])
        if len(node.inputs) > 1 or self._output not in (None, output):
            raise _no_place(node)
        self._output = output
        self._tail.append(node)

    def _append(self, layers: Iterable[EngineLayer]) -> None:
        for layer in layers:
            self._layers.append(layer)
            if layer.writes_bits:
                lines, columns, channels = layer.map_shape
                self._maps[layer.writes] = JoinedMaps(((layer.writes,),), (channels,), (lines, columns))
        for name, coding in self._values.coded.items():
            if name not in self._maps:
                element = self._types[name].element
                assert not isinstance(element, FloatType)
                self._maps[name] = replace(
                    self._maps[coding.names[0]],
                    names=tuple((each,) for each in coding.names),
                    values=tuple(range(element.lo, element.hi + 1)),
                )

    def _flat(self, node: Node, maps: JoinedMaps) -> JoinedMaps:
        if node.inputs[0] == self._core.inputs[0].name and self._core.consumers(node.inputs[0]) == (node,):
            return JoinedMaps(maps.names, self._types[node.output].shape, (1, 1))
        return replace(maps, is_flat=maps.size != (1, 1))

    def _add_product(self, node: Node, maps: JoinedMaps) -> None:
        element = self._types[node.inputs[0]].element
        if isinstance(element, FloatType):
            raise ScheduleError(f"node {node.name!r} reads floats; integerize the graph")
        layer = product_layer(node, self._convolution(node, maps.shape), maps, element)
        codings = self._values.codings(node.output)
        of_signs = layer.conv.is_binary and layer.bases == ONE_BASIS
        if of_signs and codings and all(coding.is_plain for coding in codings):
            self._append(self._with_threshold(layer, coding) for coding in codings)
        elif self._values.makes_values(node, layer):
            self._append(self._values.add_product(node, layer))
        else:
            if not of_signs:
                layer, self._sums = as_signs(layer)
            self._append([layer])

    def _convolution(self, node: Node, shape: tuple[int, int, int]) -> Conv:
        conv = convolution(node, shape)
        if conv is None:
            raise _no_place(node)
        return conv

    def _add_product_of_values(self, node: Node) -> None:
        """A convolution of values: behind a layer that makes bit planes of these."""
        lines, columns, channels = (1, 1, *self._types[node.inputs[0]].shape)[-3:]
        conv, planes = self._values.planes(node, self._convolution(node, (lines, columns, channels)))
        self._append([planes])
        element = IntType(-1 << planes.bit_planes - 1, (1 << planes.bit_planes - 1) - 1)
        maps = JoinedMaps(((planes.writes,),), (conv.channels,), planes.map_shape[:2])
        self._append(self._values.add_product(node, product_layer(node, conv, maps, element)))

    def _is_needed(self, node: Node) -> bool:
        """Whether what comes of a node is compared, or added to values, and not the host's alone."""
        readers = self._core.consumers(node.output)
        return any(
            isinstance(reader.op, Threshold | MultiThreshold | Add) or self._is_needed(reader) for reader in readers
        )

    def _with_threshold(self, layer: EngineLayer, coding: Coding) -> EngineLayer:
        """The layer with a threshold, and what stands behind that: a pooling, or a block of pixels from channels. Of
        sums with several thresholds each has a layer of its own."""
        self._behind |= {node.name for node in coding.nodes}
        most = mismatch_thresholds(layer.conv, layer.element, coding.thresholds[0])
        layer = replace(layer, most=most, writes=coding.output, block=coding.block)
        if coding.pool is None or coding.least is None:
            return layer
        return replace(layer, pool=Pool(coding.pool.kernel, coding.pool.stride), minimum=coding.least)


def _no_place(node: Node, core: Graph | None = None) -> ScheduleError:
    others = [] if core is None else [each for each in core.consumers(node.inputs[0]) if each is not node]
    before = None if core is None else core.producer(node.inputs[0])
    if (
        before is not None
        and isinstance(before.op, Threshold | MultiThreshold | Invert)
        and (isinstance(node.op, MaxPool | DepthToSpace))
    ):
        reason = f", and so does {others[0].name!r}" if others else " of values that others read"
        return ScheduleError(
            f"node {node.name!r} ({type(node.op).__name__}) reads {before.name!r}{reason}; the engine does this to "
            "bits that nothing else reads: give each a threshold of its own"
        )
    way_out = next((f": {hint}" for kind, hint in _WAYS_OUT.items() if isinstance(node.op, kind)), "")
    return ScheduleError(
        f"node {node.name!r} ({type(node.op).__name__}) has no place on the engine, which runs products with "
        f"thresholds, joins their bits, and adds values of fixed point{way_out}"
    )
