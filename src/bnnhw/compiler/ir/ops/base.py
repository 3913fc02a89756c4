"""What an operator is: a frozen dataclass of static fields, a type rule and a numpy definition.

Tests: tests/compiler/passes/test_integerize.py
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.types import FloatType, TensorType, require_exact_in_float32

from .reachable import Reachable


class Op(ABC):
    """An operator of the IR. Arrays in its fields are read-only by convention; validation is in `__post_init__`.

    The passes know no operator by its name. What they may do with one, it says itself: by its kind (`Elementwise`, and
    those of kinds.py), and by the class attributes and methods behind `reference`, whose defaults allow nothing.
    """

    INTEGER: ClassVar[bool] = False
    """Whether it makes integers of integers, exactly: an op of integer graphs. Where it stands in a trained graph, it
    does the same to float32 values that are integers."""
    HOMOGENEOUS: ClassVar[bool] = False
    """Whether op(x / d) = op(x) / d for each d > 0, exactly: a division before it may come behind it."""
    RISING: ClassVar[bool] = False
    """Whether it is an integer function of each element, or of each and its channel, that never falls."""
    STREAMS_THROUGH: ClassVar[bool] = False
    """Whether its output has the elements of its input in the same order, and so costs nothing in a stream."""
    OBSTACLE: ClassVar[str] = ""
    """Why it has no integer form where a pass leaves it, and what to do; what a FoldError says of the layer."""

    @abstractmethod
    def infer(self, *inputs: TensorType) -> TensorType:
        """The output's type. Raises ValueError or TypeError where the inputs do not fit."""

    @abstractmethod
    def reference(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The output for batched inputs (N, *shape), in plain numpy (floats: torch's own functions)."""

    def is_identity(self, x: TensorType) -> bool:
        """Whether the output is the input, for inputs of this type."""
        return False

    def moves_values(self, x: TensorType) -> bool:
        """Whether each output is an input of its own channel, picked by place or by order: for inputs of this type."""
        return False

    def pooled(self, reachable: Reachable, x: TensorType) -> Reachable | None:
        """What the channels can reach behind it where inputs of this type can reach `reachable`; None where channels
        do not stay what they are."""
        return reachable if self.moves_values(x) else None


class Elementwise(Op):
    """A float32 function of each element, or of each element and its channel: x (N, …, C) -> (N, …, C).

    `MONOTONE` says that in each channel it never falls or never rises, roundings included, and that it is NaN nowhere
    between two values for which it is not.
    """

    MONOTONE: ClassVar[bool] = False

    @property
    def alike(self) -> bool:
        """Whether it is the same function in all channels."""
        return True

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


def as_float32(x: NDArray[Any]) -> NDArray[np.float32]:
    """Integers below 2^24 as float32, exactly; float32 as it is."""
    return x.astype(np.float32, copy=False)


def parameter(name: str, array: NDArray[Any]) -> NDArray[np.float32]:
    """A float32 vector from a model file, checked: one axis, float32, finite."""
    array = np.asarray(array)
    if array.dtype != np.float32 or array.ndim != 1:
        raise ValueError(f"{name} must be a float32 vector, not {array.dtype} of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, but element {int(np.argmin(np.isfinite(array)))} is NaN or infinite")
    return array


def check_length(name: str, array: NDArray[Any] | None, *lengths: int) -> None:
    """Raise ValueError unless `array` is None or as long as one of `lengths`."""
    if array is not None and len(array) not in lengths:
        raise ValueError(f"{name} must have {' or '.join(map(str, sorted(set(lengths))))} elements, not {len(array)}")
