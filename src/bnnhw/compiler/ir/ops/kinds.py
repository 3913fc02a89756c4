"""Kinds of operators: what a pass may do with one that it does not know by name.

Tests: tests/compiler/passes/test_integerize.py
"""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.types import FloatType, TensorType, require_exact_in_float32

from .base import Op
from .reachable import Reachable


class Elementwise(Op):
    """A float32 function of each element, or of each element and its channel: x (N, …, C) -> (N, …, C).

    `MONOTONE` says that in each channel it never falls or never rises, roundings included, and that it is NaN nowhere
    between two values for which it is not.
    """

    MONOTONE: ClassVar[bool] = False

    @property
    def alike(self) -> bool:
        """Whether it is the same function in all channels: whether none of its fields has an element for each."""
        return all(value.size == 1 for value in vars(self).values() if isinstance(value, np.ndarray))

    def of_channels(self, channels: NDArray[np.int64]) -> Self:
        """What it is on these of its channels, in this order."""
        arrays = {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray) and value.size > 1}
        return replace(self, **{name: array[channels] for name, array in arrays.items()})  # pyright: ignore[reportArgumentType] ops are dataclasses

    @property
    def divides_by(self) -> int | None:
        """d where it is the division by d and nothing else, 1 where it makes floats of integers and does nothing."""
        return None

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        require_exact_in_float32(x)
        self.check_channels(x.shape[-1] if x.shape else 1)
        return TensorType(x.shape, FloatType())

    def check_channels(self, channels: int) -> None:
        """Raise ValueError if the op's parameters do not fit that many channels."""


class Activation(Op):
    """Few bits of each float: how many of its levels the input reaches.

    Behind integers it becomes thresholds, of each channel and level.
    """

    DEFINED_FOR_NAN: ClassVar[bool] = False
    """Whether NaN, too, has a result."""

    @property
    def alike(self) -> bool:
        """Whether it is the same function in all channels."""
        return True

    def of_channels(self, channels: NDArray[np.int64]) -> "Activation":
        """What it is on these of its channels, in this order."""
        return self

    @property
    @abstractmethod
    def levels(self) -> int:
        """How many results there are but the least."""

    @abstractmethod
    def reached(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """Which levels x (N, channels) reaches: (levels, N, channels)."""

    @abstractmethod
    def thresholded(self, thresholds: NDArray[np.int64], channels: int) -> Op:
        """The integer op that reaches each level where its input is at least that level's threshold.

        thresholds: (levels, channels), or (levels, 1) where they are the same in all channels.
        """


class Selection(Op):
    """Picks its outputs from the inputs of their channel by their order."""

    @abstractmethod
    def inverted(self, channels: NDArray[np.bool_]) -> Self:
        """The selection that is to the negated values of these channels what this one is to the values."""


class Rearrangement(Op):
    """Gives each element of its inputs another place: a function of each may come before it as well as behind it."""

    INTEGER = True
    HOMOGENEOUS = True

    def channels_behind(self, *shapes: tuple[int, ...]) -> tuple[NDArray[np.int64], ...] | None:
        """For inputs of these shapes, the output channel that each of their channels goes to, whatever the pixel;
        None where a channel goes to several."""
        return None


class Sum(Op):
    """Adds its inputs, element by element; so the negated inputs of a channel make its negated sums."""

    INTEGER = True
    HOMOGENEOUS = True

    @abstractmethod
    def reachable(self, *inputs: Reachable) -> Reachable:
        """What each channel can reach where its inputs can reach these."""


@dataclass(frozen=True)
class Separated:
    """op(x / d) = floats(exact(x)), with one rounding after the other in `floats` and none in `exact`."""

    exact: Op
    floats: tuple[Elementwise, ...]


class Separable(Op):
    """A trained op that is exact on integers but for the float arithmetic behind its sums."""

    def takes(self, x: TensorType, divisor: int) -> bool:
        """Whether it has both parts for integers x over `divisor`, rounded to float32 where that is no power of two."""
        return divisor.bit_count() == 1

    @abstractmethod
    def separated(self, x: TensorType, divisor: int) -> Separated:
        """Both parts, for integers x over a `divisor` that it takes."""
