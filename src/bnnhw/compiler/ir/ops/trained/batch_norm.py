"""Batch normalisation in eval mode.

Tests: tests/compiler/passes/test_fold_output.py
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops.base import as_float32
from bnnhw.compiler.ir.ops.checks import check_length, parameter
from bnnhw.compiler.ir.ops.kinds import Elementwise
from bnnhw.compiler.ir.ops.stored import stored_as


@stored_as("batch_norm")
@dataclass(frozen=True, eq=False)
class BatchNorm(Elementwise):
    """y[n, c] = (x[n, c] - mean[c]) / sqrt(variance[c] + eps) * weight[c] + bias[c], as torch rounds it.

    Torch contracts this to x*alpha + beta with roundings of its own, so `reference` calls torch. All parameters are
    (C,); without weight and bias they are 1 and 0. Source: Ioffe & Szegedy, https://arxiv.org/abs/1502.03167.
    """

    MONOTONE = True

    eps: float
    mean: NDArray[np.float32]
    variance: NDArray[np.float32]
    weight: NDArray[np.float32] | None = None
    bias: NDArray[np.float32] | None = None

    def __post_init__(self):
        for name in ("mean", "variance", "weight", "bias"):
            if (array := getattr(self, name)) is not None:
                parameter(name, array)
                check_length(name, array, len(self.mean))
        if (self.weight is None) != (self.bias is None):
            raise ValueError("weight and bias must both be given, or neither")
        if not (np.isfinite(self.eps) and self.eps >= 0):
            raise ValueError(f"eps must be finite and at least 0, not {self.eps}")
        if not (self.variance >= 0).all() or (self.eps == 0 and not self.variance.all()):
            raise ValueError(f"variance + eps must be positive, but can be {self.variance.min()} + {self.eps}")

    @property
    def alike(self) -> bool:
        """Never, as one channel's parameters are not those of several."""
        return False

    def of_channels(self, channels: NDArray[np.int64]) -> "BatchNorm":
        mean, variance, weight, bias = (
            None if array is None else array[channels] for array in (self.mean, self.variance, self.weight, self.bias)
        )
        assert mean is not None
        assert variance is not None
        return BatchNorm(self.eps, mean, variance, weight, bias)

    def check_channels(self, channels: int) -> None:
        check_length("mean", self.mean, channels)

    def reference(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
        (x,) = inputs
        mean, variance, weight, bias = (
            None if array is None else torch.from_numpy(array)
            for array in (self.mean, self.variance, self.weight, self.bias)
        )
        rows = torch.from_numpy(np.ascontiguousarray(as_float32(x)).reshape(-1, len(self.mean)))
        return torch.nn.functional.batch_norm(rows, mean, variance, weight, bias, eps=self.eps).numpy().reshape(x.shape)
