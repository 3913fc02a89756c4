"""What a layer does with the results of its matrix unit: steps from codes to codes, without their foldings.

A code is the unsigned number that carries a value, value = offset + scale*code; sums are codes, too.

Tests: tests/test_convolutions_in_hardware.py
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.windows import Pair

from .borders import Borders


@dataclass(frozen=True, eq=False)
class Quantising:
    """y = how many thresholds of its channel and of its pixel's class a code reaches.

    thresholds: (row classes, column classes, 2^k - 1, rows) int64, not falling along the levels. greatest: the greatest
    code that it reads.
    """

    thresholds: NDArray[np.int64]
    borders: Borders
    greatest: int

    @property
    def bits(self) -> int:
        return self.thresholds.shape[2].bit_length()


@dataclass(frozen=True, eq=False)
class Rescaling:
    """y = factor*code + the offset of its channel and of its pixel's class.

    offsets: (row classes, column classes, 1, rows) int64, negative only where no result is. greatest, greatest_result:
    the greatest codes.
    """

    factor: int
    offsets: NDArray[np.int64]
    borders: Borders
    greatest: int
    greatest_result: int


@dataclass(frozen=True)
class Pooling:
    """The greatest code or the sum of the codes of each window; `greatest` is the greatest code that it reads."""

    kind: Literal["max", "sum"]
    window: Pair
    stride: Pair
    greatest: int


@dataclass(frozen=True, eq=False)
class Inverting:
    """y = 2^bits - 1 - code in some channels, (rows,) bool: what was the least code is the greatest."""

    channels: NDArray[np.bool_]
    bits: int


Step = Quantising | Rescaling | Pooling | Inverting
