"""From latent weights, float32, to what a layer multiplies by: few values, and a factor for each channel."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from .gradients import Gradient, Ste
from .quantise import sign

__all__ = [
    "LEAST",
    "GivenWeights",
    "QuantisedWeight",
    "SignWeights",
    "WeightQuantiser",
    "ap2",
    "channel_mean",
    "filters",
    "standardised",
]

LEAST = 1e-8
"""Of a scale or a deviation that is divided by: it keeps weights that are 0, or next to it, finite."""

_RESOLVED = 2.0**-17
"""Of the mean: a smaller deviation is less than 64 steps of float32."""


class QuantisedWeight(NamedTuple):
    """A layer multiplies by `values` first, then by `scale`: exact sums, one rounding.

    values: of the latent weights' shape. scale: (channels,) or None for 1.
    """

    values: Tensor
    scale: Tensor | None


class WeightQuantiser(nn.Module):
    """What a layer does with its latent weights (channels, ...). Each layer has one of its own, which may hold
    parameters and buffers.

    bits: of a value; 1 stands for +-1, which is what hardware multiplies by. bases: so many binary tensors of the
    weights' shape are summed up (ABC-Net). integers: whether values are integers, which hardware splits into planes.
    """

    bits = 1
    bases = 1
    integers = False

    def prepare(self, shape: torch.Size) -> None:
        """Make what depends on the weights' shape. The layer calls it once, from its constructor."""

    def forward(self, weight: Tensor) -> QuantisedWeight:
        raise NotImplementedError

    def factors(self, weight: Tensor) -> tuple[int, ...]:
        """The integers of which each of `values` is a sum, each times +1 or -1; empty where that is not known."""
        return ()

    @torch.no_grad()
    def constrain(self, weight: Tensor) -> None:
        """Bring the latent weights, in place, back to where they belong; after every step of the optimiser."""

    @torch.no_grad()
    def begin_epoch(self, weight: Tensor, progress: float) -> None:
        """What is due before an epoch; `progress` as in `epochs.on_epoch`."""


class GivenWeights(WeightQuantiser):
    """values = W, integers already, perhaps sums of known factors; bits: planes of +-1 that they are."""

    integers = True

    def __init__(self, bits: int, factors: tuple[int, ...] = ()):
        super().__init__()
        self.bits = bits
        self.given = factors

    def factors(self, weight: Tensor) -> tuple[int, ...]:
        return self.given

    def forward(self, weight: Tensor) -> QuantisedWeight:
        return QuantisedWeight(weight, None)


class SignWeights(WeightQuantiser):
    """values = sign(W), latent weights clipped to [-1, 1], beyond which they would only grow slower to flip
    (BinaryConnect, arXiv:1511.00363).

    Parameters
    ----------
    gradient : Gradient
    scaled : bool
        Whether there is a scale, the mean of |W| of each channel, which makes scale * sign(W) the binary tensor nearest
        to W. It is a constant to the gradient.
    """

    def __init__(self, gradient: Gradient = Ste(), *, scaled: bool = False):  # noqa: B008 it is frozen
        super().__init__()
        self.gradient = gradient
        self.scaled = scaled
        self.progress = 0.0

    def forward(self, weight: Tensor) -> QuantisedWeight:
        scale = channel_mean(weight.detach().abs()) if self.scaled else None
        return QuantisedWeight(sign(weight, self.gradient, self.progress), scale)

    @torch.no_grad()
    def constrain(self, weight: Tensor) -> None:
        weight.clamp_(-1, 1)

    def begin_epoch(self, weight: Tensor, progress: float) -> None:
        self.progress = progress


def filters(weight: Tensor) -> Tensor:
    """The weights (channels, ...) as one row for each output channel."""
    return weight.flatten(1)


def channel_mean(weight: Tensor) -> Tensor:
    """The mean of each output channel: (channels, ...) -> (channels,)."""
    return filters(weight).mean(1)


def standardised(weight: Tensor) -> Tensor:
    """(w - mean(w)) / std(w) of each output channel, of the weights' shape and type; std divides by their number n.

    A channel is constant where std(w) <= 2^-17 |mean(w)|: there, the rounding of the mean would decide the signs. It
    becomes 0, and its gradient is that of w - mean(w).
    """
    rows = filters(weight).to(torch.promote_types(weight.dtype, torch.float32))
    spread, mean = torch.std_mean(rows.detach(), 1, correction=0, keepdim=True)  # Welford's: 0 of equal numbers
    constant = spread <= _RESOLVED * mean.abs()
    rows = rows - torch.where(constant, rows.detach(), 0)
    centred = rows - rows.mean(1, keepdim=True)
    deviation = centred.square().mean(1, keepdim=True).clamp_min(LEAST**2).sqrt()
    return (centred / torch.where(constant, 1, deviation)).to(weight.dtype).view_as(weight)


def ap2(z: Tensor) -> Tensor:
    """The power of two nearest to z in the logarithm: sign(z) * 2^round(log2|z|); 0 stays 0.

    Source: Courbariaux et al., arXiv:1602.02830, section 1.4: AP2, "approximate power of 2".
    """
    return torch.sign(z) * torch.exp2(torch.log2(z.abs()).round())
