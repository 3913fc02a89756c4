"""Products of integer matrices at the speed of floats, without their roundings.

Tests: tests/compiler/test_reference.py
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOAT32_EXACT = 2**24
FLOAT64_EXACT = 2**53
"""Up to these magnitudes every integer is a float of that type, and every sum of such, in any order, is exact."""


def exact_terms(x: NDArray[Any], *, count: int) -> NDArray[Any]:
    """x in the fastest type in which sums of its elements, of zeros and of +-1 among them, times integers whose
    magnitudes are `count` together, are exact: float32 up to 2^24, float64 up to 2^53, then int64.

    Floats x must be multiples of a power of two whose sums are exact in float64.
    """
    if x.dtype.kind == "f":
        return x.astype(np.float64, copy=False)
    greatest = max(1, -int(x.min()), int(x.max())) if x.size else 0
    kinds = ((FLOAT32_EXACT, np.float32), (FLOAT64_EXACT, np.float64))
    return x.astype(next((kind for most, kind in kinds if count * greatest <= most), np.int64), copy=False)


def exact_sums(terms: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """terms (N, cols), from `exact_terms`, @ weights (rows, cols) of integers, transposed; in the type of the terms."""
    return terms @ weights.T.astype(terms.dtype)


def as_values(sums: NDArray[Any], x: NDArray[Any]) -> NDArray[Any]:
    """Sums of x in the type of the graph's values: int64 where x are integers."""
    return sums if x.dtype.kind == "f" else sums.astype(np.int64, copy=False)
