"""Bop: an optimiser that has no latent weights; it flips bits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from bnnhw.model.layers.gradients import Ste
from bnnhw.model.layers.layers import BinaryLayer
from bnnhw.model.layers.quantise import plus_minus_one
from bnnhw.model.layers.weights import SignWeights

from .base import Optimizer, Parts, parameter_groups, with_gradients

__all__ = ["Bop", "BopSteps"]


class BopSteps(torch.optim.Optimizer):
    """m = (1 - gamma)*m + gamma*g; w = -w where |m| > threshold and sign(m) = sign(w); w is +-1, and m begins at 0.

    m is how long and how clearly the gradient has asked for a flip. A group's gamma is its learning rate. Source:
    Helwegen et al., Latent Weights Do Not Exist, arXiv:1906.02107, algorithm 1.
    """

    def __init__(self, groups: list[dict[str, Any]], *, gamma: float, threshold: float):
        super().__init__(groups, {"lr": gamma, "threshold": threshold})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        for group, weight, gradient, state in with_gradients(self):
            if not state:
                state["momentum"] = torch.zeros_like(weight)
            momentum = state["momentum"].lerp_(gradient, group["lr"])
            flips = (momentum.abs() > group["threshold"]) & (momentum * weight > 0)
            weight.copy_(torch.where(flips, -weight, weight))


@dataclass(frozen=True, kw_only=True)
class Bop(Optimizer):
    """`BopSteps` for the weights of binary layers, which are +-1 from the start; Adam for all others.

    gamma: at the peak of the learning rate, whose schedule it shares: where gradients are averaged over more steps,
    fewer bits flip. threshold: tau, the least average that flips a bit. The paper's values for CIFAR-10.
    """

    name = "bop"

    gamma: float = 1e-4
    threshold: float = 1e-8

    def __post_init__(self) -> None:
        if not 0 < self.gamma <= 1:
            raise ValueError(f"gamma={self.gamma} of optimizer 'bop' must lie in (0, 1]")

    def parts(self, network: nn.Module, *, learning_rate: float, weight_decay: float) -> Parts:
        groups = parameter_groups(network, weight_decay=weight_decay)
        _check(network)
        for group in groups["binary"]:
            group["factor"] = self.gamma / learning_rate
            for weight in group["params"]:
                weight.data.copy_(plus_minus_one(weight.data))
        flips = BopSteps(groups["binary"], gamma=self.gamma, threshold=self.threshold)
        return Parts(flips, torch.optim.Adam(groups["others"], lr=learning_rate, fused=True))


def _check(network: nn.Module) -> None:
    """ValueError unless every binary layer's weights are signs that pass gradients at +-1, and there is one."""
    layers = {name: layer for name, layer in network.named_modules() if isinstance(layer, BinaryLayer)}
    if not layers:
        raise ValueError("optimizer 'bop' flips binary weights, but the network has none; take 'adam' or 'sgd'")
    for name, layer in layers.items():
        quantiser = layer.quantiser
        if not isinstance(quantiser, SignWeights) or not isinstance(quantiser.gradient, Ste):
            raise ValueError(
                f"optimizer 'bop' flips weights that are signs with the gradient 'ste', but layer {name!r} has "
                f"{type(quantiser).__name__}; take the method bnn or bireal, or another optimizer"
            )
