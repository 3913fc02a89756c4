"""What the values of a stream are carried as.

Tests: tests/compiler/lowering/test_pipeline.py
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.types import BinaryType, IntType, TensorType

from .product.borders import NO_BORDERS, Borders


@dataclass(frozen=True, eq=False)
class Codes:
    """What the values of a stream are carried as: value = offset + scale*code, code from 0 to `greatest`.

    The field's affine encoding: `scale` is its scale, and the code of the value 0 its zero point.

    offsets: (row classes, column classes, rows) int64, by the pixel's class and the channel.
    """

    offsets: NDArray[np.int64]
    scale: int
    greatest: int
    borders: Borders = NO_BORDERS

    @classmethod
    def of(cls, element: BinaryType | IntType, rows: int) -> "Codes":
        """The codes of an element type."""
        return cls(np.full((1, 1, rows), element.lo), element.step, element.count - 1)

    @property
    def channels(self) -> int:
        return self.offsets.shape[2]

    @property
    def by_place(self) -> bool:
        """Whether what a code means depends on its pixel."""
        return self.borders != NO_BORDERS

    def values(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """What codes (..., rows) mean, where the pixel does not matter."""
        return self.offsets[0, 0] + self.scale * codes

    def means(self, element: BinaryType | IntType) -> bool:
        """Whether the codes are those of an element type, in as many bits."""
        if (
            self.by_place
            or self.scale != element.step
            or self.greatest.bit_length() != (element.count - 1).bit_length()
        ):
            return False
        return bool((self.offsets == element.lo).all())


def element_of(tensor: TensorType) -> BinaryType | IntType:
    """The elements of a value of an integer graph."""
    assert isinstance(tensor.element, BinaryType | IntType)
    return tensor.element
