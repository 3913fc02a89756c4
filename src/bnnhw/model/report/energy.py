"""What arithmetic and memory cost in a 45 nm process, after the BNN article's tables.

Source: Courbariaux et al., arXiv:1602.02830, tables 2 and 3, which quote Horowitz, ISSCC 2014. There is no figure for
one bit: a product of two bits and its addition is taken here as an eighth of the addition of 8 bits, so that adding
8-bit numbers with signs costs the same plane by plane as at once.

Tests: tests/model/report/test_summary.py
"""

import math

__all__ = ["ADD_FLOAT32_PJ", "BIT_PJ", "MAC_FLOAT32_PJ", "access_pj"]

ADD_FLOAT32_PJ = 0.9
MAC_FLOAT32_PJ = 3.7 + ADD_FLOAT32_PJ
BIT_PJ = 0.03 / 8
"""An XNOR and its share of a count, pJ."""

_ACCESS_BITS = 64
_MEMORIES_PJ = ((8 << 10, 10.0), (32 << 10, 20.0), (1 << 20, 100.0), (math.inf, 1300.0))
"""(bytes, pJ for 64 bits): three sizes of caches, and DRAM, of which this is the lower end (the upper is 2600)."""


def access_pj(bits: int, *, memory_bytes: float) -> float:
    """Reading or writing so many bits, 64 at a time, in a memory of that size."""
    per_access = next(pj for size, pj in _MEMORIES_PJ if memory_bytes <= size)
    return -(-bits // _ACCESS_BITS) * per_access
