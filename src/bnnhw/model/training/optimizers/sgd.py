"""Stochastic gradient descent with momentum, the optimiser of the residual networks' papers.

Tests: tests/model/training/optimizers/test_base.py
"""

from dataclasses import dataclass

import torch
from torch import nn

from .base import Optimizer, Parts, parameter_groups

__all__ = ["Sgd"]


@dataclass(frozen=True, kw_only=True)
class Sgd(Optimizer):
    """v = momentum*v + g; w -= lr*v. Weight decay is added to the gradient.

    glorot: multiply the learning rate of each layer's latent weights by the square of `base.glorot_factor`.
    """

    name = "sgd"

    momentum: float = 0.9
    glorot: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum={self.momentum} of optimizer 'sgd' must lie in [0, 1)")

    def parts(self, network: nn.Module, *, learning_rate: float, weight_decay: float) -> Parts:
        groups = parameter_groups(network, weight_decay=weight_decay, glorot_power=2 * self.glorot)
        every = [*groups["binary"], *groups["others"]]
        return Parts(torch.optim.SGD(every, lr=learning_rate, momentum=self.momentum))
