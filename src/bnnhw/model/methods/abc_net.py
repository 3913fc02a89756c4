"""ABC-Net: sums of several binary weight tensors, and of several binary activations."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bnnhw.model.fixed_point.conversion import FixedPointOptions
from bnnhw.model.layers.binary_bases import BinaryBases
from bnnhw.model.layers.gradients import within
from bnnhw.model.layers.quantise import Sign, plus_minus_one, straight_through
from bnnhw.model.layers.weights import LEAST, QuantisedWeight, WeightQuantiser

from .base import Method, Traits

__all__ = ["AbcNet", "AbcWeights", "Gate"]


class AbcWeights(WeightQuantiser):
    """values = alpha_1 B_1 + ... + alpha_M B_M, the least-squares approximation of w by M binary tensors.

    B_m = sign(w - mean(w) + u_m std(w)), u_m = -1 + 2 (m - 1)/(M - 1), or 0 where M = 1. alpha = argmin
    ||w - B alpha||^2, of least norm where bases coincide. dL/dw = sum over m of alpha_m dL/dB_m: the signs pass
    gradients as they are. A single basis keeps its factor apart: values = B_1, scale = alpha_1. Source: Lin et al.,
    arXiv:1711.11294, equations 1 to 5.

    Parameters
    ----------
    bases : int
        M.
    factor_bits : int
        Of an alpha, with its sign: a_m = round(alpha_m / s) with s = max|alpha| / (2^(factor_bits - 1) - 1), values =
        a_1 B_1 + ... + a_M B_M, and the scale is s. 0 leaves them real, which has no hardware.
    """

    def __init__(self, bases: int, *, factor_bits: int = 0):
        super().__init__()
        self.bases = bases
        self.factor_bits = factor_bits
        self.integers = bases > 1 and factor_bits > 0

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
        if not self.integers:
            return QuantisedWeight(straight_through(weight, (alphas @ bases).view_as(weight), alphas.sum()), None)
        scale, factors = self.rounded(alphas)
        values = straight_through(weight, (factors @ bases).view_as(weight), alphas.sum() / scale)
        return QuantisedWeight(values, scale.expand(len(weight)))

    def rounded(self, alphas: Tensor) -> tuple[Tensor, Tensor]:
        """s, and a of each basis, as floats."""
        scale = alphas.abs().amax().clamp_min(LEAST) / (2 ** (self.factor_bits - 1) - 1)
        return scale, torch.round(alphas / scale)

    @torch.no_grad()
    def factors(self, weight: Tensor) -> tuple[int, ...]:
        if not self.integers:
            return ()
        _, factors = self.rounded(self.alphas(weight, self.binary(weight)))
        return tuple(int(each) for each in factors)


@dataclass(frozen=True)
class Gate:
    """The gradient of a single A_1 between batch norms, which hold v and beta: F' = 1 if |x| <= 1/2 else 0."""

    def derivative(self, x: Tensor, progress: float) -> Tensor:
        return within(x, 0.5)


@dataclass(frozen=True, kw_only=True)
class AbcNet(Method):
    """A convolution is the sum over m and n of alpha_m beta_n (B_m * A_n): M*N binary convolutions.

    weight_bases, activation_bases: M and N. factor_bits: of each alpha and beta, which are integers over a common scale
    then, as hardware has them; 0 leaves them real. In torch, the sums over m and n are taken before the one
    convolution, which is the same. With N = 1 the activation is a sign: what v and beta can do, the batch norms before
    and behind the layer do as well. Source: Lin et al., Towards Accurate Binary Convolutional Neural Network,
    arXiv:1711.11294.
    """

    name = "abc"
    traits = Traits(
        weights="M bases",
        activations="N bases",
        scale="least squares",
        gradient="1",
        hardware="yes",
        paper="arXiv:1711.11294",
    )
    pad_value = 0

    weight_bases: int = 3
    activation_bases: int = 3
    factor_bits: int = 8

    def __post_init__(self) -> None:
        for name in ("weight_bases", "activation_bases"):
            if not 1 <= getattr(self, name) <= 16:
                raise ValueError(f"{name}={getattr(self, name)} of method 'abc' must lie between 1 and 16")
        if self.factor_bits not in (0, *range(2, 9)):
            raise ValueError(f"factor_bits={self.factor_bits} of method 'abc' must be 0 or lie between 2 and 8")

    def fixed_point(self) -> FixedPointOptions | None:
        several = max(self.weight_bases, self.activation_bases) > 1
        return FixedPointOptions() if several and self.factor_bits else None

    def weights(self) -> WeightQuantiser:
        return AbcWeights(self.weight_bases, factor_bits=self.factor_bits)

    def activation(self) -> nn.Module:
        n = self.activation_bases
        return BinaryBases(n, factor_bits=self.factor_bits) if n > 1 else Sign(Gate())
