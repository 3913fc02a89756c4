"""What a core's units do, without their foldings: layers, and what makes an answer of the last sums.

Tests: tests/compiler/lowering/test_pipeline.py
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.types import Element
from bnnhw.compiler.units.block import Block
from bnnhw.compiler.units.product.layer import MatrixLayer


@dataclass(frozen=True, eq=False)
class Pipeline:
    """The units' work from the core's input to its output: matrix layers, perhaps a table of scores, perhaps the label.

    Attributes
    ----------
    element
        The input's elements.
    blocks
        In an order in which each reads the core's input or blocks before it; the last one makes the scores. Where the
        unit of a layer has no thresholds its weights are inverted, so that a greater sum is a greater value.
    table
        (classes, entries) int64: the score of a class by the last layer's code. None where the code is the score.
    label
        Whether the arg max of the scores is the output, or the scores.
    offsets, scale
        The last layer's values are offsets + scale*codes.
    """

    element: Element
    blocks: tuple[Block, ...]
    table: NDArray[np.int64] | None
    label: bool
    offsets: NDArray[np.int64]
    scale: int

    @cached_property
    def layers(self) -> tuple[MatrixLayer, ...]:
        """The blocks that are products."""
        return tuple(block for block in self.blocks if isinstance(block, MatrixLayer))

    @property
    def is_chain(self) -> bool:
        """Whether each block reads the one before alone."""
        values = [self.blocks[0].inputs[0], *(block.output for block in self.blocks)]
        return all(block.inputs == (value,) for block, value in zip(self.blocks, values, strict=False))

    @property
    def input(self) -> str:
        """The graph's name of the core's input."""
        return self.blocks[0].inputs[0]

    def up_to(self, value: str) -> "Pipeline":
        """The blocks that it takes to make one of their values, which is the output."""
        wanted, kept = {value}, []
        for block in reversed(self.blocks):
            if block.output in wanted:
                wanted |= set(block.inputs)
                kept.append(block)
        return replace(self, blocks=tuple(reversed(kept)), table=None, label=False)

    def check_vectors(self, vectors: int) -> None:
        """Raise ScheduleError where the layers cannot work on so many frames in lockstep."""
        if vectors > 1 and any(layer.windows for layer in self.layers):
            raise ScheduleError(
                f"vectors={vectors} must be 1 where there are convolutions; give their foldings several pixels instead"
            )

    @property
    def classes(self) -> int:
        return self.blocks[-1].codes.channels

    @property
    def weight_bits(self) -> int:
        """The weights of all layers, a bit each."""
        return sum(layer.weights.size for layer in self.layers)

    @property
    def greatest_score(self) -> int:
        """The greatest code of a score; the least is 0."""
        return int(self.blocks[-1].codes.greatest if self.table is None else self.table.max())

    @property
    def score_width(self) -> int:
        """Bits of a score, unsigned."""
        return max(1, self.greatest_score.bit_length())
