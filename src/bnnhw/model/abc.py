"""ABC-Net's approximations by several binary tensors, and the convolutions that use them.

Source: Lin, Zhao and Pan, Towards Accurate Binary Convolutional Neural Network, arXiv:1711.11294. A convolution with
M bases of the weights and N of the activations is M*N binary convolutions::

    conv(W, X) ~ sum over m, n of alpha_m * beta_n * conv(B_m, A_n)

They are computed here as one convolution of the two sums, which is the same number but for float32's rounding. Here and
below 0 bases mean that the tensor stays real.
"""

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["AbcActivation", "AbcConv2d", "AbcConvTranspose2d", "binary_bases", "least_squares"]

_QUANTILES = 999
"""Of the standard normal distribution, by which activations choose their first factors."""


def binary_bases(weight: Tensor, count: int) -> Tensor:
    """B_i = sign(W - mean(W) + u_i * std(W)) with u_i = -1 + 2*(i - 1)/(count - 1), or u = 0 where there is one basis.

    mean and std, the square root of the mean square, are those of the whole tensor. (...) -> (count, ...) of +-1, with
    sign(0) = +1.
    """
    shifts = torch.linspace(-1, 1, count) if count > 1 else torch.zeros(1)
    centred = weight - weight.mean()
    return torch.stack([(centred + shift * weight.std(correction=0)).ge(0).to(weight) for shift in shifts]) * 2 - 1


def least_squares(bases: Tensor, target: Tensor) -> Tensor:
    """alpha = argmin ||target - sum alpha_i * bases_i||^2, (count,); of many such, as where bases coincide, the
    shortest."""
    rows = bases.flatten(1).double()
    return (torch.linalg.pinv(rows @ rows.T, hermitian=True) @ (rows @ target.flatten().double())).to(target)


def abc_weight(weight: Tensor, count: int) -> Tensor:
    """sum alpha_m * B_m with `binary_bases` and their `least_squares`; alpha and the bases' mean and std are constants
    to the gradient: dL/dW = sum alpha_m * dL/d(alpha_m * B_m), the straight-through estimator dB_m/dW = 1."""
    if count == 0:
        return weight
    latent = weight.detach()
    bases = binary_bases(latent, count)
    alpha = least_squares(bases, latent)
    return torch.tensordot(alpha, bases, 1) + alpha.sum() * (weight - latent)


class AbcActivation(nn.Module):
    """y = sum beta_n * A_n, with A_n = +1 if clip(x + v_n, 0, 1) >= 1/2 else -1.

    The gradient passes to x and v_n where 0 <= x + v_n <= 1, to beta_n everywhere. v_n and beta_n are trained, and
    constants afterwards. x should come from a batch norm: the thresholds 1/2 - v_n begin evenly spread over [-1, 1], at
    0 if there is one, the factors as the least-squares fit to a normal distribution of mean 0 and variance 1.

    Parameters
    ----------
    count : int
        N, at least 1.
    """

    def __init__(self, count: int):
        super().__init__()
        if count < 1:
            raise ValueError(f"count={count} must be at least 1; leave the layer out where activations stay real")
        thresholds = np.linspace(-1, 1, count) if count > 1 else np.zeros(1)
        normal = ndtri((np.arange(_QUANTILES) + 0.5) / _QUANTILES)
        signs = np.where(normal[:, None] >= thresholds, 1.0, -1.0)
        self.shift = nn.Parameter(torch.tensor((0.5 - thresholds).tolist()))
        self.factor = nn.Parameter(torch.tensor(np.linalg.lstsq(signs, normal)[0].tolist()))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.zeros_like(x)
        for shift, factor in zip(self.shift, self.factor, strict=True):
            soft = (x + shift).clamp(0, 1)
            hard = (soft.detach() >= 0.5).to(x) * 2 - 1
            y = y + factor * (hard + (soft - soft.detach()))
        return y

    def extra_repr(self) -> str:
        return f"{len(self.shift)}"


class AbcConv2d(nn.Conv2d):
    """`torch.nn.Conv2d` with `weight` approximated by `bases` binary tensors, zero-padded."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, bases: int, padding: int = 0):
        super().__init__(in_channels, out_channels, kernel_size, padding=padding)
        self.bases = checked(bases)

    def forward(self, input: Tensor) -> Tensor:
        return functional.conv2d(input, abc_weight(self.weight, self.bases), self.bias, padding=self.padding)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, bases={self.bases}"


class AbcConvTranspose2d(nn.ConvTranspose2d):
    """`torch.nn.ConvTranspose2d` of 2x2 with stride 2 and no bias, its `weight` approximated by `bases` binary tensors.

    Nothing overlaps: each of the four pixels of a block is a 1x1 convolution of the one that it comes from.
    """

    def __init__(self, in_channels: int, out_channels: int, *, bases: int):
        super().__init__(in_channels, out_channels, 2, stride=2, bias=False)
        self.bases = checked(bases)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        return functional.conv_transpose2d(input, abc_weight(self.weight, self.bases), stride=2)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, bases={self.bases}"


def checked(bases: int) -> int:
    """`bases`, which must be at least 0; ValueError otherwise."""
    if bases < 0:
        raise ValueError(f"bases={bases} must be at least 0, which leaves the weights real")
    return bases
