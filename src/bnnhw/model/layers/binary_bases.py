"""ABC-Net's activations: sums of several bits, each with a threshold and a factor; and what a model file has of them,
codes of a few levels, and what these stand for.

Tests: tests/model/methods/test_abc_net.py
Tests: tests/compiler/ir/ops/test_coded.py
"""

import torch
from torch import Tensor, nn

from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.ops import MOST_EXPONENT
from bnnhw.model.errors import ExportError
from bnnhw.model.registry import InARow, array_of, module_of, op_of, tensor_of

from .quantise import plus_minus_one, straight_through

__all__ = ["BinaryBases", "Levels", "Thermometer"]


class BinaryBases(nn.Module):
    """y = beta_1 A_1 + ... + beta_N A_N, A_n = +1 if clip(x + v_n, 0, 1) >= 1/2 else -1.

    The gradient passes A_n where 0 <= x + v_n <= 1. beta and v are learnt, and constant in eval mode. They begin with
    thresholds 1/2 - v_n evenly spread over [-1, 1], 0 where N = 1, and beta = 1/N. Source: Lin et al.,
    arXiv:1711.11294, equations 7 to 10.

    Parameters
    ----------
    bases : int
        N.
    factor_bits : int
        Of a beta, with its sign: b_n = round(beta_n * 2^e) stands for it, over 2^e, with the greatest e for which these
        have so many bits; the gradient passes through the rounding. 0 leaves them real, which has no hardware.
    """

    def __init__(self, bases: int, *, factor_bits: int = 0):
        super().__init__()
        self.factor_bits = factor_bits
        thresholds = torch.linspace(-1, 1, bases) if bases > 1 else torch.zeros(1)
        self.shift = nn.Parameter(0.5 - thresholds)
        self.beta = nn.Parameter(torch.full((bases,), 1 / bases))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.zeros_like(x)
        for shift, beta in zip(self.shift, self.rounded(), strict=True):
            h = x + shift
            y = y + beta * straight_through(h, plus_minus_one(h, 0.5), (h >= 0) & (h <= 1))
        return y

    def rounded(self) -> Tensor:
        """What stands for the betas."""
        if not self.factor_bits:
            return self.beta
        unit = torch.exp2(self.exponent())
        return straight_through(self.beta, torch.round(self.beta.detach() * unit) / unit, torch.ones_like(self.beta))

    @torch.no_grad()
    def exponent(self) -> Tensor:
        """e, as a float."""
        most = 2 ** (self.factor_bits - 1) - 1
        greatest = self.beta.abs().amax().clamp_min(2.0**-MOST_EXPONENT)
        return torch.log2(most / greatest).floor().clamp(0, MOST_EXPONENT)

    def extra_repr(self) -> str:
        return f"{len(self.beta)}, factor_bits={self.factor_bits}"


@op_of(BinaryBases)
@torch.no_grad()
def _bases_op(module: BinaryBases) -> InARow:
    """The codes count the thresholds that are reached, the least one first."""
    if not module.factor_bits:
        raise ExportError("has real factors; hardware has integers (factor_bits=8)")
    shifts, order = module.shift.sort(descending=True, stable=True)
    exponent = module.exponent()
    factors = torch.round(module.beta * torch.exp2(exponent)).long()[order]
    values = torch.cat([-factors.sum()[None], 2 * factors]).cumsum(0)
    return InARow({
        "codes": ops.Thermometer(array_of(shifts)),
        "": ops.ScaledLevels(array_of(values), int(exponent)),
    })  # fmt: skip


class Thermometer(nn.Module):
    """y = how many of the shifts v have x + v >= 1/2: `ops.Thermometer`. It has no gradient.

    Parameters
    ----------
    shifts : Tensor (levels,) of float32
        They do not rise.
    """

    shifts: Tensor

    def __init__(self, shifts: Tensor):
        super().__init__()
        self.register_buffer("shifts", shifts)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.zeros_like(x)
        for shift in self.shifts:
            y += x + shift >= 0.5
        return y

    def extra_repr(self) -> str:
        return f"{len(self.shifts)}"


class Levels(nn.Module):
    """y = values[x] / 2^exponent: `ops.ScaledLevels`. It has no gradient.

    Parameters
    ----------
    values : Tensor (codes,) of int64
    exponent : int
    """

    values: Tensor

    def __init__(self, values: Tensor, exponent: int):
        super().__init__()
        self.register_buffer("values", values)
        self.exponent = exponent

    def forward(self, x: Tensor) -> Tensor:
        return self.values.float()[x.long()] * 2.0**-self.exponent

    def extra_repr(self) -> str:
        return f"{len(self.values)}, exponent={self.exponent}"


@op_of(Thermometer)
def _thermometer_op(module: Thermometer) -> ops.Thermometer:
    return ops.Thermometer(array_of(module.shifts))


@module_of(ops.Thermometer)
def _thermometer_module(op: ops.Thermometer) -> Thermometer:
    return Thermometer(tensor_of(op.shifts))


@op_of(Levels)
def _levels_op(module: Levels) -> ops.ScaledLevels:
    return ops.ScaledLevels(array_of(module.values), module.exponent)


@module_of(ops.ScaledLevels)
def _levels_module(op: ops.ScaledLevels) -> Levels:
    return Levels(tensor_of(op.values), op.exponent)
