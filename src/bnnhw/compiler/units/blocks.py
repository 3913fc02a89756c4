"""Pixels as blocks of pixels: of their channels, or of themselves.

Tests: tests/test_rearrangements.py
"""

from abc import abstractmethod
from dataclasses import dataclass, replace
from math import lcm

from amaranth.lib import wiring

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.types import TensorType
from bnnhw.hw.raster.blocks import BlocksShape, blocks_area
from bnnhw.hw.raster.depth_to_space import DepthToSpace, DepthToSpaceShape
from bnnhw.hw.raster.upsample_nearest import UpsampleNearest, UpsampleNearestShape
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells, Target

from .codes import Codes, element_of
from .convert import regroup
from .operator.offsets import carried_as, without_places
from .port import Beat, Port
from .stage import Stage
from .step import Step, steps_of


@dataclass(frozen=True, kw_only=True)
class Blocked(Stage):
    """An image of blocks of pixels."""

    shape: BlocksShape

    def gives(self, port: str) -> Beat:
        return Beat(self.shape.out_pixels * self.shape.out_lanes, self.shape.element_bits)

    @property
    def interval(self) -> int:
        return self.shape.initiation_interval

    @property
    def resources(self) -> Cells:
        return blocks_area(self.shape)

    def flow(self, i: Channel, o: Channel) -> Flow:
        return self.shape.flow(i, o)


@dataclass(frozen=True, kw_only=True)
class DepthedToSpace(Blocked):
    """Channels as blocks of pixels."""

    ENGINE = "depth to space"

    shape: DepthToSpaceShape

    def build(self) -> wiring.Component:
        return DepthToSpace(shape=self.shape)


@dataclass(frozen=True, kw_only=True)
class UpsampledNearest(Blocked):
    """Blocks of equal pixels."""

    ENGINE = "nearest upsampling"

    shape: UpsampleNearestShape

    def build(self) -> wiring.Component:
        return UpsampleNearest(shape=self.shape)


@dataclass(frozen=True)
class Blocking(Step):
    """Each pixel as a block of (block, block) pixels."""

    block: int

    @abstractmethod
    def stage(self, name: str, port: Port, target: Target) -> Blocked:
        """The unit for a stream of as many lanes as it wants, and the pixels of `port`."""

    def stages(self, name: str, port: Port, target: Target) -> tuple[list[Stage], Port]:
        stage = self.stage(f"{name} {self.NAME}", port, target)
        shape = stage.shape
        behind = replace(
            port,
            height=port.height * self.block,
            width=port.width * self.block,
            channels=shape.out_channels,
            pixels=shape.out_pixels,
            lanes=shape.out_lanes,
        )
        return [*regroup(port, pixels=port.pixels, lanes=shape.lanes), stage], behind


@dataclass(frozen=True)
class DepthingToSpace(Blocking):
    """Channels as blocks of (block, block) pixels."""

    NAME = "depth to space"

    def stage(self, name: str, port: Port, target: Target) -> DepthedToSpace:
        shape = DepthToSpaceShape(
            height=port.height,
            width=port.width,
            channels=port.channels,
            element_bits=port.bits,
            block=self.block,
            pixels=port.pixels,
            lanes=lcm(port.lanes, self.block**2),
            target=target,
        )
        return DepthedToSpace(name=name, shape=shape)


@dataclass(frozen=True)
class UpsamplingNearest(Blocking):
    """Pixels as blocks of (block, block) pixels like them."""

    NAME = "nearest upsampling"

    def stage(self, name: str, port: Port, target: Target) -> UpsampledNearest:
        shape = UpsampleNearestShape(
            height=port.height,
            width=port.width,
            channels=port.channels,
            element_bits=port.bits,
            block=self.block,
            pixels=port.pixels,
            lanes=port.lanes,
            target=target,
        )
        return UpsampledNearest(name=name, shape=shape)


@steps_of.register
def _(op: ops.DepthToSpace, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    steps, codes = without_places(codes, x)
    blocks = codes.offsets.reshape(-1, op.block**2)
    if (blocks != blocks[:, :1]).any():  # what becomes one channel must mean the same
        more, codes = carried_as(element_of(x), codes)
        steps = [*steps, *more]
    return [*steps, DepthingToSpace(op.block)], replace(codes, offsets=codes.offsets[..., :: op.block**2])


@steps_of.register
def _(op: ops.UpsampleNearest, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    steps, codes = without_places(codes, x)
    return [*steps, UpsamplingNearest(op.block)], codes
