"""Full precision: what the others are compared with, and a teacher for them.

Tests: tests/model/methods/test_methods.py
"""

from dataclasses import dataclass

from torch import Tensor, nn

from bnnhw.model.layers.weights import QuantisedWeight, WeightQuantiser

from .base import Method, Traits

__all__ = ["Real", "RealWeights"]


class RealWeights(WeightQuantiser):
    """values = w: float32, as they are."""

    bits = 32

    def forward(self, weight: Tensor) -> QuantisedWeight:
        return QuantisedWeight(weight, None)


@dataclass(frozen=True, kw_only=True)
class Real(Method):
    """Real weights, activations relu(x): the same network as others are made few bits of.

    `bnnhw train --teacher` lets a binary network learn from it. Source: Hinton et al., Distilling the Knowledge in a
    Neural Network, arXiv:1503.02531.
    """

    name = "real"
    traits = Traits(
        weights="real",
        activations="real, relu(x)",
        scale="none",
        gradient="its own",
        hardware="none: a teacher",
        paper="arXiv:1503.02531",
    )
    pad_value = 0

    def weights(self) -> WeightQuantiser:
        return RealWeights()

    def activation(self) -> nn.Module:
        return nn.ReLU()
