"""The greatest or the sum of each window.

Tests: tests/test_layers_in_hardware.py
"""

from dataclasses import asdict, dataclass, replace
from typing import Literal

from amaranth.lib import wiring

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.ops.windows import Pair
from bnnhw.compiler.ir.types import TensorType
from bnnhw.hw.pool.area import pool_area
from bnnhw.hw.pool.max_pool import MaxPool
from bnnhw.hw.pool.shape import PoolShape
from bnnhw.hw.pool.sum_pool import SumPool
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells, Target

from .codes import Codes
from .inversion import Inverting
from .operator.offsets import without_places
from .port import Beat, Port
from .stage import Stage
from .step import Step, steps_of


@dataclass(frozen=True)
class Pooling(Step):
    """The greatest code or the sum of the codes of each window; `greatest` is the greatest code that it reads."""

    NAME = "pooling"

    kind: Literal["max", "sum"]
    window: Pair
    stride: Pair
    greatest: int

    def stages(self, name: str, port: Port, target: Target) -> tuple[list[Stage], Port]:
        shape = PoolShape(
            height=port.height,
            width=port.width,
            channels=port.channels,
            window=self.window,
            stride=self.stride,
            pixels=port.pixels,
            lanes=port.lanes,
            kind=self.kind,
            element_bits=self.greatest.bit_length(),
            greatest=self.greatest,
            target=target,
        )
        behind = replace(
            port, height=shape.out_height, width=shape.out_width, pixels=shape.out_pixels, bits=shape.result_bits
        )
        return [Pool(name=f"{name} {self.kind} pooling", shape=shape)], behind


@dataclass(frozen=True, kw_only=True)
class Pool(Stage):
    """The greatest or the sum of each window."""

    ENGINE = "pooling"

    shape: PoolShape

    def gives(self, port: str) -> Beat:
        return Beat(self.shape.out_pixels * self.shape.lanes, self.shape.result_bits)

    @property
    def interval(self) -> int:
        return self.shape.initiation_interval

    @property
    def resources(self) -> Cells:
        return pool_area(self.shape)

    def flow(self, i: Channel, o: Channel) -> Flow:
        return self.shape.flow(i, o)

    def build(self) -> wiring.Component:
        options = asdict(self.shape)
        unit = {"max": MaxPool, "sum": SumPool}[options.pop("kind")]
        return unit(**options)


@steps_of.register
def _(op: ops.SumPool, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    check_window(op.kernel, op.stride)
    steps, codes = without_places(codes, x)
    after = replace(codes, offsets=codes.offsets * op.count, greatest=codes.greatest * op.count)
    return [*steps, Pooling("sum", op.kernel, op.stride, codes.greatest)], after


@steps_of.register
def _(op: ops.MaxPool, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    check_window(op.kernel, op.stride)
    if any(op.padding):
        raise ValueError(
            f"pads its windows with padding={op.padding}, which pooling units do not: pad what it reads, or take an "
            "engine, which does"
        )
    steps, codes = without_places(codes, x)
    if op.minimum is None:
        return [*steps, Pooling("max", op.kernel, op.stride, codes.greatest)], codes
    bits = codes.greatest.bit_length()
    inverting = Inverting(op.minimum, bits)
    return [*steps, inverting, Pooling("max", op.kernel, op.stride, (1 << bits) - 1), inverting], codes


def check_window(window: Pair, stride: Pair) -> None:
    """Raise ValueError where windows overlap by more than a row or a column."""
    if any(step < size - 1 for size, step in zip(window, stride, strict=True)):
        raise ValueError(
            f"windows {window} of a pooling need a stride of at least one less, not {stride}: the hardware keeps one "
            "row of results; take a larger stride or a smaller window"
        )
