"""Blocks of pixels as channels, and borders left out.

Tests: tests/test_rearrangements.py
"""

from dataclasses import dataclass, replace
from math import gcd, lcm

from amaranth.lib import wiring

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.ops.windows import Pair
from bnnhw.compiler.ir.types import TensorType
from bnnhw.hw.raster.crop import Crop, CropShape, crop_area
from bnnhw.hw.raster.space_to_depth import SpaceToDepth
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells, Target
from bnnhw.hw.window.line_shape import LineBufferShape

from .codes import Codes
from .convert import regroup
from .line_buffer import LineBuffering
from .operator.offsets import without_places
from .port import Beat, Port
from .stage import Stage
from .step import Step, steps_of


@dataclass(frozen=True)
class Cropping(Step):
    """Without the rows and columns `before` and `after`."""

    NAME = "crop"

    before: Pair
    after: Pair

    def stages(self, name: str, port: Port, target: Target) -> tuple[list[Stage], Port]:
        pixels = gcd(port.pixels, self.before[1], self.after[1])
        shape = CropShape(
            height=port.height,
            width=port.width,
            channels=port.channels,
            element_bits=port.bits,
            before=self.before,
            after=self.after,
            pixels=pixels,
            lanes=port.lanes,
        )
        behind = replace(port, height=shape.out_height, width=shape.out_width, pixels=pixels)
        stage = Cropped(name=f"{name} crop", shape=shape, target=target)
        return [*regroup(port, pixels=pixels, lanes=port.lanes), stage], behind


@dataclass(frozen=True, kw_only=True)
class Cropped(Stage):
    """An image without its borders."""

    ENGINE = "crop"

    shape: CropShape
    target: Target

    def gives(self, port: str) -> Beat:
        return Beat(self.shape.pixels * self.shape.lanes, self.shape.element_bits)

    @property
    def interval(self) -> int:
        return self.shape.initiation_interval

    @property
    def resources(self) -> Cells:
        return crop_area(self.shape, self.target.fabric)

    def flow(self, i: Channel, o: Channel) -> Flow:
        return self.shape.flow(i, o)

    def build(self) -> wiring.Component:
        return Crop(shape=self.shape)


@dataclass(frozen=True)
class SpacingToDepth(Step):
    """Blocks of (block, block) pixels as channels."""

    NAME = "space to depth"

    block: int

    def stages(self, name: str, port: Port, target: Target) -> tuple[list[Stage], Port]:
        # Whole blocks of whole pixels side by side; or one pixel after the other.
        pixels, lanes = (port.pixels, port.lanes) if port.pixels == 1 else (lcm(port.pixels, self.block), port.channels)
        shape = LineBufferShape(
            height=port.height,
            width=port.width,
            channels=port.channels,
            element_bits=port.bits,
            kernel=(self.block, self.block),
            stride=(self.block, self.block),
            pixels=pixels,
            lanes=lanes,
            target=target,
        )
        behind = replace(
            port,
            height=shape.out_height,
            width=shape.out_width,
            channels=port.channels * self.block**2,
            pixels=shape.out_pixels,
            lanes=lanes * self.block**2,
        )
        stage = SpacedToDepth(name=f"{name} space to depth", shape=shape)
        return [*regroup(port, pixels=pixels, lanes=lanes), stage], behind


@dataclass(frozen=True, kw_only=True)
class SpacedToDepth(LineBuffering):
    """Blocks of pixels as channels: the patches of a line buffer."""

    ENGINE = "space to depth"

    def build(self) -> wiring.Component:
        return SpaceToDepth(shape=self.shape)


@steps_of.register
def _(op: ops.Crop, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    steps, codes = without_places(codes, x)
    return [*steps, Cropping(op.before, op.after)], codes


@steps_of.register
def _(op: ops.SpaceToDepth, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    steps, codes = without_places(codes, x)
    return [*steps, SpacingToDepth(op.block)], replace(codes, offsets=codes.offsets.repeat(op.block**2, axis=2))
