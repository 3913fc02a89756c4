"""RBNN: weights are rotated towards their signs before they are binarised."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from bnnhw.model.layers.gradients import Gradient
from bnnhw.model.layers.quantise import sign
from bnnhw.model.layers.weights import QuantisedWeight, WeightQuantiser, standardised

from .base import GradientName, SignMethod, Traits
from .rotation import learn_rotation, near_square, random_rotation, rotate

__all__ = ["Rbnn", "RotatedWeights"]

Scope = Literal["layer", "filter"]


class RotatedWeights(WeightQuantiser):
    """values = sign(v), v = w + (R^T w - w) * |sin(beta)|, with a rotation R = R1 kron R2 and a learnt angle beta.

    R1 and R2 are learnt anew before every epoch (`rotation.learn_rotation`, three cycles) and are constants to the
    gradient. w are the latent weights, standardised in each output channel. With alpha = |sin(beta)|, dv/dw =
    (1 - alpha) I + alpha R^T and dv/dbeta = sgn(sin(beta)) cos(beta) (R^T w - w), equations 15 and 16, are what
    autograd makes of this. Nothing clips the latent weights: the gradient ends where they are far from 0. beta begins
    at pi/4, where neither derivative is 0; the paper leaves that open.

    Parameters
    ----------
    scope : "layer" or "filter"
        Whether w is the layer's whole weight tensor, or R turns each output channel's weights, the same R for all.
    gradient : Gradient
    adjust : bool
        Whether beta is learnt; if not, it stays at pi/2, where v = R^T w.
    standardise : bool
        If not, w are the latent weights as they are.
    """

    r1: Tensor
    r2: Tensor

    def __init__(self, gradient: Gradient, *, scope: Scope = "layer", adjust: bool = True, standardise: bool = True):
        super().__init__()
        self.gradient = gradient
        self.scope = scope
        self.standardise = standardise
        self.progress = 0.0
        self.beta = nn.Parameter(torch.full((1,), math.pi / (4 if adjust else 2)), requires_grad=adjust)

    def prepare(self, shape: torch.Size) -> None:
        n1, n2 = near_square(shape.numel() if self.scope == "layer" else shape[1:].numel())
        self.register_buffer("r1", random_rotation(n1))
        self.register_buffer("r2", random_rotation(n2))

    def matrices(self, weight: Tensor) -> Tensor:
        """w as (F, n1, n2), F being 1 or the number of output channels."""
        weight = standardised(weight) if self.standardise else weight
        return weight.reshape(-1, len(self.r1), len(self.r2))

    def forward(self, weight: Tensor) -> QuantisedWeight:
        w = self.matrices(weight)
        rotated = w + (rotate(w, self.r1, self.r2) - w) * self.beta.sin().abs()
        return QuantisedWeight(sign(rotated, self.gradient, self.progress).view_as(weight), None)

    @torch.no_grad()
    def begin_epoch(self, weight: Tensor, progress: float) -> None:
        self.progress = progress
        # On the CPU: a hundred decompositions of small matrices, for each of which a GPU would be waited for.
        learnt = learn_rotation(*(each.cpu() for each in (self.matrices(weight), self.r1, self.r2)))
        self.r1, self.r2 = (rotation.to(weight.device) for rotation in learnt)


@dataclass(frozen=True, kw_only=True)
class Rbnn(SignMethod):
    """Rotated weights, and a gradient that grows steeper.

    rotation: of the whole layer, as in the paper, or one that the layer's filters share, as in the authors' code. On
    Gaussian weights three cycles bring the cosine of weights and signs from 0.80 to 0.98, or to 0.81. adjust: whether
    the weights go part of the way to the rotated ones, by a learnt angle; without it, all the way. standardise: whether
    latent weights are standardised first, as in the authors' code, of which the paper says nothing.
    Source: Lin et al., Rotated Binary Neural Network, arXiv:2009.13055.
    """

    name = "rbnn"
    traits = Traits(
        weights="sign(w), rotated",
        activations="sign(x)",
        scale="none",
        gradient="rbnn",
        hardware="yes",
        paper="arXiv:2009.13055",
    )

    gradient: GradientName = "rbnn"
    rotation: Scope = "layer"
    adjust: bool = True
    standardise: bool = True

    def weights(self) -> WeightQuantiser:
        return RotatedWeights(
            self.sign_gradient(), scope=self.rotation, adjust=self.adjust, standardise=self.standardise
        )
