"""What fixed point costs: a network of real numbers against the same one in fixed point.

Tests: tests/model/fixed_point/test_cost.py
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bnnhw.model.layers.fixed_point import FixedPoint

from .real_values import real_values, roundings

__all__ = ["Cost", "RoundingCost", "cost_by_layer", "cost_of", "labels_of"]

_BATCH = 250
_NORMAL_95 = 1.96
"""Of 95 % of a normal distribution, so many deviations to either side of the mean."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """How many of the same test `images` both networks label right, and on how many their labels differ.

    only_real, only_fixed: right in one of them alone.
    """

    images: int
    real: int
    fixed: int
    only_real: int
    only_fixed: int
    different: int

    @property
    def difference(self) -> float:
        """fixed's accuracy less real's: d = mean of (1 where only fixed is right, -1 where only real is)."""
        return (self.only_fixed - self.only_real) / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the difference: d +- 1.96 * sqrt((mean of squares - d^2) / images), as of pairs."""
        squares = (self.only_fixed + self.only_real) / self.images
        half = _NORMAL_95 * math.sqrt(max(0.0, squares - self.difference**2) / self.images)
        return self.difference - half, self.difference + half


@dataclass(frozen=True, kw_only=True)
class RoundingCost:
    """`changed`: the share of labels that change where this layer's values alone, or its weights, are rounded.

    exponent: of values; None for weights.
    """

    layer: str
    bits: int
    exponent: int | None
    changed: float


@torch.inference_mode()
def labels_of(network: nn.Module, images: Tensor | NDArray[np.integer]) -> NDArray[np.int64]:
    """The class of the greatest score of each of the raw integer `images` (N, *shape), the lowest of equals."""
    batches = torch.as_tensor(images).split(_BATCH)
    return np.concatenate([network(batch.float()).argmax(1).numpy() for batch in batches])


def cost_of(real: NDArray[np.int64], fixed: NDArray[np.int64], truth: NDArray[np.int64]) -> Cost:
    """Of what both networks and the data set say, (N,) labels each."""
    real_right, fixed_right = real == truth, fixed == truth
    return Cost(
        images=len(truth),
        real=int(real_right.sum()),
        fixed=int(fixed_right.sum()),
        only_real=int((real_right & ~fixed_right).sum()),
        only_fixed=int((fixed_right & ~real_right).sum()),
        different=int((real != fixed).sum()),
    )


def cost_by_layer(
    network: nn.Module,
    images: Tensor | NDArray[np.integer],
    *,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[RoundingCost, ...]:
    """What each rounding of `network` (`in_fixed_point`, calibrated) does alone, all other values real.

    A network of binary layers magnifies what changes early: shares add up to nothing, and tell where more bits help.
    """
    with real_values(network):
        expected = labels_of(network, images)
    costs, layers = [], roundings(network)
    for number, (layer, module) in enumerate(layers.items(), start=1):
        with real_values(network, but=[module]):
            changed = float((labels_of(network, images) != expected).mean())
        exponent = int(module.exponent) if isinstance(module, FixedPoint) else None
        costs.append(RoundingCost(layer=layer, bits=module.bits, exponent=exponent, changed=changed))
        progress(number / len(layers))
    return tuple(costs)
