"""BinaryNet: signs, and the straight-through estimator.

Tests: tests/model/methods/test_methods.py
"""

from dataclasses import dataclass

from torch import nn

from bnnhw.model.layers.quantise import Sign
from bnnhw.model.layers.shift_norm import ShiftBatchNorm

from .base import SignMethod, Traits

__all__ = ["Bnn"]


@dataclass(frozen=True, kw_only=True)
class Bnn(SignMethod):
    """Weights sign(w), activations sign(x), latent weights clipped to [-1, 1], straight-through gradients.

    stochastic: activations are +1 with probability clip((x + 1)/2, 0, 1) in training. shift_norm: batch norm by powers
    of two (`ShiftBatchNorm`). Source: Courbariaux et al., Binarized Neural Networks, arXiv:1602.02830.
    """

    name = "bnn"
    traits = Traits(
        weights="sign(w)",
        activations="sign(x)",
        scale="none",
        gradient="ste",
        hardware="yes",
        paper="arXiv:1602.02830",
    )

    stochastic: bool = False
    shift_norm: bool = False

    def norm(self, channels: int, *, images: bool) -> nn.Module:
        return ShiftBatchNorm(channels) if self.shift_norm else super().norm(channels, images=images)

    def activation(self) -> nn.Module:
        return Sign(self.sign_gradient(of_activations=True), stochastic=self.stochastic)
