"""Values of fixed point in a graph: which sums become some, what is added to them, and which thresholds read them.

Tests: tests/compiler/engine/values/test_value_walk.py
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bnnhw.compiler.engine.bases.input_bases import ONE_BASIS
from bnnhw.compiler.engine.coding import Coding, coding_of
from bnnhw.compiler.engine.layers import EngineLayer, Pool
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import Add, Conv, MaxPool, PadChannels, Product
from bnnhw.compiler.ir.types import FloatType
from bnnhw.hw.engine.lane_format import VALUE_BITS

from .compared import compared_layers, layer_of_values
from .layer_values import LayerValues, Residual, ValueMap
from .lines import Line, line_of

__all__ = ["ValueWalk"]


@dataclass(frozen=True, eq=False)
class _Pending:
    """A product whose values wait for what is added to them: its layer without values, and their line."""

    layer: EngineLayer
    line: Line


class ValueWalk:
    """The layers that make values, of nodes that come one by one in the graph's order.

    Attributes
    ----------
    coded : dict
        Values that are codes, of each what makes them.
    behind : set of str
        Nodes that layers do which have been made already.
    """

    def __init__(self, core: Graph):
        self._core = core
        self._types = infer_types(core)
        self._pending: dict[str, _Pending] = {}
        self._maps: dict[str, Residual] = {}  # a value of the graph: what it is of a map
        self.coded: dict[str, Coding] = {}
        self.behind: set[str] = set()

    def codings(self, name: str) -> list[Coding]:
        """What all readers of sums make of them, where that are codes; else nothing."""
        readers = self._core.consumers(name)
        found = [self._coding(reader, moves=True) for reader in readers]
        if name in self._core.outputs or any(each is None for each in found):
            return []
        return [each for each in found if each is not None]

    def makes_values(self, node: Node, layer: EngineLayer) -> bool:
        """Whether a product's sums become values, and not bits at once or the network's output."""
        assert isinstance(node.op, Product)
        readers = self._core.consumers(node.output)
        if self.codings(node.output) or (len(readers) == 1 and self._pools(readers[0])):
            return True
        is_image = np.prod(self._types[node.output].shape[:-1]) > 1  # of values, and not a few sums
        if len(readers) == 1 and line_of(readers[0].op, node.op.rows) is not None:
            readers = self._core.consumers(readers[0].output)
            if is_image:
                return True
        of_signs = layer.conv.is_binary and layer.bases == ONE_BASIS
        return bool(is_image and not of_signs) or any(self.takes(reader) for reader in readers)

    def takes(self, node: Node) -> bool:
        """Whether the engine does this to values."""
        is_part = isinstance(node.op, PadChannels) or (isinstance(node.op, MaxPool) and node.op.kernel == (1, 1))
        return is_part or isinstance(node.op, Add) or self._coding(node) is not None

    def _pools(self, node: Node) -> bool:
        """Whether it takes the greatest values of windows."""
        return isinstance(node.op, MaxPool) and not self.takes(node)

    def _coding(self, node: Node, *, moves: bool = False) -> Coding | None:
        """What a node makes of values, where that are codes."""
        return coding_of(self._core, node, (1, *self._types[node.output].shape)[-1], moves=moves)

    def add_product(self, node: Node, layer: EngineLayer) -> Iterator[EngineLayer]:
        """A product that makes values: its layers, where it does not wait for an Add."""
        output, rows = node.output, layer.conv.rows
        only = self._only_reader(output)
        line = None if only is None else line_of(only.op, rows)
        if codings := self.codings(output):
            for coding in codings:
                self._add_coding(coding)
                yield from compared_layers(layer, coding, self._types[output].element)
            return
        if only is not None and line is not None:
            self.behind.add(only.name)
            output = only.output
        else:
            line = Line.identity(rows)
            self._check_exact(node, output)
        pooling = self._only_reader(output)
        if pooling is not None and isinstance(op := pooling.op, MaxPool) and self._pools(pooling):
            if op.minimum is not None:
                raise ScheduleError(
                    f"node {pooling.name!r} takes the least values of some channels, and the engine the greatest ones "
                    "alone: pool behind what makes these values fall"
                )
            self.behind.add(pooling.name)
            layer, output = replace(layer, pool=Pool(op.kernel, op.stride, op.padding)), pooling.output
        self._pending[output] = _Pending(layer, line)
        only = self._only_reader(output)
        if layer.pool != Pool() or only is None or not isinstance(only.op, Add):
            yield from self._made(output, output)

    def __contains__(self, name: str) -> bool:
        return name in self._maps or name in self._pending

    def add(self, node: Node) -> Iterator[EngineLayer]:
        """A node that it `takes`: the layers that come with it. Raises ScheduleError where it has no place."""
        op = node.op
        if isinstance(op, Add):
            yield from self._sum(node)
        elif isinstance(op, MaxPool):
            self._maps[node.output] = self._subsampled(node, self._maps[node.inputs[0]], op)
        elif isinstance(op, PadChannels):
            self._maps[node.output] = self._padded(node, self._maps[node.inputs[0]], op)
        else:
            coding = self._coding(node)
            assert coding is not None
            self._add_coding(coding)
            yield from self._levels(coding, self._maps[node.inputs[0]])

    def planes(self, node: Node, conv: Conv) -> tuple[Conv, EngineLayer]:
        """What a convolution of values is one of: of the bit planes that the layer makes of them. A convolution of
        1 x 1 reads those pixels alone that it needs. Raises ScheduleError where the values have no planes."""
        source = self._maps[node.inputs[0]]
        if source.first:
            raise ScheduleError(f"node {node.name!r} is a convolution of padded channels; pad behind it")
        if conv.extent == (1, 1) and not any(conv.padding):
            source = replace(source, stride=(source.stride[0] * conv.stride[0], source.stride[1] * conv.stride[1]))
            conv = replace(conv, stride=(1, 1))
        lines, columns, channels = source.map.shape
        image = (-(-lines // source.stride[0]), -(-columns // source.stride[1]), channels)
        made = layer_of_values(
            node.name + ".planes", node.output + ".planes", image, source, np.zeros(channels, np.int64)
        )
        element = self._types[node.inputs[0]].element
        assert not isinstance(element, FloatType)
        least = min(element.lo, conv.pad_value) if any(conv.padding) else element.lo
        return conv, replace(made, bit_planes=max(element.hi, -1 - least).bit_length() + 1)

    def output(self, reader: str, name: str) -> ValueMap:
        """The map of a value that the host reads, such as in a node."""
        source = self._maps[name]
        if source.map.name != name:
            raise ScheduleError(
                f"{reader} reads a part of the values {source.map.name!r}, and the host reads all of a map"
            )
        return source.map

    def _only_reader(self, name: str) -> Node | None:
        readers = self._core.consumers(name)
        return readers[0] if len(readers) == 1 and name not in self._core.outputs else None

    def _sum(self, node: Node) -> Iterator[EngineLayer]:
        waiting = [name for name in node.inputs if name in self._pending]
        if not waiting or node.inputs[0] == node.inputs[1]:
            raise ScheduleError(
                f"node {node.name!r} adds values of which none is a layer's own; the engine adds a layer's values to "
                "earlier ones: put a convolution before one of both"
            )
        for name in waiting[:-1]:
            yield from self._made(name, name)
        own = waiting[-1]
        (other,) = (name for name in node.inputs if name != own)
        output, bits = node.output, None
        only = self._only_reader(output)
        clip = None if only is None else line_of(only.op, self._types[output].shape[-1])
        if only is not None and clip is not None and clip.is_clip:
            self.behind.add(only.name)
            output, bits = only.output, clip.bits
        else:
            self._check_exact(node, output)
        yield from self._made(own, output, residual=self._maps[other], bits=bits)

    def _made(
        self, name: str, output: str, *, residual: Residual | None = None, bits: int | None = None
    ) -> Iterator[EngineLayer]:
        """The layer that makes values, and those that make bits of them for further readers."""
        pending = self._pending.pop(name)
        layer, line = pending.layer, pending.line
        most = line.bits if residual is None else VALUE_BITS
        made = ValueMap(output, layer.out_shape, most if bits is None else bits)
        self._maps[output] = Residual(made)
        readers = self._core.consumers(output)
        coding = next((found for reader in readers if (found := self._coding(reader)) is not None), None)
        values = LayerValues(line, made, residual=residual)
        if coding is None:
            yield replace(layer, writes=output, values=values)
            return
        self._add_coding(coding)
        values = replace(
            values,
            thresholds=coding.thresholds[0],
            falls=coding.falls,
            keeps=len(readers) > 1 or len(coding.names) > 1 or output in self._core.outputs or layer.pool != Pool(),
        )
        yield replace(layer, writes=coding.names[0], values=values)
        yield from self._levels(coding, Residual(made), first=1)

    def _add_coding(self, coding: Coding) -> None:
        self.coded[coding.output] = coding
        self.behind |= {node.name for node in coding.nodes}

    def _levels(self, coding: Coding, source: Residual, *, first: int = 0) -> Iterator[EngineLayer]:
        """Layers that read no map, and make bits of values: those from number `first` on."""
        lines, columns, rows = (1, 1, *self._types[coding.output].shape)[-3:]
        for name, numbers in zip(coding.names[first:], coding.thresholds[first:], strict=True):
            yield layer_of_values(coding.nodes[0].name, name, (lines, columns, rows), source, numbers, coding.falls)

    def _subsampled(self, node: Node, source: Residual, op: MaxPool) -> Residual:
        if source.first:
            raise ScheduleError(f"node {node.name!r} takes every n-th pixel of padded channels; pad behind it")
        return replace(source, stride=(source.stride[0] * op.stride[0], source.stride[1] * op.stride[1]))

    def _padded(self, node: Node, source: Residual, op: PadChannels) -> Residual:
        return replace(source, first=source.first + op.before)

    def _is_value(self, name: str) -> bool:
        """Whether numbers have no more bits than a value."""
        element, half = self._types[name].element, 1 << VALUE_BITS - 1
        return not isinstance(element, FloatType) and element.lo >= -half and element.hi < half

    def _check_exact(self, node: Node, name: str) -> None:
        """Raises ScheduleError where sums have more bits than a value."""
        if not self._is_value(name):
            raise ScheduleError(
                f"node {node.name!r} makes numbers that are no values of {VALUE_BITS} bits, which the engine has; "
                "requantise them"
            )
