"""What stands for the derivative of the sign function, which is 0 almost everywhere.

Each gradient is the derivative F' of a smooth F that resembles sign: the forward pass computes sign(x), the backward
pass dL/dx = dL/dy * F'(x). Some grow steeper as training proceeds; `progress`, from 0 to 1, is the fraction of epochs
that are done.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

__all__ = [
    "ACTIVATION_GRADIENTS", "GRADIENTS", "Ede", "Gradient", "Polynomial", "RbnnGradient", "Ste", "SwishSign",
    "gradient_named", "within",
]  # fmt: skip


def within(x: Tensor, bound: float) -> Tensor:
    """1 if |x| <= bound else 0, in x's type; the bound is a power of two.

    No booleans in between: torch.compile would keep them from the forward to the backward pass, and on a CPU packs and
    unpacks them so slowly that training takes twice as long.
    """
    return x.abs().clamp_min_(bound).reciprocal_().mul_(bound).floor_()


class Gradient(Protocol):
    """A stand-in for the derivative of sign."""

    def derivative(self, x: Tensor, progress: float) -> Tensor:
        """F'(x), elementwise."""
        ...


@dataclass(frozen=True)
class Ste:
    """The saturating straight-through estimator: F' = 1 if |x| <= 1 else 0.

    Source: Courbariaux et al., Binarized Neural Networks, arXiv:1602.02830, section 1.3.
    """

    def derivative(self, x: Tensor, progress: float) -> Tensor:
        return within(x, 1)


@dataclass(frozen=True)
class Polynomial:
    """Bi-Real Net's piecewise polynomial: F' = 2 - 2|x| if |x| < 1 else 0.

    F = 2x + x^2 on [-1, 0), 2x - x^2 on [0, 1), sign(x) beyond. Source: Liu et al., arXiv:1808.00278, section 3.3.
    """

    def derivative(self, x: Tensor, progress: float) -> Tensor:
        return x.abs().mul_(-2).add_(2).clamp_min_(0)


@dataclass(frozen=True, kw_only=True)
class Ede:
    """IR-Net's error decay estimator: F = k*tanh(t*x), F' = k*t*(1 - tanh^2(t*x)).

    t = t_min * (t_max/t_min)^progress and k = max(1/t, 1): first nearly the identity, at last nearly the sign. The
    paper's t_min is 0.1 for VGG-small and 1e-3 for ResNet-20. F' is 0 where |x| > bound, a power of two or infinity;
    `ACTIVATION_GRADIENTS` has 1. Source: Qin et al., arXiv:1909.10788, section 3.3.
    """

    t_min: float = 0.1
    t_max: float = 10.0
    bound: float = math.inf

    def derivative(self, x: Tensor, progress: float) -> Tensor:
        t = self.t_min * (self.t_max / self.t_min) ** progress
        slope = (1 - torch.tanh(t * x).square()).mul_(max(1 / t, 1) * t)
        return slope if math.isinf(self.bound) else slope.mul_(within(x, self.bound))


@dataclass(frozen=True, kw_only=True)
class RbnnGradient:
    """RBNN's training-aware approximation: F' = max(k*(sqrt(2)*t - t^2*|x|), 0).

    F = k*(sqrt(2)*t*x - sign(x)*t^2*x^2/2) for |x| < sqrt(2)/t, else k*sign(x); t = 10^(low + progress*(high - low)),
    at least `least`, k = max(1/t, 1). Source: Lin et al., Rotated Binary Neural Network, arXiv:2009.13055, equations 12
    and 13; `least` is 1 for activations in the authors' code, which is what `ACTIVATION_GRADIENTS` has.
    """

    low: float = -2.0
    high: float = 1.0
    least: float = 0.0

    def derivative(self, x: Tensor, progress: float) -> Tensor:
        t = max(10 ** (self.low + progress * (self.high - self.low)), self.least)
        k = max(1 / t, 1)
        return x.abs().mul_(-k * t**2).add_(k * math.sqrt(2) * t).clamp_min_(0)


@dataclass(frozen=True, kw_only=True)
class SwishSign:
    """BNN+'s SignSwish: F = 2*s(bx)*(1 + bx*(1 - s(bx))) - 1 with the logistic function s and b = `beta`.

    F' = b*(2 - bx*tanh(bx/2)) / (1 + cosh(bx)): it is negative a little beyond the steep part. Source: Darabi et al.,
    arXiv:1812.11800, section 3.2.
    """

    beta: float = 5.0

    def derivative(self, x: Tensor, progress: float) -> Tensor:
        z = (self.beta * x).clamp(-80, 80)  # cosh overflows beyond; F' is 0 long before
        return self.beta * (2 - z * torch.tanh(z / 2)) / (1 + torch.cosh(z))


GRADIENTS: Mapping[str, Gradient] = {
    "ste": Ste(),
    "ppf": Polynomial(),
    "ede": Ede(),
    "rbnn": RbnnGradient(),
    "swish-sign": SwishSign(),
}
"""By the names that `--method-option gradient=` takes."""

ACTIVATION_GRADIENTS: Mapping[str, Gradient] = {**GRADIENTS, "ede": Ede(bound=1.0), "rbnn": RbnnGradient(least=1.0)}
"""The same for activations. EDE's ends at +-1, as behind the hardtanh that the code of IR-Net's and of RBNN's authors
has before each sign; 1 for any x in the first half of a training is far from what sign does. RBNN's would begin with
sqrt(2) for any x, and gradients would grow from layer to layer: ResNet-20's loss is infinite after 40 steps."""


def gradient_named(name: str, *, of_activations: bool = False) -> Gradient:
    """The gradient called `name`, of weights or of activations; ValueError lists the known ones."""
    if name not in GRADIENTS:
        raise ValueError(f"unknown gradient {name!r}; known ones are {', '.join(GRADIENTS)}")
    return (ACTIVATION_GRADIENTS if of_activations else GRADIENTS)[name]
