"""Few bits with a gradient: the sign function, its module, activations of several bits, and the threshold at a
network's input.

The sign function has no useful gradient; training puts another one in its place (`gradients.py`), by default the
saturating straight-through estimator of Courbariaux et al. 2016, arXiv:1602.02830::

    forward   y = +1 if x >= 0 else -1
    backward  dL/dx = dL/dy if |x| <= 1 else 0
"""

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.overrides import handle_torch_function, has_torch_function_unary

from bnnhw.compiler.ir import ops
from bnnhw.model.registry import array_of, module_of, op_of, op_of_call, tensor_of

from .gradients import Gradient, Ste

__all__ = [
    "InputThreshold", "Quantise", "Sign", "Thresholds", "UniformQuantise", "plus_minus_one", "quantise_gradient",
    "sign", "straight_through",
]  # fmt: skip


def plus_minus_one(x: Tensor, threshold: float = 0.0) -> Tensor:
    """+1 if x >= threshold else -1, in place after one copy: ten times as fast as torch.where on a CPU."""
    return x.clone().ge_(threshold).mul_(2).sub_(1)


class _Sign(torch.autograd.Function):
    """+1 and -1 forwards, `gradient` backwards."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gradient: Gradient, progress: float, stochastic: bool) -> Tensor:
        ctx.save_for_backward(x)
        ctx.gradient, ctx.progress = gradient, progress
        return plus_minus_one(x - (2 * torch.rand_like(x) - 1) if stochastic else x)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return ctx.gradient.derivative(x, ctx.progress).mul_(grad_outputs[0]), None, None, None


def sign(x: Tensor, gradient: Gradient = Ste(), progress: float = 0.0) -> Tensor:  # noqa: B008 it is frozen
    """y = +1 if x >= 0 else -1, elementwise, float32, differentiated by `gradient` at the training's `progress`.

    Unlike `torch.sign`, sign(0) = +1: one bit has no room for a third value.
    """
    if has_torch_function_unary(x):  # so that torch.fx records a call instead of looking inside
        return handle_torch_function(sign, (x,), x)
    return cast(Tensor, _Sign.apply(x, gradient, progress, False))


class Sign(nn.Module):
    """`sign` as a layer.

    Parameters
    ----------
    gradient : Gradient
    stochastic : bool
        In training y is +1 with probability min(max((x + 1)/2, 0), 1), else -1; in eval mode it is sign(x) as ever.
        Source: Courbariaux et al., arXiv:1602.02830, equation 2.
    """

    def __init__(self, gradient: Gradient = Ste(), *, stochastic: bool = False):  # noqa: B008 it is frozen
        super().__init__()
        self.gradient = gradient
        self.stochastic = stochastic
        self.progress = 0.0

    def on_epoch(self, progress: float) -> None:
        """What `epochs.on_epoch` calls."""
        self.progress = progress

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, _Sign.apply(x, self.gradient, self.progress, self.stochastic and self.training))


@op_of(Sign)
def _sign_op(module: Sign) -> ops.Sign:
    return ops.Sign()


@op_of_call(sign)
def _sign_of_call(*options: Any) -> ops.Sign:
    return ops.Sign()


@module_of(ops.Sign)
def _sign_module(op: ops.Sign) -> Sign:
    return Sign()


class _StraightThrough(torch.autograd.Function):
    """Other values forwards, a factor backwards."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, values: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        return values.clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Any:
        (slope,) = ctx.saved_tensors
        return grad_outputs[0] * slope, None, None


def straight_through(x: Tensor, values: Tensor, slope: Tensor) -> Tensor:
    """y = values, with dL/dx = dL/dy * slope; all of x's shape, or a slope that broadcasts to it."""
    return cast(Tensor, _StraightThrough.apply(x, values.detach(), slope.detach()))


