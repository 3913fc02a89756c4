"""How many 2-D filters of a convolution differ: what could be computed once and shared."""

from dataclasses import dataclass

import numpy as np

from bnnhw.compiler.ir.ops import Conv

__all__ = ["FilterReuse", "count_unique_filters"]


@dataclass(frozen=True, kw_only=True)
class FilterReuse:
    """The 2-D filters of a convolution; each is one XNOR-popcount for each output pixel.

    filters: one for each row and input channel. unique: those that differ within their input channel, a filter and its
    inverse counted once, as either's popcount gives the other's. unique_if_random: what random signs would make of it.
    """

    filters: int
    unique: int
    unique_if_random: float

    @property
    def saved_share(self) -> float:
        """XNOR-popcounts that sharing saves, of all, 0 to 1."""
        return 1 - self.unique / self.filters


def count_unique_filters(op: Conv) -> FilterReuse:
    """The filter reuse of Courbariaux et al., "BinaryNet" (https://arxiv.org/abs/1602.02830), section 3.2.

    A kernel of k weights has b = 2^(k - 1) patterns up to its sign, of which n random filters hit b*(1 - (1 - 1/b)^n).
    """
    rows, height, width, channels = op.weights.shape
    sharing = rows // op.groups  # filters of one input channel
    filters = op.weights.reshape(op.groups, sharing, height * width, channels)
    codes = np.packbits(filters * filters[:, :, :1] > 0, axis=2)
    unique = sum(len(np.unique(codes[group, :, :, c], axis=0)) for group in range(op.groups) for c in range(channels))
    patterns = 2.0 ** (height * width - 1)
    hit = -np.expm1(sharing * np.log1p(-1 / patterns)) if patterns > 1 else 1.0
    return FilterReuse(
        filters=rows * channels, unique=unique, unique_if_random=float(op.groups * channels * patterns * hit)
    )
