"""IR-Net: balanced, standardised weights, and the error decay estimator."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bnnhw.model.layers.gradients import Ede, Gradient
from bnnhw.model.layers.quantise import sign
from bnnhw.model.layers.weights import LEAST, QuantisedWeight, WeightQuantiser, ap2, channel_mean, standardised

from .base import GradientName, SignMethod, Traits

__all__ = ["BalancedWeights", "IrNet"]


class BalancedWeights(WeightQuantiser):
    """v = (w - mean(w)) / std(w) of each output channel; values = sign(v), scale = 2^round(log2(mean|v|)).

    About half of the signs are +1, so that each bit tells most. The scale is a power of two and a constant to the
    gradient. Source: Qin et al., arXiv:1909.10788, section 3.2, "Libra-PB".
    """

    def __init__(self, gradient: Gradient):
        super().__init__()
        self.gradient = gradient
        self.progress = 0.0

    def forward(self, weight: Tensor) -> QuantisedWeight:
        standard = standardised(weight)
        scale = ap2(channel_mean(standard.detach().abs()).clamp_min(LEAST))
        return QuantisedWeight(sign(standard, self.gradient, self.progress), scale)

    @torch.no_grad()
    def begin_epoch(self, weight: Tensor, progress: float) -> None:
        self.progress = progress


@dataclass(frozen=True, kw_only=True)
class IrNet(SignMethod):
    """Standardised weights with a power of two for each channel; activations sign(x).

    t_min: how flat the error decay estimator begins, 0.1 in the paper, for ResNet-20 1e-3.

    Source: Qin et al., Forward and Backward Information Retention for Accurate Binary Neural Networks,
    arXiv:1909.10788.
    """

    name = "irnet"
    traits = Traits(
        weights="sign(w), standardised",
        activations="sign(x)",
        scale="2^s",
        gradient="ede",
        hardware="yes",
        paper="arXiv:1909.10788",
    )

    gradient: GradientName = "ede"
    t_min: float = Ede.t_min

    def __post_init__(self) -> None:
        if not 0 < self.t_min <= Ede.t_max:
            raise ValueError(f"t_min={self.t_min} must be above 0 and at most {Ede.t_max:g}")

    def sign_gradient(self, *, of_activations: bool = False) -> Gradient:
        gradient = super().sign_gradient(of_activations=of_activations)
        return replace(gradient, t_min=self.t_min) if isinstance(gradient, Ede) else gradient

    def weights(self) -> WeightQuantiser:
        return BalancedWeights(self.sign_gradient())
