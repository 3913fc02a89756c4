"""Three values, -1, 0 and +1, of weights and of activations.

Tests: tests/model/methods/test_ternary.py
"""

import torch
from torch import Tensor, nn

from bnnhw.compiler.ir import ops
from bnnhw.model.registry import module_of, op_of

from .gradients import within
from .quantise import straight_through
from .weights import LEAST, QuantisedWeight, WeightQuantiser

__all__ = ["Ternarise", "TernaryWeights"]

_THRESHOLD = 0.7
"""Of the mean magnitude: next to the best one both of uniformly (2/3) and of normally (3/4) distributed weights."""


class TernaryWeights(WeightQuantiser):
    """values = +1 if w > d, -1 if w < -d, else 0, with d = 0.7 mean|w| of the layer; scale = the mean of |w| where
    |w| > d: of all scale * values nearly the nearest to w.

    The gradient passes as if there were neither rounding nor scale: dL/dw = dL/dw~ with w~ = scale * values. Source:
    Li et al., Ternary Weight Networks, arXiv:1605.04711.
    """

    bits = 2
    integers = True

    def forward(self, weight: Tensor) -> QuantisedWeight:
        magnitude = weight.detach().abs()
        is_kept = magnitude > _THRESHOLD * magnitude.mean()
        scale = (magnitude * is_kept).sum().div(is_kept.sum().clamp_min(1)).clamp_min(LEAST)
        values = straight_through(weight, torch.sign(weight) * is_kept, 1 / scale)
        return QuantisedWeight(values, scale.expand(len(weight)))


class Ternarise(nn.Module):
    """y = round(min(max(x, -1), 1)): +1 if x > 1/2, -1 if x < -1/2, else 0. The gradient passes where |x| <= 1.

    GXNOR-Net's activation, +-1 beyond +-r, whose gradient is 1/(2a) where r - a <= |x| <= r + a, with r = a = 1/2.
    Source: Deng et al., GXNOR-Net, arXiv:1705.09283, section 2.
    """

    def forward(self, x: Tensor) -> Tensor:
        return straight_through(x, torch.round(x.clamp(-1, 1)), within(x.detach(), 1))


@op_of(Ternarise)
def _op(module: Ternarise) -> ops.Ternarise:
    return ops.Ternarise()


@module_of(ops.Ternarise)
def _module(op: ops.Ternarise) -> Ternarise:
    return Ternarise()
