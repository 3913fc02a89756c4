"""A factor, and an offset a channel: Rescale units, requantisation without rounding.

Tests: tests/compiler/units/test_area.py
"""

from dataclasses import dataclass, field, replace

import numpy as np
from amaranth.lib import wiring
from numpy.typing import NDArray

from bnnhw.compiler.ir.types import BinaryType, IntType, TensorType
from bnnhw.hw.targets import Target
from bnnhw.hw.threshold.rescale import Rescale, RescaleShape

from .codes import Codes, element_of
from .places import Placed, places
from .port import Port
from .product.borders import Borders
from .stage import Stage
from .step import Step


@dataclass(frozen=True, eq=False)
class Rescaling(Step):
    """y = factor*code + the offset of its channel and of its pixel's class.

    offsets: (row classes, column classes, 1, rows) int64, negative only where no result is. greatest, greatest_result:
    the greatest codes.
    """

    NAME = "offsets"

    factor: int
    offsets: NDArray[np.int64]
    borders: Borders
    greatest: int
    greatest_result: int

    def stages(self, name: str, port: Port, target: Target) -> tuple[list[Stage], Port]:
        where = {"places": places(port, self.borders), "beats": port.beats, "target": target}
        stage = Offsets(name=f"{name} offsets", step=self, **where)
        return [stage], replace(port, bits=self.greatest_result.bit_length())


@dataclass(frozen=True, kw_only=True)
class Offsets(Placed):
    """A factor, and an offset a channel."""

    ENGINE = "offsets"

    step: Rescaling = field(repr=False)

    @property
    def shape(self) -> RescaleShape:
        step = self.step
        return RescaleShape.of(
            step.offsets,
            places=self.places,
            factor=step.factor,
            greatest=step.greatest,
            greatest_result=step.greatest_result,
            target=self.target,
        )

    def build(self) -> wiring.Component:
        step = self.step
        return Rescale(
            offsets=step.offsets,
            factor=step.factor,
            greatest=step.greatest,
            greatest_result=step.greatest_result,
            places=self.places,
            target=self.target,
        )


def rescaling(codes: Codes, element: BinaryType | IntType) -> tuple[Rescaling, Codes]:
    """The way to the codes of an element type whose step divides all values' distances, and these codes."""
    after = Codes.of(element, codes.channels)
    offsets = (codes.offsets - element.lo) // element.step
    step = Rescaling(codes.scale // element.step, offsets[:, :, None, :], codes.borders, codes.greatest, after.greatest)
    return step, after


def carried_as(element: BinaryType | IntType, codes: Codes) -> tuple[list[Step], Codes]:
    """The steps, where any are needed, from these codes to those of their values' element type; and these codes."""
    if codes.means(element):
        return [], codes
    step, codes = rescaling(codes, element)
    return [step], codes


def without_places(codes: Codes, x: TensorType) -> tuple[list[Step], Codes]:
    """The way to codes that mean the same whatever the pixel, where these do not."""
    return carried_as(element_of(x), codes) if codes.by_place else ([], codes)
