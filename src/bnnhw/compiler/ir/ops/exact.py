"""Products of integer matrices at the speed of floats, without their roundings."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOAT32_EXACT = 2**24
FLOAT64_EXACT = 2**53
"""Up to these magnitudes every integer is a float of that type, and every sum of such, in any order, is exact."""


def exact_matmul(x: NDArray[Any], weights: NDArray[np.int8]) -> NDArray[Any]:
    """x (N, cols) @ weights (rows, cols) of +-1, transposed, exactly; int64 for integers x.

    Floats x must be multiples of a power of two whose products with the weights are exact in float64.
    """
    if x.dtype.kind == "f":
        return x.astype(np.float64) @ weights.T.astype(np.float64)
    bound = x.shape[1] * max(-int(x.min()), int(x.max())) if x.size else 0
    if bound > FLOAT64_EXACT:
        return x.astype(np.int64, copy=False) @ weights.T.astype(np.int64)
    kind = np.float32 if bound <= FLOAT32_EXACT else np.float64
    return (x.astype(kind) @ weights.T.astype(kind)).astype(np.int64)
