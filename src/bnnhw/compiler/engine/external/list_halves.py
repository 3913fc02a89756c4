"""Lists of instructions that are longer than their memories: they come from the external memory, half by half.

Tests: tests/compiler/engine/external/test_list_halves.py
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnnhw.hw.engine.program.packets import Memory
from bnnhw.hw.engine.program.transfer import Transfer

__all__ = ["ListHalves"]


@dataclass(frozen=True)
class ListHalves:
    """A list in a memory that holds two halves of it: while the one is at work, the next one comes in its other half.

    memory : Memory
        Of the list.
    burst : int
        Where all of it lies in the external memory.
    half : int
        Words of a half, whole bursts.
    each : int
        Words of an instruction.
    burst_words : int
    """

    memory: Memory
    burst: int
    half: int
    each: int
    burst_words: int

    def first(self, half: int) -> int:
        """The first instruction that has words in a half."""
        return half * self.half // self.each

    def last(self, half: int) -> int:
        """The last one."""
        return -(-(half + 1) * self.half // self.each) - 1

    def halves(self, count: int) -> int:
        """Halves of so many instructions and the end behind them."""
        return -(-(count * self.each + 1) // self.half)

    def load(self, half: int, *, behind: int) -> Transfer:
        """The transfer that brings a half."""
        bursts = self.half // self.burst_words
        return Transfer(
            stores=False,
            memory=self.memory,
            place=self.burst + half * bursts,
            bursts=bursts,
            address=half % 2 * self.half,
            behind=behind,
        )

    def whole(self, words: NDArray[np.uint32], *, halves: int = 0) -> NDArray[np.uint32]:
        """The list as whole halves, as many at least."""
        count = max(halves, -(-len(words) // self.half))
        return np.pad(words, (0, count * self.half - len(words)))
