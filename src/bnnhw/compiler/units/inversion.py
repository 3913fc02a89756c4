"""Some channels inverted.

Tests: tests/compiler/units/test_area.py
Tests: tests/compiler/units/test_inversion.py
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from amaranth.lib import wiring
from numpy.typing import NDArray

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.types import TensorType
from bnnhw.hw.stream.flow import Channel, Flow, wire_process
from bnnhw.hw.targets import Cells, Target
from bnnhw.hw.threshold.invert import Invert

from .codes import Codes, element_of
from .port import Beat, Port
from .stage import Stage
from .step import Step, steps_of


@dataclass(frozen=True, eq=False)
class Inverting(Step):
    """y = 2^bits - 1 - code in some channels, (rows,) bool: what was the least code is the greatest."""

    NAME = "inversion"

    channels: NDArray[np.bool_]
    bits: int

    def stages(self, name: str, port: Port, target: Target) -> tuple[list[Stage], Port]:
        sizes = {"lanes": port.lanes, "pixels": port.pixels, "beats": port.beats}
        return [Inversion(name=f"{name} inversion", step=self, **sizes)], replace(port, bits=self.bits)


@dataclass(frozen=True, kw_only=True)
class Inversion(Stage):
    """Some channels inverted; `beats` a frame."""

    ENGINE = "inversion"

    step: Inverting = field(repr=False)
    lanes: int
    pixels: int
    beats: int

    def gives(self, port: str) -> Beat:
        return Beat(self.pixels * self.lanes, self.step.bits)

    @property
    def interval(self) -> int:
        return self.beats

    @property
    def resources(self) -> Cells:
        lut4 = self.pixels * self.lanes * self.step.bits
        return Cells(logic=lut4, ffs=self.lanes if self.lanes < len(self.step.channels) else 0)

    def flow(self, i: Channel, o: Channel) -> Flow:
        return [wire_process(i, o)]

    def build(self) -> wiring.Component:
        return Invert(channels=self.step.channels.tolist(), lanes=self.lanes, pixels=self.pixels, bits=self.step.bits)


@steps_of.register
def _(op: ops.Invert, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    bits = codes.greatest.bit_length()
    if not codes.means(element_of(x)) or codes.greatest != (1 << bits) - 1:
        raise ValueError(f"only what a Sign or Quantise gives is inverted, not {x}")
    return [Inverting(op.channels, bits)], codes


def merge_inversions(steps: Sequence[Step]) -> list[Step]:
    """Steps …, invert a, invert b, …  ->  …, invert a ^ b, …, which may be nothing."""
    merged: list[Step] = []
    for step in steps:
        if isinstance(step, Inverting) and merged and isinstance(before := merged[-1], Inverting):
            merged.pop()
            step = replace(step, channels=step.channels ^ before.channels)
        if not isinstance(step, Inverting) or step.channels.any():
            merged.append(step)
    return merged
