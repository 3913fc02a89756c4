"""Rotations that bring weights nearer to signs: R = R1 kron R2, learnt by alternating maximisation.

Weights w of n = n1*n2 elements are a matrix W (n1, n2), row-major, so that (R1 kron R2)^T w = vec(R1^T W R2): two
small rotations stand for one of n x n. Several matrices, W (F, n1, n2), may share both. Source: Lin et al., Rotated
Binary Neural Network, arXiv:2009.13055, section 3.3.
"""

import math

import torch
from torch import Tensor

from bnnhw.model.layers.quantise import plus_minus_one

__all__ = ["cosine", "learn_rotation", "near_square", "random_rotation", "rotate"]


def near_square(n: int) -> tuple[int, int]:
    """The factors n1 <= n2 of n that are nearest to each other."""
    n1 = next(d for d in range(math.isqrt(n), 0, -1) if n % d == 0)
    return n1, n // n1


def random_rotation(n: int) -> Tensor:
    """An orthogonal matrix (n, n), uniformly distributed, from torch's generator."""
    q, r = torch.linalg.qr(torch.randn(n, n))
    # Without the signs the factorisation's convention would show. Its column-major order would round other products.
    return (q * plus_minus_one(r.diagonal())).contiguous()


def rotate(w: Tensor, r1: Tensor, r2: Tensor) -> Tensor:
    """R1^T W R2 for each W of (F, n1, n2)."""
    return r1.mT @ w @ r2


def cosine(w: Tensor, r1: Tensor, r2: Tensor) -> float:
    """cos(phi), phi being the angle between the rotated weights and their signs, all F matrices as one vector.

    cos(phi) = eta * tr(B R2^T W^T R1), eta = 1/(sqrt(n) * ||w||): the sum of |R1^T W R2| over sqrt(n) * ||w||.
    """
    return (rotate(w, r1, r2).abs().sum() / (math.sqrt(w.numel()) * w.norm())).item()


@torch.no_grad()
def learn_rotation(w: Tensor, r1: Tensor, r2: Tensor, *, cycles: int = 3) -> tuple[Tensor, Tensor]:
    """(R1, R2) after so many cycles, each of which maximises cos(phi) over B, then R1, then R2; it never falls.

        B = sign(R1^T W R2);  B R2^T W^T = U S V^T -> R1 = V U^T;  W^T R1 B = U S V^T -> R2 = U V^T

    w : (F, n1, n2); the products are summed over F. r1 : (n1, n1). r2 : (n2, n2).
    """
    for _ in range(cycles):
        b = plus_minus_one(rotate(w, r1, r2))
        u, _, vt = torch.linalg.svd((b @ r2.mT @ w.mT).sum(0))
        r1 = vt.mT @ u.mT
        u, _, vt = torch.linalg.svd((w.mT @ r1 @ b).sum(0))
        r2 = u @ vt
    return r1, r2
