"""What lanes make of a layer's sums: values of fixed point, with those of an earlier layer added.

Tests: tests/compiler/engine/test_values.py
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .lines import Line

__all__ = ["LayerValues", "Residual", "ValueMap"]


@dataclass(frozen=True)
class ValueMap:
    """Values of `bits` bits that stay in the engine: of an image (lines, columns, channels)."""

    name: str
    shape: tuple[int, int, int]
    bits: int


@dataclass(frozen=True)
class Residual:
    """Values that are added to a layer's own: every `stride`-th pixel of a map, its channels from number `first` on."""

    map: ValueMap
    stride: tuple[int, int] = (1, 1)
    first: int = 0


@dataclass(frozen=True, eq=False)
class LayerValues:
    """value = clip(line(dot product) + residual).

    Attributes
    ----------
    line : Line
    map : ValueMap
        What it makes.
    keeps : bool
        Whether the values are written; else only their bits are.
    residual : Residual, optional
    thresholds : (rows,) int64, optional
        A value gives the bit 1 where it is at least this. None: it writes no bits.
    falls : (rows,) bool, optional
        Rows of which it gives the bit 1 where it is less.
    """

    line: Line
    map: ValueMap
    keeps: bool = True
    residual: Residual | None = None
    thresholds: NDArray[np.int64] | None = None
    falls: NDArray[np.bool_] | None = None

    @property
    def replaces(self) -> bool:
        """Whether each value of the residual meets the one that may take its place."""
        residual = self.residual
        return residual is not None and residual.stride == (1, 1) and residual.map.shape == self.map.shape
