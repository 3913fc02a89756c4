"""Activations of several values, steps of one size from a zero of their own.

Tests: tests/model/layers/test_uniform_quantise.py
"""

import torch
from torch import Tensor, nn

from bnnhw.compiler.ir import ops
from bnnhw.model.registry import module_of, op_of

from .quantise import straight_through

__all__ = ["UniformQuantise"]


class UniformQuantise(nn.Module):
    """y = clip(round(x / scale + zero_point), lo, hi) - zero_point, halves to even: an integer. The gradient, 1/scale,
    passes where nothing is clipped.

    The Quant of QONNX (arXiv:2206.07527) over its scale, which the next batch norm takes out again.

    Parameters
    ----------
    scale : float
        Of a step; above 0.
    lo, hi : int
        The least and greatest code; 256 of them at most.
    zero_point : int
        The code of 0.
    """

    scale: Tensor

    def __init__(self, scale: float, lo: int, hi: int, *, zero_point: int = 0):
        super().__init__()
        ops.UniformQuantise(scale, zero_point, lo, hi)  # says what is amiss
        self.register_buffer("scale", torch.tensor([scale]))
        self.zero_point, self.lo, self.hi = zero_point, lo, hi

    def forward(self, x: Tensor) -> Tensor:
        steps = x / self.scale + self.zero_point
        y = torch.round(steps).clamp(self.lo, self.hi) - self.zero_point
        if not x.requires_grad:
            return y
        inside = (steps >= self.lo) & (steps <= self.hi)
        return straight_through(x, y, inside / self.scale)

    def extra_repr(self) -> str:
        return f"{float(self.scale)!r}, {self.lo}, {self.hi}, zero_point={self.zero_point}"


@op_of(UniformQuantise)
def _op(module: UniformQuantise) -> ops.UniformQuantise:
    return ops.UniformQuantise(float(module.scale), module.zero_point, module.lo, module.hi)


@module_of(ops.UniformQuantise)
def _module(op: ops.UniformQuantise) -> UniformQuantise:
    return UniformQuantise(op.scale, op.lo, op.hi, zero_point=op.zero_point)
