"""What an operator is: a frozen dataclass of static fields, a type rule and a numpy definition.

Tests: tests/compiler/passes/test_integerize.py
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.types import FloatType, TensorType, require_exact_in_float32

from .stored import Stored


class Op(Stored, ABC):
    """An operator of the IR. Arrays in its fields are read-only by convention; validation is in `__post_init__`."""

    @abstractmethod
    def infer(self, *inputs: TensorType) -> TensorType:
        """The output's type. Raises ValueError or TypeError where the inputs do not fit."""

    @abstractmethod
    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The output for batched inputs (N, *shape), in plain numpy (floats: torch's own functions)."""


class Elementwise(Op):
    """A float32 function of each element, or of each element and its channel: x (N, …, C) -> (N, …, C).

    `MONOTONE` says that in each channel it never falls or never rises, roundings included, and that it is NaN nowhere
    between two values for which it is not.
    """

    MONOTONE: ClassVar[bool] = False

    def infer(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        require_exact_in_float32(x)
        self.check_channels(x.shape[-1] if x.shape else 1)
        return TensorType(x.shape, FloatType())

    def check_channels(self, channels: int) -> None:
        """Raise ValueError if the op's parameters do not fit that many channels."""


def as_float32(x: NDArray[Any]) -> NDArray[np.float32]:
    """Integers below 2^24 as float32, exactly; float32 as it is."""
    return x.astype(np.float32, copy=False)
