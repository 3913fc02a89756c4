"""What a core's work consists of: blocks, each of which makes one value of the graph.

Tests: tests/compiler/lowering/test_pipeline.py
"""

from dataclasses import dataclass, replace
from typing import Self

from .codes import Codes
from .step import Step


@dataclass(frozen=True, eq=False, kw_only=True)
class Block:
    """Values come in, and steps stand behind what is made of them.

    Attributes
    ----------
    inputs, output
        The graph's names of the values.
    behind
        What becomes of the block's own results, in order.
    output_shape, codes
        The output's shape, and what it is carried as.
    """

    name: str
    inputs: tuple[str, ...]
    behind: tuple[Step, ...]
    output: str
    output_shape: tuple[int, ...]
    codes: Codes

    def at_clock(self, clock_hz: float) -> Self:
        """The block with its steps for a clock."""
        return replace(self, behind=tuple(step.at_clock(clock_hz) for step in self.behind))
