"""Adam, the optimiser of most binary networks.

Tests: tests/model/training/test_divergence.py
"""

from dataclasses import dataclass

import torch
from torch import nn

from .base import Optimizer, Parts, parameter_groups

__all__ = ["Adam"]


@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    """Adam with torch's moments, 0.9 and 0.999; weight decay is added to the gradient.

    glorot: multiply the learning rate of each layer's latent weights by `base.glorot_factor`. Source: Kingma and Ba,
    arXiv:1412.6980.
    """

    name = "adam"

    glorot: bool = False

    def parts(self, network: nn.Module, *, learning_rate: float, weight_decay: float) -> Parts:
        groups = parameter_groups(network, weight_decay=weight_decay, glorot_power=int(self.glorot))
        return Parts(torch.optim.Adam([*groups["binary"], *groups["others"]], lr=learning_rate, fused=True))
