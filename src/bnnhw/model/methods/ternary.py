"""Ternary networks: weights, and activations, of -1, 0 and +1.

Tests: tests/model/methods/test_ternary.py
"""

from dataclasses import dataclass
from typing import Literal

from torch import nn

from bnnhw.model.layers.quantise import Sign
from bnnhw.model.layers.ternary import Ternarise, TernaryWeights
from bnnhw.model.layers.weights import WeightQuantiser

from .base import Method, Traits

__all__ = ["Ternary"]


@dataclass(frozen=True, kw_only=True)
class Ternary(Method):
    """Weights of -1, 0 and +1 times the layer's factor; activations of -1, 0 and +1, or sign(x).

    activations: "ternary" or "binary". Sources: of the weights Li et al., Ternary Weight Networks, arXiv:1605.04711,
    whose activations are real; of ternary activations Deng et al., GXNOR-Net, arXiv:1705.09283.
    """

    name = "ternary"
    traits = Traits(
        weights="-1, 0, +1",
        activations="-1, 0, +1, or sign(x)",
        scale="mean|w| of +-1",
        gradient="1",
        hardware="yes",
        paper="arXiv:1605.04711",
    )
    pad_value = 0

    activations: Literal["ternary", "binary"] = "ternary"

    def weights(self) -> WeightQuantiser:
        return TernaryWeights()

    def activation(self) -> nn.Module:
        return Ternarise() if self.activations == "ternary" else Sign()
