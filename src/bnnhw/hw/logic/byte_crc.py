"""CRC-32, one byte a cycle."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["ByteCrc32"]


class ByteCrc32(wiring.Component):
    """The CRC of Ethernet, RFC 1662's FCS-32 and `zlib.crc32`, one byte a cycle.

    After the bytes of a message

        crc ^ 0xFFFFFFFF == zlib.crc32(message)

    and after the four bytes of that value too (lowest first), `good`. Fed with its own lowest byte, `crc` is a plain
    shift register.

    Members
    -------
    clear : In(1)
        Begins a message; wins over `enable`.
    enable : In(1)
        Takes `byte`.
    byte : In(8)
    crc : Out(32)
    good : Out(1)
        The message so far ends with its own CRC.
    """

    POLYNOMIAL = 0xEDB88320  # 0x04C11DB7, reflected
    RESIDUE = 0xDEBB20E3

    clear: Signal
    enable: Signal
    byte: Signal
    crc: Signal
    good: Signal

    def __init__(self):
        super().__init__(
            {"clear": In(1), "enable": In(1), "byte": In(8), "crc": Out(32, init=0xFFFFFFFF), "good": Out(1)}
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        feedback = Signal(8)
        m.d.comb += [feedback.eq(self.crc[:8] ^ self.byte), self.good.eq(self.crc == self.RESIDUE)]
        with m.If(self.clear):
            m.d.sync += self.crc.eq(0xFFFFFFFF)
        with m.Elif(self.enable):
            m.d.sync += self.crc.eq(Cat(self._following(feedback, bit) for bit in range(32)))
        return m

    def _following(self, feedback: Signal, bit: int) -> Value:
        """The bit as it is a byte later: all is linear, so each bit of `feedback` adds what it adds alone."""
        summands = [feedback[place] for place in range(8) if self._alone(place) >> bit & 1]
        return Cat(summands, self.crc[bit + 8] if bit < 24 else ()).xor()

    def _alone(self, place: int) -> int:
        value = 1 << place
        for _ in range(8):
            value = value >> 1 ^ (self.POLYNOMIAL if value & 1 else 0)
        return value
