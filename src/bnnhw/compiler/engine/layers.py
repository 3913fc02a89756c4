"""A network as the engine's layers: a product, the thresholds behind it, a pooling of their bits.

Tests: tests/compiler/engine/test_compile.py
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.engine.bases.input_bases import ONE_BASIS, InputBases
from bnnhw.compiler.engine.bases.sums_of_bases import SumsOfBases
from bnnhw.compiler.ir.graph import Graph, evaluate
from bnnhw.compiler.ir.ops import Conv
from bnnhw.compiler.ir.types import Element, FloatType
from bnnhw.compiler.units.product.mismatches import top_dots, width_of

from .values.layer_values import LayerValues, ValueMap

__all__ = ["EngineLayer", "EngineNetwork", "Pool"]


@dataclass(frozen=True)
class Pool:
    """Windows of a max pooling, (lines, columns) each; as `MaxPool` has them."""

    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)

    def counts(self, lines: int, columns: int) -> tuple[int, int]:
        """How many windows there are, down and across."""
        down, across = (
            (size + 2 * beyond - window) // step + 1
            for size, window, step, beyond in zip((lines, columns), self.kernel, self.stride, self.padding, strict=True)
        )
        return down, across


@dataclass(frozen=True, eq=False)
class EngineLayer:
    """A convolution, or a matrix product as one whose window is the whole map.

    Attributes
    ----------
    name : str
        Of the product's node.
    reads : tuple of str
        The maps whose channels, side by side, are its input: of earlier layers, or the network's input. Of inputs of
        several bases those of each basis.
    channels : tuple of int
        Of each of them; of one basis.
    writes : str
        The map that it makes; of the last layer its sums.
    conv : Conv
        Its weights are +-1; integers where it makes values.
    element : element type
        Of the inputs.
    in_shape : (lines, columns, channels)
    most : (rows,) int64, or None
        A sum of mismatches gives the bit 1 where it is at most this.
    pool : Pool
        Of its bits, or of its values.
    minimum : (rows,) bool
        Rows of which a pooling takes the least bit.
    block : int
        Its bits' channels become pixels, block x block of them, as in `DepthToSpace`.
    bit_planes : int
        Values of so many bits, signed, of which it makes a map of bit planes, in the place of one of thresholds: the
        codes of these values, the least one's 0.
    reads_windows : bool
        Its input pixels are windows of columns that the engine makes: see `first_layer`.
    bases : InputBases
        What its inputs are of its maps' bits, where these are +-1.
    values : LayerValues, optional
        What it makes values of; one that reads no map makes them of residuals alone. Where there is neither this nor
        `most`, the sums are the network's output.
    """

    name: str
    reads: tuple[str, ...]
    channels: tuple[int, ...]
    writes: str
    conv: Conv
    element: Element
    in_shape: tuple[int, int, int]
    most: NDArray[np.int64] | None
    pool: Pool
    minimum: NDArray[np.bool_]
    block: int = 1
    bit_planes: int = 1
    reads_windows: bool = False
    bases: InputBases = ONE_BASIS
    values: LayerValues | None = None

    @property
    def sum_shape(self) -> tuple[int, int, int]:
        """Of the sums, before pooling."""
        lines, columns, rows = self.conv.output_shape(self.in_shape)
        return lines, columns, rows

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """Of the bits, and of the values."""
        lines, columns, rows = self.sum_shape
        return *self.pool.counts(lines, columns), rows

    @property
    def map_shape(self) -> tuple[int, int, int]:
        """Of the map that it writes."""
        lines, columns, rows = self.out_shape
        return lines * self.block, columns * self.block, rows // self.block**2

    @property
    def columns_apart(self) -> int:
        """Input columns from one output column to the next."""
        return self.conv.stride[1] * self.pool.stride[1]

    @property
    def pools_values(self) -> bool:
        """Whether its values are the greatest of windows."""
        return self.values is not None and self.pool.kernel != (1, 1)

    @property
    def pads_with_code(self) -> bool:
        """Whether what lies beyond the border is the least input, whose code is 0; else it is a product of 0."""
        assert not isinstance(self.element, FloatType)
        return self.conv.pad_value == self.element.lo

    @property
    def planes(self) -> int:
        """Bit planes of the inputs."""
        return width_of(self.element)

    @property
    def dots(self) -> tuple[NDArray[np.int64], int]:
        """(top, step): a row's dot product is top - step times its sum of mismatches."""
        return top_dots(self.conv, self.element)

    @property
    def dots_step(self) -> int:
        """What a dot product is less by for each mismatch."""
        assert not isinstance(self.element, FloatType)
        return self.element.step

    @property
    def gives_sums(self) -> bool:
        """Whether its sums are the network's output."""
        return self.most is None and self.values is None

    @property
    def writes_bits(self) -> bool:
        """Whether it writes a map."""
        return self.most is not None or (self.values is not None and self.values.thresholds is not None)


@dataclass(frozen=True, eq=False)
class EngineNetwork:
    """host graph -> windows -> layers -> tail: what the host does before, the engine, what the host makes of the sums.

    Each map is written by a layer before those that read it, or is the input.
    `output` are the values that the host makes its answers of; None: the last layer's sums, or what `sums` says of
    them.
    Where there are `windows`, the host gives the engine the windows of that convolution as pixels; or, where the first
    layer reads windows of columns, its pixels with those beside the image.
    """

    host: Graph
    layers: tuple[EngineLayer, ...]
    tail: Graph
    windows: Conv | None = None
    output: ValueMap | None = None
    sums: SumsOfBases | None = None

    @property
    def input(self) -> str:
        """The map that is there from the begin."""
        return self.layers[0].reads[0]

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(lines, columns, channels) of it."""
        lines, columns, _ = self.layers[0].in_shape
        return lines, columns, self.layers[0].channels[0]

    def readers(self, name: str) -> tuple[int, ...]:
        """The numbers of the layers that read a map."""
        return tuple(number for number, layer in enumerate(self.layers) if name in layer.reads)

    def codes(self, inputs: NDArray[np.int64]) -> NDArray[np.int64]:
        """The input map (frames, lines, columns, channels), as codes, of the graph's inputs (frames, *shape)."""
        (value,) = self.host.inputs
        (values,) = evaluate(self.host, {value.name: inputs}).values()
        first = self.layers[0]
        assert not isinstance(first.element, FloatType)
        if self.windows is not None and first.reads_windows:
            beside = self.windows.padding[1]
            codes = (values - first.element.lo) // first.element.step
            return np.pad(codes, ((0, 0), (0, 0), (beside, beside), (0, 0)))
        if self.windows is not None:
            values = self.windows.unrolled(values, fill=self.windows.pad_value)
        return (values.reshape(-1, *self.input_shape) - first.element.lo) // first.element.step

    def numbers(self, found: NDArray[np.int64]) -> NDArray[np.int64]:
        """The output's values, or the last layer's mismatches (frames, lines, columns, rows), as those of the graph."""
        if self.output is not None:
            return found
        top, step = self.layers[-1].dots
        return top - step * found if self.sums is None else self.sums.dots(top - step * found)

    def answers(self, found: NDArray[np.int64]) -> NDArray[np.int64]:
        """The graph's output, of the output's values or the last layer's mismatches (frames, lines, columns, rows)."""
        found = self.numbers(found)
        (value,) = self.tail.inputs
        (answers,) = evaluate(self.tail, {value.name: found.reshape(len(found), *value.type.shape)}).values()
        return answers
