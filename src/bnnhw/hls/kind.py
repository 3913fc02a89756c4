"""A kind of operator: what its function is given of an image, and what becomes of its results.

An image is (N, H, W, C).

Tests: tests/hls/test_kinds.py
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .errors import OperatorError
from .intervals import Span
from .program import Program
from .value import Tape, Value

__all__ = ["Kind", "Parameters", "Shape", "flat_values", "results_of"]

Shape = tuple[int, int, int]
"""Height, width, channels."""
Parameters = tuple[tuple[int, ...], ...]
"""Of each parameter its value for each channel."""


class Kind(ABC):
    """Data without the function."""

    NAME: ClassVar[str]

    per_channel = True
    """Whether each channel is computed by itself, by the same function."""

    @property
    @abstractmethod
    def arguments(self) -> tuple[str, ...]:
        """What a function is given, but for its parameters."""

    @abstractmethod
    def reference(
        self, function: Callable[..., Any], images: NDArray[np.int64], parameters: Mapping[str, Any]
    ) -> NDArray[np.int64]:
        """What the function makes of images, in numpy."""

    @abstractmethod
    def trace(self, function: Callable[..., Any], channels: int, parameters: Sequence[str]) -> Program:
        """What the function does, in an image of so many channels, written down once."""

    @abstractmethod
    def run(self, program: Program, images: NDArray[np.int64], parameters: Parameters) -> NDArray[np.int64]:
        """What that makes of images."""

    @abstractmethod
    def shape(self, shape: Shape, program: Program) -> Shape:
        """Of the result for an image of this shape. OperatorError where there is none."""

    @abstractmethod
    def range(self, program: Program, span: Span, step: int, shape: Shape, parameters: Parameters) -> Span:
        """What results can be for integers lo + step*n of this range in an image of this shape."""

    @abstractmethod
    def parameters(self, program: Program) -> int:
        """How many of a program's inputs are parameters; negative where the program does not fit."""

    def channels(self, program: Program) -> int | None:
        """Of an image that the program is for; None where it is for any number."""
        return None


def results_of(returned: Any, axes: int) -> list[Any]:
    """A function's results, each an array of the pixels' axes, or one integer for all of them."""
    found = list(returned) if isinstance(returned, tuple | list) else [returned]
    if len(found) == 1 and axes_of(returned) == axes + 1:
        found = list(returned)
    for each in found:
        if axes_of(each) not in (0, axes):
            raise OperatorError(
                f"what is returned has {axes_of(each)} axes, where the pixels have {axes}, the last ones of what comes "
                "in: return these, a tuple of such, or an array with one axis in front; name the axis of reductions"
            )
    return found


def flat_values(tape: Tape, results: list[Any]) -> list[Value]:
    """The results of a function that was given one pixel, as values."""
    flat = []
    for each in results:
        if isinstance(each, np.ndarray) and each.size != 1:
            raise OperatorError(f"what is returned has {each.size} values for a pixel where it must have one")
        flat.append(tape.value(np.asarray(each, object).item() if isinstance(each, np.ndarray) else each))
    return flat


def axes_of(array: Any) -> int:
    """How many axes it has; a value or an integer has none."""
    return 0 if isinstance(array, Value) else np.ndim(array)
