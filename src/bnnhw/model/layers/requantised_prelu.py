"""Leaking rectifiers whose values become fixed-point numbers.

Tests: tests/model/layers/test_requantised_prelu.py
"""

import math

import torch
from torch import Tensor, nn

from bnnhw.compiler.ir import ops
from bnnhw.model.errors import ExportError
from bnnhw.model.registry import array_of, module_of, op_of, tensor_of

from .fixed_point import FixedPoint
from .layers import along_channels
from .shifts import RPReLU

__all__ = ["LEAKING", "RequantisedPReLU"]

LEAKING = (nn.LeakyReLU, nn.PReLU, RPReLU)
_SHIFT = 12  # slopes below 1 are off by 2^-13 at most, less than a step of 2^-10 of the values


class RequantisedPReLU(nn.Module):
    """y = fixed(activation(x)), of x of fixed point.

    In training it is just that, with straight-through gradients. In eval mode it is what hardware does: knee and offset
    as the fixed-point numbers nearest to them, slopes as integers over a power of two (`ops.RequantisePRelu`).

    Parameters
    ----------
    activation : LeakyReLU, PReLU or RPReLU
    fixed : FixedPoint
    """

    def __init__(self, activation: nn.Module, fixed: FixedPoint):
        super().__init__()
        if not isinstance(activation, LEAKING):
            known = ", ".join(kind.__name__ for kind in LEAKING)
            raise ValueError(f"activation must be one of {known}, not {type(activation).__name__}")
        self.leaking = activation
        self.fixed = fixed

    def forward(self, x: Tensor) -> Tensor:
        return self.fixed(self.leaking(x)) if self.training else self.requantise()(x)

    @torch.no_grad()
    def requantise(self) -> "RequantisePRelu":
        """What it is in eval mode. ExportError where the parameters do not fit."""
        knee, slope, bias = self.parameters_of()
        exponent = int(self.fixed.exponent)
        greatest = float(slope.abs().max())
        if not all(bool(each.isfinite().all()) for each in (knee, slope, bias)) or greatest >= 2**ops.FACTOR_BITS - 1:
            raise ExportError(f"has slopes up to {greatest:.3g}, knees or offsets that are no sound numbers")
        shift = max(0, min(_SHIFT, ops.FACTOR_BITS - math.frexp(greatest + 1)[1]))
        most = 2.0**23
        lo, hi = self.fixed.bounds()
        return RequantisePRelu(
            (knee * 2.0**exponent).round().clamp(-most, most).long(),
            (slope * 2.0**shift).round().long(),
            ((bias * 2.0**exponent).clamp(-most, most) * 2.0**shift + 2.0 ** (shift - 1)).floor().long(),
            shift=shift,
            lo=int(lo),
            hi=int(hi),
            exponent=exponent,
        )

    def parameters_of(self) -> tuple[Tensor, Tensor, Tensor]:
        """Knee, slope and offset, each of one element or of each channel, in float64."""
        match self.leaking:
            case RPReLU() as leaking:
                return leaking.knee.double(), leaking.slope.double(), leaking.bias.double()
            case nn.PReLU() as leaking:
                slope = leaking.weight.double()
            case leaking:
                assert isinstance(leaking, nn.LeakyReLU)
                slope = self.fixed.exponent.value.new_tensor([leaking.negative_slope]).double()
        return torch.zeros_like(slope[:1]), slope, torch.zeros_like(slope[:1])


class RequantisePRelu(nn.Module):
    """y[c] = clip(floor((2^shift*max(d, 0) + slope[c]*min(d, 0) + offset[c]) / 2^shift), lo, hi) / 2^exponent,
    d = 2^exponent*x[c] - knee[c]: `ops.RequantisePRelu`."""

    knee: Tensor
    slope: Tensor
    offset: Tensor

    def __init__(self, knee: Tensor, slope: Tensor, offset: Tensor, *, shift: int, lo: int, hi: int, exponent: int):
        super().__init__()
        for name, tensor in (("knee", knee), ("slope", slope), ("offset", offset)):
            self.register_buffer(name, tensor)
        self.shift, self.lo, self.hi, self.exponent = shift, lo, hi, exponent

    def forward(self, x: Tensor) -> Tensor:
        knee, slope, offset = (along_channels(each.double(), x) for each in (self.knee, self.slope, self.offset))
        d = x.double() * 2.0**self.exponent - knee
        lines = d.clamp_min(0) * 2.0**self.shift + d.clamp_max(0) * slope + offset
        values = torch.floor(lines * 2.0**-self.shift).clamp(self.lo, self.hi)
        return (values * 2.0**-self.exponent).float()

    def extra_repr(self) -> str:
        return f"shift={self.shift}, lo={self.lo}, hi={self.hi}, exponent={self.exponent}"


@op_of(RequantisePRelu)
def _requantise_op(module: RequantisePRelu) -> ops.RequantisePRelu:
    knee, slope, offset = (array_of(each) for each in (module.knee, module.slope, module.offset))
    return ops.RequantisePRelu(knee, slope, offset, module.shift, module.lo, module.hi, module.exponent)


@op_of(RequantisedPReLU)
def _op(module: RequantisedPReLU) -> ops.RequantisePRelu:
    return _requantise_op(module.requantise())


def _channels_first(op: ops.RequantisePRelu) -> bool | None:
    """One bend for all channels takes images either way."""
    return True if max(len(op.knee), len(op.slope), len(op.offset)) > 1 else None


@module_of(ops.RequantisePRelu, channels_first=_channels_first)
def _module(op: ops.RequantisePRelu) -> RequantisePRelu:
    vectors = (tensor_of(each) for each in (op.knee, op.slope, op.offset))
    return RequantisePRelu(*vectors, shift=op.shift, lo=op.lo, hi=op.hi, exponent=op.exponent)
