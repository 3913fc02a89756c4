"""Shift-based AdaMax: an optimiser whose factors are powers of two, so that shifts can stand for multiplications."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from bnnhw.model.layers.weights import ap2

from .base import Optimizer, Parts, parameter_groups, with_gradients

__all__ = ["ShiftAdaMax", "ShiftAdaMaxSteps"]

_KEEP_FIRST = 1 - 2**-3  # the paper's 1 - beta1 = 2^-3 and 1 - beta2 = 2^-10
_KEEP_SECOND = 1 - 2**-10
_LEAST = 2.0**-27


class ShiftAdaMaxSteps(torch.optim.Optimizer):
    """m = b1*m + (1 - b1)*g; v = max(b2*v, |g|); w -= AP2(lr/(1 - b1^t)) * m / max(AP2(v), 2^-27).

    1 - b1 = 2^-3, 1 - b2 = 2^-10, t counts steps from 1, AP2(z) = sign(z)*2^round(log2|z|). v itself stays as it is:
    were AP2(v) stored back, as in the authors' code, b2*2^k would round to 2^k again and v would never fall. Weight
    decay is added to g. Source: Courbariaux et al., Binarized Neural Networks, arXiv:1602.02830, algorithm 4.
    """

    def __init__(self, groups: list[dict[str, Any]], *, lr: float):
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        for group, weight, gradient, state in with_gradients(self):
            if not state:
                state.update(step=0, first=torch.zeros_like(weight), greatest=torch.zeros_like(weight))
            decayed = gradient + group["weight_decay"] * weight
            state["step"] += 1
            state["first"].lerp_(decayed, 1 - _KEEP_FIRST)
            torch.maximum(state["greatest"] * _KEEP_SECOND, decayed.abs(), out=state["greatest"])
            rate = power_of_two(group["lr"] / (1 - _KEEP_FIRST ** state["step"]))
            weight -= rate * state["first"] / ap2(state["greatest"]).clamp_min(_LEAST)


def power_of_two(x: float) -> float:
    """AP2 of a number that is not negative; 0 stays 0."""
    return 2.0 ** round(math.log2(x)) if x else 0.0


@dataclass(frozen=True, kw_only=True)
class ShiftAdaMax(Optimizer):
    """`ShiftAdaMaxSteps` for all parameters. glorot: as for Adam. The paper's learning rate is 2^-10."""

    name = "adamax-shift"

    glorot: bool = False

    def parts(self, network: nn.Module, *, learning_rate: float, weight_decay: float) -> Parts:
        groups = parameter_groups(network, weight_decay=weight_decay, glorot_power=int(self.glorot))
        return Parts(ShiftAdaMaxSteps([*groups["binary"], *groups["others"]], lr=learning_rate))
