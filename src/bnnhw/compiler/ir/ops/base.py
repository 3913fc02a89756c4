"""What an operator is: a frozen dataclass of static fields, a type rule and a numpy definition.

Tests: tests/compiler/passes/test_integerize.py
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.types import TensorType

from .reachable import Reachable
from .stored import Stored


class Op(Stored, ABC):
    """An operator of the IR. Arrays in its fields are read-only by convention; validation is in `__post_init__`.

    The passes know no operator by its name. What they may do with one, it says itself: by its kind (`Elementwise`, and
    those of kinds.py), and by the class attributes and methods behind `reference`, whose defaults allow nothing.
    """

    ARITY: ClassVar[int | None] = 1
    """How many values it reads; None for two or more."""
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

    @property
    def title(self) -> str:
        """What tables call it."""
        return type(self).__name__

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


def as_float32(x: NDArray[Any]) -> NDArray[np.float32]:
    """Integers below 2^24 as float32, exactly; float32 as it is."""
    return x.astype(np.float32, copy=False)
