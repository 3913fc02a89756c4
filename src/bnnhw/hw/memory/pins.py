"""The pins of an SDRAM chip, and what they say to it.

Tests: tests/hw/memory/test_controller.py
"""

from enum import IntEnum

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .port import BURST
from .timing import SdramChip, SdramTiming

__all__ = ["ALL_BANKS", "SAMPLED_BURST", "Operation", "mode_of", "sdram_pins"]


class Operation(IntEnum):
    """Cat(ras, cas, we), each 1 where the pin, which is active low, is 0."""

    NOTHING = 0b000
    ACTIVATE = 0b001
    READ = 0b010
    REFRESH = 0b011
    STOP = 0b100
    PRECHARGE = 0b101
    WRITE = 0b110
    SET_MODE = 0b111


ALL_BANKS = 1 << 10
"""The address of a precharge of all banks; in that of a read or write it would be a precharge behind it."""
SAMPLED_BURST = BURST.bit_length() - 1
"""The length of bursts in the mode register: 3 for 8."""


def mode_of(timing: SdramTiming) -> int:
    """The mode register: bursts of BURST words in order, for reads and writes, and the CAS latency."""
    return timing.cas << 4 | SAMPLED_BURST


def sdram_pins(chip: SdramChip) -> wiring.Signature:
    """The pins as the controller has them, named as in amaranth-boards' resource `sdram`, none of them inverted.

    `dqm` is for all bytes. `clk_en` and `cs` are 1 for ever, and the chip's clock is the controller's.
    """
    return wiring.Signature(
        {
            "ras": Out(1),
            "cas": Out(1),
            "we": Out(1),
            "ba": Out(range(chip.banks)),
            "a": Out(max((chip.rows - 1).bit_length(), ALL_BANKS.bit_length())),
            "dqm": Out(1),
            "dq_o": Out(chip.width),
            "dq_oe": Out(1),
            "dq_i": In(chip.width),
        }
    )
