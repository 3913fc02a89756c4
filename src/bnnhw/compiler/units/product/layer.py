"""What a matrix unit, or another engine, does for a layer, without its folding: products on bit planes.

Tests: tests/compiler/lowering/test_pipeline.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Self, get_args

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.ops.windows import Pair, extent, window_counts
from bnnhw.compiler.units.block import Block
from bnnhw.compiler.units.step import Step
from bnnhw.hw.hardwired.plan import HardwiredPlan, plan_hardwired
from bnnhw.hw.mac.shape import MacShape
from bnnhw.hw.product.matrix_shape import MatrixShape
from bnnhw.hw.targets import Fabric, Target
from bnnhw.hw.window.shape import WindowShape
from bnnhw.hw.window.simds import window_simds

from .folding import Engine, Folding, divisors
from .integers import Integers


@dataclass(frozen=True, kw_only=True)
class Windows:
    """How a convolution reads its input: what a WindowShape says without its folding."""

    height: int
    width: int
    channels: int
    kernel: Pair
    stride: Pair
    dilation: Pair
    padding: Pair
    padding_code: int
    groups: int

    def shape(self, folding: Folding, *, element_bits: int, in_pixels: int, target: Target) -> WindowShape:
        """The sizes of the sliding window with this folding. Raises ValueError for an illegal one."""
        down, across = self.padding
        return WindowShape(
            height=self.height,
            width=self.width,
            channels=self.channels,
            element_bits=element_bits,
            kernel=self.kernel,
            stride=self.stride,
            dilation=self.dilation,
            padding=(down, down, across, across),
            in_pixels=in_pixels,
            pixels=folding.pixels,
            channel_groups=self.groups,
            simd=folding.simd,
            target=target,
        )

    @property
    def simds(self) -> tuple[int, ...]:
        """The legal SIMD, in order."""
        return window_simds(channels=self.channels // self.groups, kernel=self.kernel)

    def lanes(self, folding: Folding) -> int:
        """Channels of a pixel that come at once."""
        return min(folding.simd, self.channels // self.groups)

    @cached_property
    def output(self) -> Pair:
        """(height, width) of the layer's output."""
        spans = extent(self.kernel, self.dilation)
        return window_counts((self.height, self.width, self.channels), spans, self.stride, self.padding)


