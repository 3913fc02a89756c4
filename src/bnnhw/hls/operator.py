"""Operators: a Python function on integers is the numpy reference and, written down, the program of its hardware.

Tests: tests/hls/test_operator.py
"""

import inspect
from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import OperatorError, naming_the_line
from .program import Program
from .value import Table, Tape

__all__ = ["Pointwise", "pointwise", "table"]


class Pointwise:
    """y = f(x) of each element by itself. Called with integers it is the reference: f in int64."""

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        update_wrapper(self, function)

    def __call__(self, x: Any) -> NDArray[np.int64]:
        x = np.asarray(x)
        if x.dtype.kind not in "iub":
            raise OperatorError(f"{self.name} computes with integers, not {x.dtype}; round x")
        return np.broadcast_to(np.asarray(self.function(x.astype(np.int64)), np.int64), x.shape)

    def __repr__(self) -> str:
        return f"Pointwise({self.name})"

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", "operator")

    @cached_property
    def program(self) -> Program:
        """What the function does to one element. OperatorError names the line that has no hardware."""
        parameters = len(inspect.signature(self.function).parameters)
        if parameters != 1:
            raise OperatorError(f"{self.name} must take one value, x, not {parameters}")
        tape = Tape()
        x = tape.add("input", attribute=0)
        with naming_the_line():
            return tape.program(tape.value(self.function(x)))


def pointwise(function: Callable[..., Any]) -> Pointwise:
    """The decorator of a function of one integer, in numpy's terms.

    >>> @pointwise
    ... def leaky_relu(x):
    ...     return np.where(x >= 0, x, x >> 3)
    >>> leaky_relu([-16, 5]).tolist()
    [-2, 5]
    """
    return Pointwise(function)


def table(entries: Any) -> Table:
    """A table of integers, which arrays and values of an operator index.

    >>> squares = table([0, 1, 4, 9])
    >>> squares[np.array([3, 1])].tolist()
    [9, 1]
    """
    return Table(entries)
