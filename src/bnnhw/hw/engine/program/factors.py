"""What lanes know of a row, as words of the bus.

Tests: tests/compiler/engine/test_values.py
"""

from dataclasses import dataclass

from amaranth.hdl import signed
from amaranth.lib import data

from bnnhw.hw.engine.engine_shape import WORD
from bnnhw.hw.engine.lane_format import FACTOR_BITS, OFFSET_BITS

__all__ = ["FACTOR_WORDS", "Factor", "factor_layout"]

FACTOR_WORDS = 2
"""Words of the bus of a row."""
_FLAGS = ("doubles", "adds", "ends", "gives_bits")


@dataclass(frozen=True)
class Factor:
    """What becomes of a row's sum; see `Lane`.

    factor, offset : int
    doubles : bool
        What the channel's sums before it made is worth twice as much.
    adds : bool
        A residual is added to the value.
    ends, gives_bits : bool
        It is its channel's last row; it gives a bit, where an instruction has several `inside_tiles`. All rows of a
        group are alike in both.
    """

    factor: int = 0
    offset: int = 0
    doubles: bool = False
    adds: bool = False
    ends: bool = False
    gives_bits: bool = False

    def words(self) -> list[int]:
        """As words of the bus. Raises ValueError where a number has no room."""
        for name, value, bits in (("factor", self.factor, FACTOR_BITS), ("offset", self.offset, OFFSET_BITS)):
            if not -(1 << bits - 1) <= value < 1 << bits - 1:
                raise ValueError(f"{name}={value} of a row must fit into {bits} bits")
        whole = self.factor & (1 << FACTOR_BITS) - 1
        whole |= (self.offset & (1 << OFFSET_BITS) - 1) << FACTOR_BITS
        for place, name in enumerate(_FLAGS, start=FACTOR_BITS + OFFSET_BITS):
            whole |= int(getattr(self, name)) << place
        return [whole >> WORD * part & (1 << WORD) - 1 for part in range(FACTOR_WORDS)]


def factor_layout() -> data.StructLayout:
    """A row's words."""
    assert FACTOR_BITS + OFFSET_BITS + len(_FLAGS) == FACTOR_WORDS * WORD
    numbers = {"factor": signed(FACTOR_BITS), "offset": signed(OFFSET_BITS)}
    return data.StructLayout(numbers | dict.fromkeys(_FLAGS, 1))