class _RoundSte(torch.autograd.Function):
    """Rounding, halves to even, with the derivative 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.round(x)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        return grad_outputs[0]


class Quantise(nn.Module):
    """An activation of `bits` bits: y = round(min(max(x, 0), 1) * (2^bits - 1)), an integer from 0 to 2^bits - 1.

    It is DoReFa-Net's (arXiv:1606.06160) times 2^bits - 1, which the next batch norm takes out again: integers keep the
    next layer's sums exact. The gradient passes through the rounding as if there were none.

    Parameters
    ----------
    bits : int
        1 to 8.
    """

    def __init__(self, bits: int):
        super().__init__()
        if not 1 <= bits <= 8:
            raise ValueError(f"bits={bits} must lie between 1 and 8")
        self.bits = bits

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, _RoundSte.apply(x.clamp(0, 1) * (2**self.bits - 1)))

    def extra_repr(self) -> str:
        return f"{self.bits}"


@op_of(Quantise)
def _quantise_op(module: Quantise) -> ops.Quantise:
    return ops.Quantise(module.bits)


@module_of(ops.Quantise)
def _quantise_module(op: ops.Quantise) -> Quantise:
    return Quantise(op.bits)


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
def _uniform_op(module: UniformQuantise) -> ops.UniformQuantise:
    return ops.UniformQuantise(float(module.scale), module.zero_point, module.lo, module.hi)


@module_of(ops.UniformQuantise)
def _uniform_module(op: ops.UniformQuantise) -> UniformQuantise:
    return UniformQuantise(op.scale, op.lo, op.hi, zero_point=op.zero_point)


def quantise_gradient(g: Tensor, bits: int) -> Tensor:
    """2*m*(q(g/(2*m) + 1/2 + noise) - 1/2), m the greatest |g| of a sample, q rounding to `bits` bits in [0, 1].

    The noise, uniform over one step of q, makes the result right on average. g is (N, ...), of any floating type.
    Source: Zhou et al., DoReFa-Net, arXiv:1606.06160, equation 12.
    """
    levels = 2**bits - 1
    exact = g.to(torch.promote_types(g.dtype, torch.float32))  # bfloat16 has too few digits for the noise of 8 bits
    greatest = exact.abs().amax(dim=tuple(range(1, g.ndim)), keepdim=True).clamp_min(torch.finfo(exact.dtype).tiny)
    noise = (torch.rand_like(exact) - 0.5) / levels
    shares = (exact / (2 * greatest) + 0.5 + noise).clamp(0, 1)
    return (2 * greatest * (torch.round(shares * levels) / levels - 0.5)).to(g.dtype)


class InputThreshold(nn.Module):
    """y = +1 if x >= threshold else -1: makes one bit of each raw integer of the input. It has no gradient.

    Parameters
    ----------
    threshold : float
        In units of the input, such as 127.5 for pixels of 0 to 255.
    """

    def __init__(self, threshold: float):
        super().__init__()
        self.threshold = float(threshold)

    def forward(self, x: Tensor) -> Tensor:
        return plus_minus_one(x, self.threshold)

    def extra_repr(self) -> str:
        return f"{self.threshold!r}"


@op_of(InputThreshold)
def _threshold_op(module: InputThreshold) -> ops.InputThreshold:
    return ops.InputThreshold(module.threshold)


@module_of(ops.InputThreshold)
def _threshold_module(op: ops.InputThreshold) -> InputThreshold:
    return InputThreshold(op.threshold)


class Thresholds(nn.Module):
    """y = least + how many of its channel's thresholds are at most x: raw ones, as FINN's files have them. It has no
    gradient.

    Parameters
    ----------
    thresholds : (channels, levels), or (1, levels) where all channels have the same
        Rising from level to level, in units of x. Images are channels last.
    least : int
        What y is where none is reached.
    """

    thresholds: Tensor

    def __init__(self, thresholds: Tensor, least: int = 0):
        super().__init__()
        self.register_buffer("thresholds", thresholds.float())
        self.least = least
        _thresholds_op(self)  # says what is amiss

    def forward(self, x: Tensor) -> Tensor:
        y = torch.full_like(x, self.least)
        for level in self.thresholds.T:
            y = y + (x >= level).float()
        return y

    def extra_repr(self) -> str:
        return f"{tuple(self.thresholds.shape)}, least={self.least}"


@op_of(Thresholds)
def _thresholds_op(module: Thresholds) -> ops.Thresholds:
    return ops.Thresholds(array_of(module.thresholds.T.reshape(-1)), len(module.thresholds), module.least)


@module_of(ops.Thresholds, channels_first=lambda op: None if op.alike else False)
def _thresholds_module(op: ops.Thresholds) -> Thresholds:
    return Thresholds(tensor_of(op.table.T.copy()), op.least)
