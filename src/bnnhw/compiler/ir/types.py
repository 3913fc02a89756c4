"""Element and tensor types. An element type is a set of numbers; its width in bits follows from it.

Tests: tests/compiler/ir/test_graph.py
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOAT32_EXACT = 2**24
"""Integers up to this magnitude are exact in float32."""


@dataclass(frozen=True)
class IntType:
    """The integers lo, lo + step, …, hi. Carried as the unsigned number (x - lo) / step, of `width` bits."""

    lo: int
    hi: int
    step: int = 1

    def __post_init__(self):
        if self.lo > self.hi:
            raise ValueError(f"IntType needs lo <= hi, not lo={self.lo} and hi={self.hi}")
        if self.step < 1 or (self.hi - self.lo) % self.step:
            raise ValueError(f"IntType needs steps that lead from {self.lo} to {self.hi}, not step={self.step}")

    @property
    def count(self) -> int:
        """How many numbers the type has: lo + step*k for k in [0, count)."""
        return (self.hi - self.lo) // self.step + 1

    @property
    def width(self) -> int:
        return max(1, (self.count - 1).bit_length())

    def check(self, name: str, array: NDArray[Any]) -> None:
        """Raise ValueError if an element of `array` is none of the type's numbers."""
        if array.size and not (self.lo <= int(array.min()) and int(array.max()) <= self.hi):
            raise ValueError(f"{name!r} must lie in [{self.lo}, {self.hi}], but spans [{array.min()}, {array.max()}]")
        if self.step > 1 and ((array.astype(np.int64) - self.lo) % self.step).any():
            raise ValueError(f"{name!r} must hold {self.lo} plus multiples of {self.step} only")


@dataclass(frozen=True)
class BinaryType:
    """+1 or -1. Carried as one bit: 1 is +1, 0 is -1."""

    @property
    def lo(self) -> int:
        return -1

    @property
    def hi(self) -> int:
        return 1

    @property
    def step(self) -> int:
        return 2

    @property
    def count(self) -> int:
        return 2

    @property
    def width(self) -> int:
        return 1

    def check(self, name: str, array: NDArray[Any]) -> None:
        """Raise ValueError if an element of `array` is neither -1 nor +1."""
        if not ((array == 1) | (array == -1)).all():
            raise ValueError(f"{name!r} must hold -1 and +1 only")


@dataclass(frozen=True)
class FloatType:
    """float32: values inside a trained graph; never in an integer graph."""

    def check(self, name: str, array: NDArray[Any]) -> None:
        raise TypeError(f"{name!r} is a float value and cannot be fed")


@dataclass(frozen=True)
class QuotientType(FloatType):
    """float32 values s / divisor, s an integer of `sums` and divisor a power of two, so that none is rounded."""

    sums: IntType
    divisor: int


Element = IntType | BinaryType | FloatType


@dataclass(frozen=True)
class TensorType:
    """A shape without batch axis, and what its elements are."""

    shape: tuple[int, ...]
    element: Element

    def __post_init__(self):
        if any(size < 1 for size in self.shape):
            raise ValueError(f"sizes of a shape must be at least 1, not {self.shape}")

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def __str__(self) -> str:
        match self.element:
            case IntType(lo, hi, 1):
                element = f"int[{lo}..{hi}]"
            case IntType(lo, hi, step):
                element = f"int[{lo}, {lo + step}..{hi}]"
            case BinaryType():
                element = "binary"
            case FloatType():  # of which a QuotientType is one
                element = "float32"
        return f"{element}{list(self.shape)}"


def is_exact_in_float32(tensor: TensorType) -> bool:
    """Whether no integer of this type would be rounded on its way to float32."""
    return isinstance(tensor.element, FloatType) or max(-tensor.element.lo, tensor.element.hi) <= FLOAT32_EXACT


def require_exact_in_float32(tensor: TensorType) -> None:
    """Raise ValueError if an integer of this type would be rounded on its way to float32."""
    if not is_exact_in_float32(tensor):
        raise ValueError(f"{tensor} exceeds 2^24, where float32 stops being exact; split the layer")


def quotient(element: Element, divisor: int) -> FloatType:
    """The type of `element` over `divisor`, in float32."""
    if isinstance(element, IntType) and divisor & (divisor - 1) == 0:
        return QuotientType(element, divisor)
    return FloatType()
