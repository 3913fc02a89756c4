"""Values of fixed point: integers of few bits over a power of two.

Tests: tests/model/layers/test_fixed_point.py
"""

import math
from typing import cast

import torch
from torch import Tensor, nn

from bnnhw.compiler.ir import ops
from bnnhw.model.registry import array_of, module_of, op_of, tensor_of

from .layers import along_channels
from .quantise import straight_through

__all__ = ["FixedPoint", "Requantise"]

_FORGETTING = 0.999
"""Of the greatest magnitude seen, what is left of it a step later."""


class FixedPoint(nn.Module):
    """y = clip(floor(x*2^e + 1/2), -2^(bits-1), 2^(bits-1) - 1) / 2^e: the fixed-point number nearest to x.

    The gradient passes through the rounding, and not where x is clipped. Several layers may share one: then their
    values have one scale, so that they can be added.

    Parameters
    ----------
    bits : int
        2 to 16, the sign's included.
    exponent : int, optional
        e, 0 to 15. Default: the greatest with which what training or `calibrate` has seen is not clipped.
    """

    exponent: Tensor
    greatest: Tensor

    def __init__(self, bits: int = 8, exponent: int | None = None):
        super().__init__()
        if not 2 <= bits <= 16:
            raise ValueError(f"bits={bits} must lie between 2 and 16")
        if exponent is not None and not 0 <= exponent <= ops.MOST_EXPONENT:
            raise ValueError(f"exponent={exponent} must lie between 0 and {ops.MOST_EXPONENT}")
        self.bits = bits
        self.is_learnt = exponent is None
        self.register_buffer("exponent", torch.tensor(float(bits - 1 if exponent is None else exponent)))
        self.register_buffer("greatest", torch.zeros(()))

    @property
    def lo(self) -> int:
        return -(2 ** (self.bits - 1))

    @property
    def hi(self) -> int:
        return 2 ** (self.bits - 1) - 1

    @torch.no_grad()
    def calibrate(self, x: Tensor) -> None:
        """Take x into account where the exponent is not given."""
        if self.is_learnt:
            self.greatest.copy_(torch.maximum(self.greatest * _FORGETTING, x.detach().abs().amax().float()))
            exponent = torch.log2(self.hi / self.greatest.clamp_min(2.0**-ops.MOST_EXPONENT)).floor()
            self.exponent.copy_(exponent.clamp(0, ops.MOST_EXPONENT))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.calibrate(x)
        scale = torch.exp2(self.exponent.double())
        lines = torch.floor(x.detach().double() * scale + 0.5)
        values = (lines.clamp(self.lo, self.hi) / scale).to(x.dtype if self.training else torch.float32)
        if not (torch.is_grad_enabled() and x.requires_grad):
            return values
        return straight_through(x, values, ((lines >= self.lo) & (lines <= self.hi)).to(x.dtype))

    def extra_repr(self) -> str:
        return f"bits={self.bits}, exponent={int(self.exponent)}"


class Requantise(nn.Module):
    """y[c] = clip(floor((factor[c]*x[c] + offset[c]) / 2^shift), lo, hi) / 2^exponent: `ops.Requantise`."""

    factor: Tensor
    offset: Tensor

    def __init__(self, factor: Tensor, offset: Tensor, *, shift: int, lo: int, hi: int, exponent: int):
        super().__init__()
        self.register_buffer("factor", factor)
        self.register_buffer("offset", offset)
        self.shift, self.lo, self.hi, self.exponent = shift, lo, hi, exponent

    def forward(self, x: Tensor) -> Tensor:
        factor, offset = (along_channels(each.double(), x) for each in (self.factor, self.offset))
        lines = torch.floor((x.double() * factor + offset) * 2.0**-self.shift)
        return (lines.clamp(self.lo, self.hi) * 2.0**-self.exponent).float()

    def extra_repr(self) -> str:
        return f"shift={self.shift}, lo={self.lo}, hi={self.hi}, exponent={self.exponent}"


@op_of(FixedPoint)
def _fixed_point_op(module: FixedPoint) -> ops.Requantise:
    """A half is 1 over 2."""
    exponent = int(module.exponent)
    factor, half = (torch.tensor([each]) for each in (2 ** (exponent + 1), 1))
    return ops.Requantise(array_of(factor), array_of(half), 1, module.lo, module.hi, exponent)


@op_of(Requantise)
def _requantise_op(module: Requantise) -> ops.Requantise:
    vectors = (array_of(each) for each in (module.factor, module.offset))
    return ops.Requantise(*vectors, module.shift, module.lo, module.hi, module.exponent)


def _channels_first(op: ops.Requantise) -> bool | None:
    """One line for all channels takes images either way."""
    return True if len(op.factor) > 1 or len(op.offset) > 1 else None


@module_of(ops.Requantise, channels_first=_channels_first)
def _module(op: ops.Requantise) -> Requantise:
    return Requantise(
        tensor_of(op.factor), tensor_of(op.offset), shift=op.shift, lo=op.lo, hi=op.hi, exponent=op.exponent
    )
