"""A layer's folding: how much of it works in parallel.

The terms are FINN's (https://arxiv.org/abs/1612.07119, section 4.3): PE rows and SIMD columns of a weight matrix are
worked on in a cycle, of inputs with more than one bit one bit plane; so a frame takes rows/PE * planes * cols/SIMD
cycles.

Tests: tests/compiler/search/test_scheduling.py
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

Store = Literal["auto", "block", "lut", "constant"]
Engine = Literal["folded", "hardwired", "mac"]


@dataclass(frozen=True)
class Folding:
    """A layer's folding.

    Attributes
    ----------
    pe, simd
        Rows and columns a cycle; pe divides the rows, simd the columns.
    store
        Where the weights lie: block RAM, LUTs as ROM, constants, or whatever the matrix unit finds cheapest.
    pixels
        Output pixels of a convolution's row that share every weight fetch; divides the row's width.
    engine
        "folded": a matrix unit, PE x SIMD weights a cycle. "hardwired": adders that are made for the weights; all rows
        meet all columns at once, and SIMD is what the windows of a convolution give in a cycle. "mac": for integer
        weights, PE x SIMD multipliers; PE divides the rows of integers, and all bits of an input are met in a cycle.
    """

    pe: int
    simd: int
    store: Store = "auto"
    pixels: int = 1
    engine: Engine = "folded"


@cache
def divisors(number: int) -> tuple[int, ...]:
    """The divisors of a number, in order."""
    return tuple(candidate for candidate in range(1, number + 1) if number % candidate == 0)
