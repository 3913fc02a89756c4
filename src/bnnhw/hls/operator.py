"""Operators: a Python function on integers is the numpy reference and, written down, the program of its hardware.

Tests: tests/hls/test_operator.py
"""

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache, update_wrapper
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import OperatorError, place_of_function
from .kind import Kind
from .program import Program
from .stateless import Pointwise
from .traced import Traced

__all__ = ["Operator"]


class Operator:
    """A function with what it is given. Called with images (N, H, W, C), or one (H, W, C), of integers it is the
    reference, in int64; a pointwise one takes arrays of any shape.

    Parameters
    ----------
    parameters
        By name one integer for each channel, or one for all: the function's arguments by these names.
    """

    def __init__(self, function: Callable[..., Any], kind: Kind, parameters: Mapping[str, Any] | None = None):
        self.function = function
        self.kind = kind
        self.parameters = {name: self._parameter(name, value) for name, value in (parameters or {}).items()}
        update_wrapper(self, function)
        self._traced = lru_cache(maxsize=None)(self._trace)

    def _parameter(self, name: str, value: Any) -> NDArray[np.int64]:
        found = np.atleast_1d(np.asarray(value))
        if found.ndim != 1 or found.dtype.kind not in "iub":
            raise OperatorError(
                f"{self.name}: parameter {name} must be one integer for each channel, not {found.dtype} of shape "
                f"{found.shape}"
            )
        return found.astype(np.int64)

    def __repr__(self) -> str:
        return f"Operator({self.kind.NAME} {self.name})"

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", "operator")

    def __call__(self, *images: Any) -> NDArray[np.int64]:
        given = [np.asarray(each) for each in images]
        if wrong := next((each.dtype for each in given if each.dtype.kind not in "iub"), None):
            raise OperatorError(f"{self.name} computes with integers, not {wrong}; round x")
        if len(given) != (self.kind.streams if isinstance(self.kind, Pointwise) else 1):
            raise OperatorError(
                f"{self.name} must be given ({', '.join(self.kind.arguments)}), not {len(given)} arrays"
            )
        x = given[0]
        if isinstance(self.kind, Pointwise):
            if len({each.shape for each in given}) > 1:
                raise OperatorError(f"{self.name} takes arrays of one shape, not {[each.shape for each in given]}")
            shape = (1, 1, -1, x.shape[-1] if self.parameters else 1)
            whole = [each.reshape(shape).astype(np.int64) for each in given]
            seen = whole[0] if len(whole) == 1 else np.stack(whole)
            result = self.kind.reference(self.function, seen, self.parameters)
            return result.reshape(x.shape) if result.size == x.size else result.reshape(*x.shape[:-1], -1)
        if x.ndim not in (3, 4):
            raise OperatorError(f"{self.name} takes images (N, H, W, C), or one (H, W, C), not {x.shape}")
        whole = x if x.ndim == 4 else x[None]
        result = self.kind.reference(self.function, whole.astype(np.int64), self.parameters)
        return result if x.ndim == 4 else result[0]

    @property
    def channels(self) -> int | None:
        """What the parameters say; None where there are none, or one for all channels."""
        return max((len(value) for value in self.parameters.values() if len(value) > 1), default=None)

    def traced(self, channels: int | None = None) -> Traced:
        """What the function does, for images of so many channels. OperatorError names the line that has no hardware,
        and where the number of channels has to be given."""
        needed = self.channels if channels is None else channels
        return self._traced(needed)

    def _trace(self, channels: int | None) -> Traced:
        wanted, taken = (*self.kind.arguments, *self.parameters), len(inspect.signature(self.function).parameters)
        if taken != len(wanted):
            raise self._refused(f"must take {len(wanted)}, ({', '.join(wanted)}), and not {taken}")
        for name, value in self.parameters.items():
            if channels is not None and len(value) not in (1, channels):
                raise self._refused(f"has {len(value)} values of parameter {name} for {channels} channels")
        if channels is None and (not self.kind.per_channel or self.parameters):
            raise self._refused("must be told the number of channels, as in channels=3")
        program = self.kind.trace(self.function, channels or 1, list(self.parameters))
        values = [tuple(np.broadcast_to(value, channels or 1).tolist()) for value in self.parameters.values()]
        return Traced(self.kind, program, tuple(values))

    def _refused(self, what: str) -> OperatorError:
        return OperatorError(f"{place_of_function(self.function)}: {self.name} {what}")

    @property
    def program(self) -> Program:
        """What the function does to what it sees."""
        return self.traced().program
