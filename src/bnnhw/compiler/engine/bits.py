"""Nodes of a graph that make bits of numbers.

Tests: tests/compiler/engine/test_from_graph.py
"""

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.ops import Levels, MultiThreshold, Threshold

__all__ = ["bit_thresholds", "is_code"]


def bit_thresholds(op: object, rows: int) -> NDArray[np.int64] | None:
    """Of each of so many rows the least number whose bit is 1; None of an op that makes no bits."""
    if isinstance(op, Threshold):
        return np.broadcast_to(op.thresholds, rows)
    if isinstance(op, MultiThreshold) and op.levels == 1:
        return op.thresholds[0]
    return None


def is_code(op: Levels) -> bool:
    """Whether values rise evenly with their codes, so that codes are what a product reads of them."""
    steps = np.diff(op.values)
    return bool((steps == steps[0]).all()) and int(steps[0]) > 0
