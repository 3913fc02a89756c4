"""Several thresholds a channel, or thresholds that know the border: MultiThreshold units.

Tests: tests/compiler/units/test_area.py
"""

from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache

import numpy as np
from amaranth.lib import wiring
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops import MultiThreshold as MultiThresholdOp
from bnnhw.compiler.ir.ops import Threshold
from bnnhw.compiler.ir.types import TensorType
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Cells, Target
from bnnhw.hw.threshold.area import threshold_area
from bnnhw.hw.threshold.multi_threshold import MultiThreshold, MultiThresholdShape
from bnnhw.hw.threshold.places import Places

from .codes import Codes, element_of
from .port import Beat, Port
from .product.borders import Borders
from .stage import Stage
from .step import Step, steps_of


@dataclass(frozen=True, eq=False)
class Quantising(Step):
    """y = how many thresholds of its channel and of its pixel's class a code reaches.

    thresholds: (row classes, column classes, 2^k - 1, rows) int64, not falling along the levels. greatest: the greatest
    code that it reads.
    """

    NAME = "thresholds"

    thresholds: NDArray[np.int64]
    borders: Borders
    greatest: int

    @property
    def bits(self) -> int:
        return self.thresholds.shape[2].bit_length()

    def stages(self, name: str, port: Port, target: Target) -> tuple[list[Stage], Port]:
        places = Places(
            channels=port.channels,
            lanes=port.lanes,
            pixels=port.pixels * port.vectors,  # vectors lie side by side as pixels do
            **asdict(self.borders),
        )
        stage = Thresholds(name=f"{name} thresholds", step=self, places=places, beats=port.beats, target=target)
        return [stage], replace(port, bits=self.bits)


@dataclass(frozen=True, kw_only=True)
class Thresholds(Stage):
    """Several thresholds a channel, or thresholds that know the border; `beats` a frame, one a cycle."""

    ENGINE = "thresholds"

    step: Quantising = field(repr=False)
    places: Places
    beats: int
    target: Target

    @property
    def shape(self) -> MultiThresholdShape:
        return MultiThresholdShape(
            places=self.places, bits=self.step.bits, greatest=self.step.greatest, target=self.target
        )

    def gives(self, port: str) -> Beat:
        return Beat(self.places.elements, self.step.bits)

    @property
    def interval(self) -> int:
        return self.beats

    @property
    def resources(self) -> Cells:
        return _area(self.step, self.shape)

    def flow(self, i: Channel, o: Channel) -> Flow:
        return self.shape.flow(i, o)

    def build(self) -> wiring.Component:
        return MultiThreshold(
            thresholds=self.step.thresholds, greatest=self.step.greatest, places=self.places, target=self.target
        )


@lru_cache(maxsize=1024)
def _area(step: Quantising, shape: MultiThresholdShape) -> Cells:
    """A search asks for the same again and again."""
    return threshold_area(shape, step.thresholds)


@steps_of.register
def _(op: Threshold | MultiThresholdOp, codes: Codes, x: TensorType, y: TensorType) -> tuple[list[Step], Codes]:
    return [quantising(codes, np.atleast_2d(op.thresholds))], Codes.of(element_of(y), codes.channels)


def quantising(codes: Codes, thresholds: NDArray[np.int64]) -> Quantising:
    """The comparison of codes with thresholds on their values, (levels, rows) or (levels, 1)."""
    reached = -((codes.offsets[:, :, None, :] - thresholds) // codes.scale)  # the least code that reaches each
    levels = (1 << len(thresholds).bit_length()) - 1
    never = np.full((*reached.shape[:2], levels - len(thresholds), reached.shape[3]), codes.greatest + 1)
    table = np.clip(np.concatenate([reached, never], axis=2), 0, codes.greatest + 1)
    return Quantising(table, codes.borders, codes.greatest)
