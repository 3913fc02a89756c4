"""Bilinear upsampling, as it was trained.

Tests: tests/compiler/ir/ops/test_bilinear.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from bnnhw.compiler.ir.ops.base import as_float32
from bnnhw.compiler.ir.ops.kinds import Separable, Separated
from bnnhw.compiler.ir.ops.stored import stored_as
from bnnhw.compiler.ir.ops.trained.divide import Divide
from bnnhw.compiler.ir.types import FloatType, QuotientType, TensorType, quotient, require_exact_in_float32

from .bilinear_sums import BilinearSums

__all__ = ["UpsampleBilinear"]


@stored_as("upsample_bilinear")
@dataclass(frozen=True)
class UpsampleBilinear(Separable):
    """(H, W, C) -> (H*b, W*b, C): a pixel's centre lies between those of four of x, which it has by its nearness to
    them, as torch's Upsample of mode "bilinear" without aligned corners.

    The weights are integers over the power of two (2*b)^2. So where the inputs are integers, or integers over a power
    of two, float32 rounds nothing, in any order; then `Divide((2*b)^2)` of `BilinearSums` is the same bit for bit.
    """

    OBSTACLE = (
        "interpolates values that are no integers; put it directly behind a layer with binary weights and without "
        "scale and bias, or behind a sign"
    )

    block: int

    def __post_init__(self):
        _ = self.sums  # which checks the block

    @property
    def sums(self) -> BilinearSums:
        """What it is before the division."""
        return BilinearSums(self.block)

    def is_identity(self, x: TensorType) -> bool:
        return self.block == 1

    def separated(self, x: TensorType, divisor: int) -> Separated:
        return Separated(self.sums, (Divide(self.sums.total * divisor),))

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        divisor = self.sums.total
        if isinstance(x.element, QuotientType):
            divisor *= x.element.divisor
            x = TensorType(x.shape, x.element.sums)
        elif isinstance(x.element, FloatType):
            return TensorType(self.sums.larger(x.shape), FloatType())
        sums = self.sums.infer(x)
        require_exact_in_float32(sums)
        return TensorType(sums.shape, quotient(sums.element, divisor))

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
        (x,) = inputs
        image = torch.from_numpy(np.ascontiguousarray(as_float32(x))).permute(0, 3, 1, 2)
        larger = functional.interpolate(image, scale_factor=self.block, mode="bilinear", align_corners=False)
        return np.ascontiguousarray(larger.permute(0, 2, 3, 1).numpy())