@dataclass(frozen=True, eq=False, kw_only=True)
class MatrixLayer(Block):
    """A matrix unit's work and the steps behind it. Without thresholds the unit gives the mismatch sums themselves.

    Attributes
    ----------
    weights
        (rows, cols) int8 of +-1; the columns of a convolution in the order (ky, kx, channel of its group).
    planes
        Bits of an input element.
    levels
        Above 0, an input element is a code from 0 to this, whose levels are planes with sums of their own.
    thresholds
        (rows,) int64: the output bit is 1 where the mismatch sum is at most this; from -1, never, to `max_sum`, always.
    windows
        The windows of a convolution.
    integers
        Where the weights are planes of integers: these.
    """

    weights: NDArray[np.int8]
    planes: int
    thresholds: NDArray[np.int64] | None
    windows: Windows | None
    integers: Integers | None = None
    levels: int = 0

    def at_clock(self, clock_hz: float) -> Self:
        integers = self.integers and self.integers.at_clock(clock_hz)
        return replace(super().at_clock(clock_hz), integers=integers)

    def steps(self, folding: Folding) -> tuple[Step, ...]:
        """What stands behind the engine, in order."""
        if self.integers is None:
            return self.behind
        is_mac = folding.engine == "mac"
        return (*(self.integers.behind_sums if is_mac else self.integers.behind_planes), *self.behind)

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

    @property
    def groups(self) -> int:
        """Groups of rows, each of which sees inputs of its own."""
        return self.windows.groups if self.windows else 1

    @property
    def pes(self) -> Sequence[int]:
        """The legal PE, in order."""
        return divisors(self.rows // self.groups)

    @property
    def simds(self) -> Sequence[int]:
        """The legal SIMD, in order."""
        return self.windows.simds if self.windows else divisors(self.cols)

    @property
    def pixel_counts(self) -> Sequence[int]:
        """Pixels of the output row that may be worked on at once."""
        return divisors(self.windows.output[1]) if self.windows else (1,)

    def window_shape(self, folding: Folding, *, in_pixels: int, target: Target) -> WindowShape | None:
        """The sizes of the sliding window with this folding, None of a dense layer. Raises ScheduleError for an illegal
        one."""
        if self.windows is None:
            return None
        try:
            return self.windows.shape(folding, element_bits=self.planes, in_pixels=in_pixels, target=target)
        except ValueError as error:
            raise ScheduleError(f"layer {self.name!r}: {error}") from error

    def shape(self, folding: Folding, vectors: int, target: Target) -> MatrixShape | MacShape:
        """The sizes of the engine with this folding, which its windows can have. Raises ScheduleError for an illegal
        one."""
        simd, store = folding.simd, folding.store
        vectors *= folding.pixels
        try:
            if folding.engine not in get_args(Engine):
                raise ValueError(f"engine={folding.engine!r} must be one of {list(get_args(Engine))}")
            if folding.engine == "hardwired":
                self._check_hardwired(folding)
                simd, store = self.cols, "constant"
            if self.windows is None and folding.pixels != 1:
                raise ValueError(f"pixels={folding.pixels} must be 1: it is no convolution")
            if folding.engine == "mac":
                return self._integers().shape(
                    folding, vectors=vectors, planes=self.planes, groups=self.groups, target=target
                )
            return MatrixShape(
                rows=self.rows,
                cols=self.cols,
                pe=folding.pe,
                simd=simd,
                vectors=vectors,
                planes=self.planes,
                row_groups=self.groups,
                levels=self.levels,
                thresholded=self.thresholds is not None,
                store=store,
                target=target,
            )
        except ValueError as error:
            raise ScheduleError(f"layer {self.name!r}: {error}") from error

    def _integers(self) -> Integers:
        if self.levels:
            raise ValueError("engine='mac' has one sum a row, not one for each level; take engine='folded'")
        if self.integers is None:
            raise ValueError("engine='mac' is for integer weights, and these are -1 and +1; take engine='folded'")
        return self.integers

    def _check_hardwired(self, folding: Folding) -> None:
        if self.levels:
            raise ValueError("engine='hardwired' has one sum a row, not one for each level; take engine='folded'")
        if self.groups > 1:
            raise ValueError("engine='hardwired' has no groups; take engine='folded'")
        if folding.pe != self.rows:
            raise ValueError(f"pe={folding.pe} must be rows={self.rows} where engine='hardwired'")
        if self.windows is None and folding.simd != self.cols:
            raise ValueError(f"simd={folding.simd} must be cols={self.cols} of a dense layer where engine='hardwired'")

    def cycles(self, folding: Folding) -> int:
        """Cycles in which the engine works on a frame, or waits for the words of its windows."""
        words = self.cols // folding.simd
        match folding.engine:
            case "hardwired":
                each = max(words, self.planes)
            case "mac":
                each = self._integers().rows // folding.pe * words
            case _:
                each = self.rows // folding.pe * words * (self.levels or self.planes)
        return self.positions // folding.pixels * each

    def hardwired(self, fabric: Fabric) -> HardwiredPlan:
        """The adders that are made for the weights. Planning takes seconds for 64 x 576, once for a fabric."""
        if fabric not in self._plans:
            self._plans[fabric] = self._plan_hardwired(fabric, shared=True)
        return self._plans[fabric]

    def unshared(self, fabric: Fabric) -> HardwiredPlan:
        """The same with each row summed by itself."""
        return self._plan_hardwired(fabric, shared=False)

    @cached_property
    def _plans(self) -> dict[Fabric, HardwiredPlan]:
        return {}

    def _plan_hardwired(self, fabric: Fabric, *, shared: bool) -> HardwiredPlan:
        thresholded = self.thresholds is not None
        return plan_hardwired(self.weights, fabric, planes=self.planes, thresholded=thresholded, shared=shared)

    @property
    def max_sum(self) -> int:
        """The greatest mismatch sum."""
        return self.cols * (2**self.planes - 1)
