"""Values of fixed point in a graph: which sums become some, what is added to them, and which thresholds read them.

Tests: tests/compiler/engine/values/test_value_walk.py
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.engine.bits import bit_thresholds
from bnnhw.compiler.engine.layers import EngineLayer, Pool
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import Graph, Node, infer_types
from bnnhw.compiler.ir.ops import Add, Conv, MaxPool, PadChannels, Product
from bnnhw.compiler.ir.types import BinaryType, FloatType
from bnnhw.hw.engine.lane_format import VALUE_BITS

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
    behind : set of str
        Nodes that layers do which have been made already.
    """

    def __init__(self, core: Graph):
        self._core = core
        self._types = infer_types(core)
        self._pending: dict[str, _Pending] = {}
        self._maps: dict[str, Residual] = {}  # a value of the graph: what it is of a map
        self._compared: set[str] = set()  # those of which only the sign matters, their threshold taken off
        self.behind: set[str] = set()

    def makes_values(self, node: Node) -> bool:
        """Whether a product's sums become values, and not bits at once or the network's output."""
        assert isinstance(node.op, Product)
        readers = self._core.consumers(node.output)
        if len(readers) == 1 and self._pools(readers[0]):
            return True
        if len(readers) == 1 and line_of(readers[0].op, node.op.rows) is not None:
            readers = self._core.consumers(readers[0].output)
            if np.prod(self._types[node.output].shape[:-1]) > 1:  # an image of values, and not a few sums
                return True
        return not node.op.is_binary or any(self.takes(reader) for reader in readers)

    def takes(self, node: Node) -> bool:
        """Whether the engine does this to values."""
        is_part = isinstance(node.op, PadChannels) or (isinstance(node.op, MaxPool) and node.op.kernel == (1, 1))
        return is_part or isinstance(node.op, Add) or self._bits(node) is not None

    def _pools(self, node: Node) -> bool:
        """Whether it takes the greatest values of windows."""
        return isinstance(node.op, MaxPool) and not self.takes(node)

    def _bits(self, node: Node) -> NDArray[np.int64] | None:
        """The thresholds of a node that makes bits."""
        return bit_thresholds(node.op, (1, *self._types[node.output].shape)[-1])

    def add_product(self, node: Node, layer: EngineLayer) -> Iterator[EngineLayer]:
        """A product that makes values: its layers, where it does not wait for an Add."""
        output, rows = node.output, layer.conv.rows
        only = self._only_reader(output)
        line = None if only is None else line_of(only.op, rows)
        if only is not None and line is not None:
            self.behind.add(only.name)
            output = only.output
        elif only is not None and (thresholds := self._bits(only)) is not None:
            line = Line(np.ones(rows, np.int64), -thresholds)
            self._compared.add(output)
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
            yield self._thresholds(node, self._maps[node.inputs[0]])

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
        made = self._of_values(
            node.name + ".planes", node.output + ".planes", image, source, np.zeros(channels, np.int64)
        )
        element = self._types[node.inputs[0]].element
        assert not isinstance(element, FloatType)
        least = min(element.lo, conv.pad_value) if any(conv.padding) else element.lo
        return conv, replace(made, bit_planes=max(element.hi, -1 - least).bit_length() + 1)

    def output(self, node: Node, name: str) -> ValueMap:
        """The map of a value that a node of the host's reads."""
        source = self._maps[name]
        if source.map.name != name:
            raise ScheduleError(
                f"node {node.name!r} reads a part of the values {source.map.name!r}, and the host reads all of a map"
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
        first = next((reader for reader in readers if self._bits(reader) is not None), None)
        values = LayerValues(line, made, residual=residual)
        if first is not None:
            self.behind.add(first.name)
            thresholds = np.zeros(layer.conv.rows, np.int64) if output in self._compared else self._bits(first)
            values = replace(values, thresholds=thresholds)
            needed = len(readers) > 1 or output in self._core.outputs
            values = replace(values, keeps=needed or layer.pool != Pool())
            layer = replace(layer, writes=first.output)
        else:
            layer = replace(layer, writes=output)
        yield replace(layer, values=values)

    def _thresholds(self, node: Node, source: Residual) -> EngineLayer:
        """A layer that reads no map, and makes bits of values."""
        thresholds = self._bits(node)
        assert thresholds is not None
        lines, columns, rows = (1, 1, *self._types[node.output].shape)[-3:]
        return self._of_values(node.name, node.output, (lines, columns, rows), source, thresholds)

    def _of_values(
        self, name: str, writes: str, image: tuple[int, int, int], source: Residual, thresholds: NDArray[np.int64]
    ) -> EngineLayer:
        lines, columns, rows = image
        bits = ValueMap(writes, image, VALUE_BITS)
        values = LayerValues(
            Line(np.zeros(rows, np.int64), np.zeros(rows, np.int64)),
            bits,
            keeps=False,
            residual=source,
            thresholds=thresholds,
        )
        nothing = Conv(np.ones((rows, 1, 1, 1), np.int8))
        return EngineLayer(
            name,
            (),
            (),
            writes,
            nothing,
            BinaryType(),
            (lines, columns, 1),
            None,
            Pool(),
            np.zeros(rows, bool),
            values=values,
        )

    def _subsampled(self, node: Node, source: Residual, op: MaxPool) -> Residual:
        if source.first:
            raise ScheduleError(f"node {node.name!r} takes every n-th pixel of padded channels; pad behind it")
        return replace(source, stride=(source.stride[0] * op.stride[0], source.stride[1] * op.stride[1]))

    def _padded(self, node: Node, source: Residual, op: PadChannels) -> Residual:
        return replace(source, first=source.first + op.before)

    def _check_exact(self, node: Node, name: str) -> None:
        """Raises ScheduleError where sums have more bits than a value."""
        element = self._types[name].element
        half = 1 << VALUE_BITS - 1
        if isinstance(element, FloatType) or element.lo < -half or element.hi >= half:
            raise ScheduleError(
                f"node {node.name!r} makes numbers that are no values of {VALUE_BITS} bits, which the engine has; "
                "requantise them"
            )
