"""Tables of integers.

Tests: tests/hls/test_operator.py
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Values, each
from .errors import OperatorError, place_of_call
from .value import Value

__all__ = ["Table"]


class Table:
    """A table of integers, indexed by arrays or by values of an operator, which makes it a ROM."""

    def __init__(self, entries: Any):
        self.entries: NDArray[np.int64] = np.asarray(entries)
        if self.entries.ndim != 1 or self.entries.dtype.kind not in "iu" or not len(self.entries):
            raise OperatorError(
                f"{place_of_call()}: a table must be one axis of integers, not {self.entries.dtype} of shape "
                f"{self.entries.shape}; round and flatten it"
            )
        self.entries = self.entries.astype(np.int64)

    def __getitem__(self, index: Any) -> Any:
        if index.boolean if isinstance(index, Value) else np.asarray(index).dtype == bool:
            raise OperatorError(f"{place_of_call()}: a condition is no index of a table; write np.where(c, a, b)")
        if isinstance(index, Values):
            return each(self.__getitem__, index)
        if isinstance(index, Value):
            return index.tape.add("table", index, attribute=tuple(self.entries.tolist()))
        return self.entries[index]
