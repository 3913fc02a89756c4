"""DoReFa-Net: weights, activations and gradients of any number of bits."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bnnhw.model.layers.layers import LayerOptions
from bnnhw.model.layers.quantise import Quantise, plus_minus_one, straight_through
from bnnhw.model.layers.weights import LEAST, QuantisedWeight, WeightQuantiser

from .base import Method, Traits

__all__ = ["Dorefa", "DorefaWeights"]


class DorefaWeights(WeightQuantiser):
    """Weights of k bits.

    k = 1: values = sign(w), scale = the layer's mean|w|. k > 1: z = tanh(w) / max|tanh(w)|, q(r) = round((2^k - 1) r),
    values = 2*q(z/2 + 1/2) - (2^k - 1), odd integers, scale = 1/(2^k - 1). The gradient passes sign and scale, or
    rounding and scale, as if there were none. Source: Zhou et al., arXiv:1606.06160, equations 7 to 9.
    """

    def __init__(self, bits: int):
        super().__init__()
        if not 1 <= bits <= 8:
            raise ValueError(f"bits={bits} must lie between 1 and 8")
        self.bits = bits
        self.integers = bits > 1

    def forward(self, weight: Tensor) -> QuantisedWeight:
        if self.bits == 1:
            scale = weight.detach().abs().mean().clamp_min(LEAST)
            values = straight_through(weight, plus_minus_one(weight), 1 / scale)
        else:
            levels = 2**self.bits - 1
            squashed = torch.tanh(weight)
            z = squashed / squashed.abs().amax().clamp_min(LEAST)
            scale = torch.tensor(1 / levels, device=weight.device)
            values = straight_through(z, 2 * torch.round(levels * (z / 2 + 0.5)) - levels, 1 / scale)
        return QuantisedWeight(values, scale.expand(len(weight)))


@dataclass(frozen=True, kw_only=True)
class Dorefa(Method):
    """Weights of `weight_bits` bits, activations of `activation_bits`, round(clip(x, 0, 1) * (2^k - 1)).

    gradient_bits: 0 leaves gradients as they are; else those of the layers' outputs are rounded, with noise, before
    they come to the products; the scores' gradients are left, as in the authors' code. Source: Zhou et al., DoReFa-Net,
    arXiv:1606.06160.
    """

    name = "dorefa"
    traits = Traits(
        weights="sign(w), or k bits",
        activations="k bits",
        scale="mean|w|",
        gradient="1",
        hardware="yes",
        paper="arXiv:1606.06160",
    )
    pad_value = 0

    weight_bits: int = 1
    activation_bits: int = 2
    gradient_bits: int = 0

    def __post_init__(self) -> None:
        for name, least in (("weight_bits", 1), ("activation_bits", 1), ("gradient_bits", 0)):
            if not least <= getattr(self, name) <= 8:
                raise ValueError(f"{name}={getattr(self, name)} of method 'dorefa' must lie between {least} and 8")

    def weights(self) -> WeightQuantiser:
        return DorefaWeights(self.weight_bits)

    def activation(self) -> nn.Module:
        return Quantise(self.activation_bits)

    def layer_options(self, *, last: bool = False) -> LayerOptions:
        bits = None if last else self.gradient_bits or None
        return {**super().layer_options(last=last), "gradient_bits": bits}
