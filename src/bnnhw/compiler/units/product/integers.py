"""The integer weights of a layer, whose planes of +-1 a matrix unit has: what multipliers make of them.

Tests: tests/test_mac_in_hardware.py
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.units.step import Step
from bnnhw.hw.mac.shape import MacShape, weight_bits
from bnnhw.hw.targets import Target

from .folding import Folding


@dataclass(frozen=True, eq=False, kw_only=True)
class Integers:
    """With multipliers the code of a row's sum is biases + weights @ codes of the inputs; behind planes of weights it
    takes a step that combines them.

    Attributes
    ----------
    weights
        (rows, cols) int64: the layer's, times the step of the inputs.
    biases
        (rows,) int64.
    greatest
        Of the codes; the least is 0.
    behind_planes, behind_sums
        What stands behind a matrix unit, or multipliers, before the layer's other steps.
    """

    weights: NDArray[np.int64]
    biases: NDArray[np.int64]
    greatest: int
    behind_planes: tuple[Step, ...]
    behind_sums: tuple[Step, ...]

    @property
    def rows(self) -> int:
        return self.weights.shape[0]

    def at_clock(self, clock_hz: float) -> "Integers":
        """The same with its steps for a clock."""
        planes, sums = (tuple(s.at_clock(clock_hz) for s in steps) for steps in (self.behind_planes, self.behind_sums))
        return replace(self, behind_planes=planes, behind_sums=sums)

    def shape(self, folding: Folding, *, vectors: int, planes: int, groups: int, target: Target) -> MacShape:
        """The sizes of the multipliers' unit. Raises ValueError for an illegal folding."""
        return MacShape(
            rows=self.rows,
            cols=self.weights.shape[1],
            pe=folding.pe,
            simd=folding.simd,
            vectors=vectors,
            planes=planes,
            row_groups=groups,
            weight_bits=weight_bits(self.weights),
            sum_bits=max(1, self.greatest.bit_length()),
            store=folding.store,
            target=target,
        )
