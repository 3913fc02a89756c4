"""A factor, and an offset of each channel and class of pixels: requantisation without rounding.

Tests: tests/operators/test_borders.py
"""

from dataclasses import dataclass

from bnnhw.compiler.ir.types import BinaryType, IntType, TensorType
from bnnhw.compiler.units.codes import Codes, element_of
from bnnhw.compiler.units.step import Step
from bnnhw.hls.program import Instruction, Program
from bnnhw.hls.stateless import Pointwise
from bnnhw.hls.traced import Traced

from .computing import Computing
from .patch import Coded

SAME = Traced(Pointwise(), Program((Instruction("input", attribute=0),), (0,)))
"""y = x."""


@dataclass(frozen=True, eq=False)
class Rescaling(Computing):
    """y = x, x carried as any codes, y from 0 on as itself."""

    NAME = "offsets"


def rescaling(codes: Codes, element: BinaryType | IntType) -> tuple[Rescaling, Codes]:
    """The way to the codes of an element type whose step divides all values' distances, and these codes."""
    after = Codes.of(element, codes.channels)
    offsets = (codes.offsets - element.lo) // element.step
    between = Codes(offsets, codes.scale // element.step, codes.greatest, codes.borders)
    return Rescaling(SAME, Coded(between, (0, after.greatest)), IntType(0, after.greatest)), after


def carried_as(element: BinaryType | IntType, codes: Codes) -> tuple[list[Step], Codes]:
    """The steps, where any are needed, from these codes to those of their values' element type; and these codes."""
    if codes.means(element):
        return [], codes
    step, codes = rescaling(codes, element)
    return [step], codes


def without_places(codes: Codes, x: TensorType) -> tuple[list[Step], Codes]:
    """The way to codes that mean the same whatever the pixel, where these do not."""
    return carried_as(element_of(x), codes) if codes.by_place else ([], codes)
