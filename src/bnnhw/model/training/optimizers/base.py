"""What an optimiser is to the training loop, and which parameters of a network are which."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from bnnhw.model.layers.layers import BinaryLayer

__all__ = ["Group", "Optimizer", "Parts", "glorot_factor", "parameter_groups", "with_gradients"]

Group = dict[str, Any]
"""A group of parameters as torch's optimisers take them: `params`, and what holds for these alone. `factor` times the
schedule's learning rate is the group's."""


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """One way to follow gradients; its fields are its options (`--optimizer-option name=value`)."""

    name: ClassVar[str]

    def parts(self, network: nn.Module, *, learning_rate: float, weight_decay: float) -> "Parts":
        """What moves the parameters of `network`, whose memory it keeps; `learning_rate` is the peak."""
        raise NotImplementedError


class Parts:
    """Torch optimisers, each with parameters of its own, as one."""

    def __init__(self, *optimizers: torch.optim.Optimizer):
        self.optimizers = optimizers

    def set_learning_rate(self, rate: float) -> None:
        """The rate of the next steps, times each group's factor."""
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * group["factor"]

    def zero_grad(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def step(self) -> None:
        for optimizer in self.optimizers:
            optimizer.step()

    def state_dict(self) -> list[dict[str, Any]]:
        """What `load_state_dict` takes up again: moments, counts of steps, learning rates."""
        return [optimizer.state_dict() for optimizer in self.optimizers]

    def load_state_dict(self, states: Sequence[dict[str, Any]]) -> None:
        for optimizer, state in zip(self.optimizers, states, strict=True):
            optimizer.load_state_dict(state)


def with_gradients(optimizer: torch.optim.Optimizer) -> Iterator[tuple[Group, torch.Tensor, torch.Tensor, Group]]:
    """(group, parameter, gradient, the optimiser's memory of it) for each parameter that has a gradient."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None:
                yield group, parameter, parameter.grad, optimizer.state[parameter]


def glorot_factor(parameter: torch.Tensor) -> float:
    """1/sqrt(1.5/(fan_in + fan_out)) of weights (out, in, ...): Adam's learning rate is multiplied by it, SGD's by its
    square, so that a step is as large a share of each layer's usual weights.

    Source: the code of Courbariaux et al., arXiv:1602.02830, which calls it `W_LR_scale="Glorot"`.
    """
    rows, columns, *kernel = parameter.shape
    taps = int(torch.Size(kernel).numel())
    return ((rows + columns) * taps / 1.5) ** 0.5


def parameter_groups(network: nn.Module, *, weight_decay: float, glorot_power: int = 0) -> dict[str, list[Group]]:
    """The parameters of `network`, each once: `binary`, the latent weights of binary layers, and `others`.

    `weight_decay` is for the real weights of ordinary layers alone. Latent weights only say how far a sign is from its
    flip, and normalisation, scales and the angles of rotations have no reason to be 0. Learning rates of latent weights
    are multiplied by the `glorot_power`-th power of `glorot_factor`; those with one factor share a group, for torch's
    optimisers move a group at a time.
    """
    latent, real = {}, {}
    for layer in network.modules():
        if isinstance(layer, BinaryLayer | nn.Linear | _ConvNd):
            is_latent = isinstance(layer, BinaryLayer) and layer.quantiser.bits < 32
            (latent if is_latent else real)[id(layer.weight)] = layer.weight
    rest = [each for each in network.parameters() if id(each) not in latent and id(each) not in real]
    others = [
        {"params": list(real.values()), "factor": 1.0, "weight_decay": weight_decay},
        {"params": rest, "factor": 1.0, "weight_decay": 0.0},
    ]
    by_factor: dict[float, list[nn.Parameter]] = {}
    for weight in latent.values():
        by_factor.setdefault(glorot_factor(weight) ** glorot_power, []).append(weight)
    return {
        "binary": [{"params": each, "factor": factor, "weight_decay": 0.0} for factor, each in by_factor.items()],
        "others": [group for group in others if group["params"]],
    }
