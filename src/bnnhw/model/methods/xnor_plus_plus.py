"""XNOR-Net++: one learnt scale for weights and activations together."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from .base import SignMethod, Traits

__all__ = ["ScaleMap", "XnorPlusPlus"]


class ScaleMap(nn.Module):
    """y = x . Gamma, Gamma the product of learnt `factors`, each of a shape that broadcasts to (channels, H, W)."""

    def __init__(self, *shapes: tuple[int, int, int], start: float):
        super().__init__()
        self.factors = nn.ParameterList(torch.full(shape, start ** (1 / len(shapes))) for shape in shapes)

    def forward(self, x: Tensor) -> Tensor:
        gamma, *others = self.factors
        for factor in others:
            gamma = gamma * factor
        return x * gamma


@dataclass(frozen=True, kw_only=True)
class XnorPlusPlus(SignMethod):
    """(sign(x) * sign(w)) . Gamma with Gamma learnt.

    scale: one for each channel; "map", one for each channel and pixel; "product", alpha(channel) beta(row)
    gamma(column). Fully connected layers have one for each channel. Source: Bulat and Tzimiropoulos, XNOR-Net++,
    arXiv:1909.13863.
    """

    name = "xnor++"
    traits = Traits(
        weights="sign(w)",
        activations="sign(x)",
        scale="learnt",
        gradient="ste",
        hardware="a channel; a pixel no: a multiplication",
        paper="arXiv:1909.13863",
    )

    scale: Literal["channel", "map", "product"] = "channel"

    def layer_scale(self, channels: int, *, fan_in: int, size: tuple[int, int] | None) -> bool | nn.Module:
        if size is None or self.scale == "channel":
            return True
        height, width = size
        if self.scale == "map":
            return ScaleMap((channels, height, width), start=fan_in**-0.5)
        return ScaleMap((channels, 1, 1), (1, height, 1), (1, 1, width), start=fan_in**-0.5)
