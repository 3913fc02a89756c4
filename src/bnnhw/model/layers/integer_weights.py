"""Integer weights: of the first and the last layer, and of shortcuts.

Tests: tests/model/layers/test_integer_weights.py
"""

import torch
from torch import Tensor

from .quantise import straight_through
from .weights import LEAST, QuantisedWeight, WeightQuantiser, filters

__all__ = ["IntegerWeights"]


class IntegerWeights(WeightQuantiser):
    """values = 2*floor(w/(2*step)) + 1, the odd integer nearest to w/step, at most 2^bits - 1 in magnitude; scale =
    step, the channel's greatest |w| over 2^bits - 1. The gradient passes through the rounding.

    Odd integers of 2^bits values, without 0, are just `bits` planes of weights of +-1: w = sum of 2^m*B_m.

    Parameters
    ----------
    bits : int
        2 to 8.

    Attributes
    ----------
    rounds : bool
        False leaves real weights what they are: for calibration.
    """

    integers = True
    rounds = True

    def __init__(self, bits: int = 8):
        super().__init__()
        if not 2 <= bits <= 8:
            raise ValueError(f"bits={bits} must lie between 2 and 8")
        self.bits = bits

    def forward(self, weight: Tensor) -> QuantisedWeight:
        if not self.rounds:
            return QuantisedWeight(weight, None)
        most = 2**self.bits - 1
        scale = filters(weight.detach().abs()).amax(1).clamp_min(LEAST) / most
        steps = weight / scale.view(-1, *(1,) * (weight.ndim - 1))
        values = (2 * torch.floor(steps.detach() / 2) + 1).clamp(-most, most)
        return QuantisedWeight(straight_through(steps, values, torch.ones(())), scale)
