"""Values of fixed point: integers of few bits over a power of two.

Tests: tests/model/layers/test_fixed_point.py
"""

import math

import torch
from torch import Tensor, nn

from bnnhw.compiler.ir import ops
from bnnhw.model.registry import array_of, module_of, op_of, tensor_of

from .layers import along_channels
from .quantise import straight_through

__all__ = ["Exponent", "FixedPoint", "Requantise", "nearest"]

_FORGETTING = 0.9999
"""Of the greatest magnitude seen, what is left of it the next time."""
_HALF = 0.5


class Exponent(nn.Module):
    """e of values n/2^e. Layers whose values are added share one.

    Parameters
    ----------
    given : int, optional
        0 to 15. Default: the greatest one with which the values of `bits` bits that training or `see` have seen are not
        clipped.
    """

    value: Tensor
    greatest: Tensor

    def __init__(self, given: int | None = None):
        super().__init__()
        if given is not None and not 0 <= given <= ops.MOST_EXPONENT:
            raise ValueError(f"exponent={given} must lie between 0 and {ops.MOST_EXPONENT}")
        self.is_given = given is not None
        self.register_buffer("value", torch.tensor(float(given or 0)))
        self.register_buffer("greatest", torch.zeros(()))

    def __int__(self) -> int:
        return int(self.value)

    @torch.no_grad()
    def see(self, x: Tensor, *, hi: int) -> None:
        """Take x into account, whose values are at most hi/2^e."""
        if not self.is_given:
            least, most = torch.aminmax(x.detach())
            greatest = torch.maximum(self.greatest * _FORGETTING, torch.maximum(-least, most).float())
            self.greatest.copy_(greatest)
            exponent = torch.log2(hi / greatest.clamp_min(2.0**-ops.MOST_EXPONENT)).floor()
            self.value.copy_(exponent.clamp(0, ops.MOST_EXPONENT))


class FixedPoint(nn.Module):
    """y = clip(floor(x*2^e + 1/2), lo, hi) / 2^e: the fixed-point number nearest to x.

    lo and hi are -2^(bits-1) and 2^(bits-1) - 1, or those of `least` and `most`, where these are less. The gradient
    passes through the rounding, and not where x is clipped.

    Parameters
    ----------
    bits : int
        2 to 16, the sign's included.
    exponent : int or Exponent, optional
        e. Default: found in training.
    least, most : float, optional
        Real numbers that values do not go beyond.

    Attributes
    ----------
    rounds : bool
        False leaves real numbers what they are, within `least` and `most`: for calibration.
    """

    rounds = True

    def __init__(
        self,
        bits: int = 8,
        exponent: "int | Exponent | None" = None,
        *,
        least: float = -math.inf,
        most: float = math.inf,
    ):
        super().__init__()
        if not 2 <= bits <= 16:
            raise ValueError(f"bits={bits} must lie between 2 and 16")
        if not least < most:
            raise ValueError(f"least={least} must be less than most={most}")
        self.bits, self.least, self.most = bits, least, most
        self.exponent = exponent if isinstance(exponent, Exponent) else Exponent(exponent)

    def bounds(self, exponent: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """lo and hi, at the layer's exponent or another one."""
        half = 2.0 ** (self.bits - 1)
        scale = torch.exp2((self.exponent.value if exponent is None else exponent).double())
        return (self.least * scale).floor().clamp_min(-half), (self.most * scale).floor().clamp_max(half - 1)

    def forward(self, x: Tensor) -> Tensor:
        if not self.rounds:
            return x if self.least == -self.most == -math.inf else x.clamp(self.least, self.most)
        if self.training:
            self.exponent.see(x, hi=2 ** (self.bits - 1) - 1)
        lines = nearest(x, self.exponent.value)
        lo, hi = (each.to(lines.dtype) for each in self.bounds())
        slope = None
        if torch.is_grad_enabled() and x.requires_grad:
            slope = ((lines >= lo) & (lines <= hi)).to(x.dtype)
        values = lines.clamp_(lo, hi).mul_(torch.exp2(-self.exponent.value.double()))
        values = values.to(x.dtype if self.training else torch.float32)
        return values if slope is None else straight_through(x, values, slope)

    def extra_repr(self) -> str:
        limits = "" if self.least == -self.most == -math.inf else f", least={self.least}, most={self.most}"
        return f"bits={self.bits}, exponent={int(self.exponent)}{limits}"


def nearest(x: Tensor, exponent: Tensor) -> Tensor:
    """floor(x*2^e + 1/2), exactly, as a tensor of its own: float64 of float64, else float32.

    It is floor((floor(2*x*2^e) + 1)/2), of which float32 rounds nothing below 2^23, where x + 1/2 would be rounded.
    """
    x = x.detach()
    doubled = torch.exp2(exponent.double() + 1)
    steps = (x if x.dtype == torch.float64 else x.float()) * doubled
    return steps.floor_().add_(1).mul_(_HALF).floor_()


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
        unit = 2.0**-self.shift
        factor, offset = (along_channels(each.double() * unit, x) for each in (self.factor, self.offset))
        lines = torch.addcmul(offset, x.double(), factor).floor_()
        return lines.float().clamp_(self.lo, self.hi).mul_(2.0**-self.exponent)

    def extra_repr(self) -> str:
        return f"shift={self.shift}, lo={self.lo}, hi={self.hi}, exponent={self.exponent}"


@op_of(FixedPoint)
def _fixed_point_op(module: FixedPoint) -> ops.Requantise:
    """A half is 1 over 2."""
    exponent, (lo, hi) = int(module.exponent), module.bounds()
    factor, half = (torch.tensor([each]) for each in (2 ** (exponent + 1), 1))
    return ops.Requantise(array_of(factor), array_of(half), 1, int(lo), int(hi), exponent)


@op_of(Requantise)
def _requantise_op(module: Requantise) -> ops.Requantise:
    factor, offset = array_of(module.factor), array_of(module.offset)
    return ops.Requantise(factor, offset, module.shift, module.lo, module.hi, module.exponent)


def _channels_first(op: ops.Requantise) -> bool | None:
    """One line for all channels takes images either way."""
    return True if len(op.factor) > 1 or len(op.offset) > 1 else None


@module_of(ops.Requantise, channels_first=_channels_first)
def _module(op: ops.Requantise) -> Requantise:
    return Requantise(
        tensor_of(op.factor), tensor_of(op.offset), shift=op.shift, lo=op.lo, hi=op.hi, exponent=op.exponent
    )
