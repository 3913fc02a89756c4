"""What users of a memory speak, whatever chip it is: commands for runs of bursts, words to write, words read.

Tests: tests/hw/memory/test_controller.py
"""

from dataclasses import dataclass

from amaranth.hdl import Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream

__all__ = ["BURST", "MemoryShape"]

BURST = 8
"""Words of a burst, which the address of a command counts."""


@dataclass(frozen=True)
class MemoryShape:
    """A memory of 2^address_bits bursts of BURST words of `width` bits.

    Its port has three streams. Commands are done in order; words to write come in their order, and may be there before
    their command; words read leave in it. A read waits until its words have room, so none is lost, and a write until
    BURST words are there. So an arbiter before the port needs to remember whose commands it sent, and nothing else.
    """

    address_bits: int
    width: int

    @property
    def command_bits(self) -> int:
        """Bits of a command."""
        return 2 * self.address_bits + 1

    @property
    def signature(self) -> wiring.Signature:
        """The port, as its user has it: `command` and `w` go to the memory, `r` comes from it."""
        return wiring.Signature(
            {
                "command": Out(flat_stream(self.command_bits)),
                "w": Out(flat_stream(self.width)),
                "r": In(flat_stream(self.width)),
            }
        )

    def pack(self, *, address: int, bursts: int, write: bool) -> int:
        """A command: from burst `address` on so many, which go on at 0 behind the last; 0 bursts are nothing."""
        most = (1 << self.address_bits) - 1
        for name, value in (("address", address), ("bursts", bursts)):
            if not 0 <= value <= most:
                raise ValueError(f"{name}={value} must be from 0 to {most}")
        return address | bursts << self.address_bits | int(write) << 2 * self.address_bits

    def view(self, command: Value) -> data.View:
        """The fields of a command."""
        bits = unsigned(self.address_bits)
        return data.View(data.StructLayout({"address": bits, "bursts": bits, "write": unsigned(1)}), command)
