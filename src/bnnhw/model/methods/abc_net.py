"""ABC-Net: sums of several binary weight tensors, and of several binary activations."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bnnhw.model.layers.gradients import within
from bnnhw.model.layers.quantise import Sign, plus_minus_one, straight_through
from bnnhw.model.layers.weights import QuantisedWeight, WeightQuantiser

from .base import Method, Traits

__all__ = ["AbcNet", "AbcWeights", "BinaryBases", "Gate"]


class AbcWeights(WeightQuantiser):
    """values = alpha_1 B_1 + ... + alpha_M B_M, the least-squares approximation of w by M binary tensors.

    B_m = sign(w - mean(w) + u_m std(w)), u_m = -1 + 2 (m - 1)/(M - 1), or 0 where M = 1. alpha = argmin
    ||w - B alpha||^2, of least norm where bases coincide. dL/dw = sum over m of alpha_m dL/dB_m: the signs pass
    gradients as they are. A single basis keeps its factor apart: values = B_1, scale = alpha_1. Source: Lin et al.,
    arXiv:1711.11294, equations 1 to 5.
    """

    def __init__(self, bases: int):
        super().__init__()
        self.bases = bases

    def binary(self, weight: Tensor) -> Tensor:
        """B, (M, weights), +-1."""
        shifts = torch.linspace(-1, 1, self.bases, device=weight.device) if self.bases > 1 else weight.new_zeros(1)
        w = weight.detach().flatten()
        return plus_minus_one(w - w.mean() + shifts[:, None] * w.std(correction=0))

    def alphas(self, weight: Tensor, bases: Tensor) -> Tensor:
        """alpha, (M,): the pseudo-inverse of B B^T, whose entries are whole numbers, times B w, in float64."""
        b, w = bases.double(), weight.detach().double().flatten()
        return (torch.linalg.pinv(b @ b.T, hermitian=True) @ (b @ w)).to(weight.dtype)

    def forward(self, weight: Tensor) -> QuantisedWeight:
        bases = self.binary(weight)
        alphas = self.alphas(weight, bases)
        if self.bases == 1:
            values = straight_through(weight, bases.view_as(weight), torch.ones_like(alphas))
            return QuantisedWeight(values, alphas.expand(len(weight)))
        return QuantisedWeight(straight_through(weight, (alphas @ bases).view_as(weight), alphas.sum()), None)


class BinaryBases(nn.Module):
    """y = beta_1 A_1 + ... + beta_N A_N, A_n = +1 if clip(x + v_n, 0, 1) >= 1/2 else -1.

    The gradient passes A_n where 0 <= x + v_n <= 1. beta and v are learnt, and constant in eval mode. They begin with
    thresholds 1/2 - v_n evenly spread over [-1, 1], 0 where N = 1, and beta = 1/N. Source: Lin et al.,
    arXiv:1711.11294, equations 7 to 10.
    """

    def __init__(self, bases: int):
        super().__init__()
        thresholds = torch.linspace(-1, 1, bases) if bases > 1 else torch.zeros(1)
        self.shift = nn.Parameter(0.5 - thresholds)
        self.beta = nn.Parameter(torch.full((bases,), 1 / bases))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.zeros_like(x)
        for shift, beta in zip(self.shift, self.beta, strict=True):
            h = x + shift
            y = y + beta * straight_through(h, plus_minus_one(h, 0.5), (h >= 0) & (h <= 1))
        return y

    def extra_repr(self) -> str:
        return f"{len(self.beta)}"


@dataclass(frozen=True)
class Gate:
    """The gradient of a single A_1 between batch norms, which hold v and beta: F' = 1 if |x| <= 1/2 else 0."""

    def derivative(self, x: Tensor, progress: float) -> Tensor:
        return within(x, 0.5)


@dataclass(frozen=True, kw_only=True)
class AbcNet(Method):
    """A convolution is the sum over m and n of alpha_m beta_n (B_m * A_n): M*N binary convolutions.

    weight_bases, activation_bases: M and N. In torch, the sums over m and n are taken before the one convolution, which
    is the same. With N = 1 the activation is a sign: what v and beta can do, the batch norms before and behind the
    layer do as well. Source: Lin et al., Towards Accurate Binary Convolutional Neural Network, arXiv:1711.11294.
    """

    name = "abc"
    traits = Traits(
        weights="M bases",
        activations="N bases",
        scale="least squares",
        gradient="1",
        hardware="one basis each; more to come",
        paper="arXiv:1711.11294",
    )
    pad_value = 0

    weight_bases: int = 3
    activation_bases: int = 3

    def __post_init__(self) -> None:
        for name in ("weight_bases", "activation_bases"):
            if not 1 <= getattr(self, name) <= 16:
                raise ValueError(f"{name}={getattr(self, name)} of method 'abc' must lie between 1 and 16")

    def weights(self) -> WeightQuantiser:
        return AbcWeights(self.weight_bases)

    def activation(self) -> nn.Module:
        return BinaryBases(self.activation_bases) if self.activation_bases > 1 else Sign(Gate())
