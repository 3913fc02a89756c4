"""What a core's units do, without their foldings: layers, and what makes an answer of the last sums.

Tests: tests/compiler/lowering/test_pipeline.py
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.ir.types import Element
from bnnhw.compiler.units.product.layer import MatrixLayer


@dataclass(frozen=True, eq=False)
class Pipeline:
    """The units' work from the core's input to its output: matrix layers, perhaps a table of scores, perhaps the label.

    Attributes
    ----------
    element
        The input's elements.
    layers
        Where one's unit has no thresholds its weights are inverted, so that a greater sum is a greater value.
    table
        (classes, entries) int64: the score of a class by the last layer's code. None where the code is the score.
    label
        Whether the arg max of the scores is the output, or the scores.
    offsets, scale
        The last layer's values are offsets + scale*codes.
    """

    element: Element
    layers: tuple[MatrixLayer, ...]
    table: NDArray[np.int64] | None
    label: bool
    offsets: NDArray[np.int64]
    scale: int

    @property
    def classes(self) -> int:
        return self.layers[-1].rows

    @property
    def weight_bits(self) -> int:
        """The weights of all layers, a bit each."""
        return sum(layer.weights.size for layer in self.layers)

    @property
    def greatest_score(self) -> int:
        """The greatest code of a score; the least is 0."""
        return int(self.layers[-1].greatest if self.table is None else self.table.max())

    @property
    def score_width(self) -> int:
        """Bits of a score, unsigned."""
        return max(1, self.greatest_score.bit_length())
