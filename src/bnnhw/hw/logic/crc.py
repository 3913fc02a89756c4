"""CRC-32, some bits a cycle."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Crc32"]


class Crc32(wiring.Component):
    """The CRC of RFC 1662's FCS-32, Ethernet and `zlib.crc32`.

    After the bits of a message, lowest of each byte first,

        crc ^ 0xFFFFFFFF == zlib.crc32(message)

    and after the four bytes of that value too (lowest first), `good`. Fed with its own lowest bits, `crc` is a plain
    shift register.

    Parameters
    ----------
    width : int
        Bits a cycle, at most 32.

    Members
    -------
    clear : In(1)
        Begins a message; wins over `enable`.
    enable : In(1)
        Takes `bits`, the lowest one first.
    bits : In(width)
    crc : Out(32)
    good : Out(1)
        The message so far ends with its own CRC.
    """

    POLYNOMIAL = 0xEDB88320  # 0x04C11DB7, reflected
    RESIDUE = 0xDEBB20E3

    clear: Signal
    enable: Signal
    bits: Signal
    crc: Signal
    good: Signal

    def __init__(self, *, width: int):
        self.width = width
        super().__init__(
            {
                "clear": In(1),
                "enable": In(1),
                "bits": In(width),
                "crc": Out(32, init=0xFFFFFFFF),
                "good": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        feedback = Signal(self.width)
        m.d.comb += [feedback.eq(self.crc[: self.width] ^ self.bits), self.good.eq(self.crc == self.RESIDUE)]
        with m.If(self.clear):
            m.d.sync += self.crc.eq(0xFFFFFFFF)
        with m.Elif(self.enable):
            m.d.sync += self.crc.eq(Cat(self._following(feedback, bit) for bit in range(32)))
        return m

    def _following(self, feedback: Signal, bit: int) -> Value:
        """The bit as it is a cycle later: all is linear, so each bit of `feedback` adds what it adds alone."""
        summands = [feedback[place] for place in range(self.width) if self._alone(place) >> bit & 1]
        return Cat(summands, self.crc[bit + self.width] if bit < 32 - self.width else ()).xor()

    def _alone(self, place: int) -> int:
        value = 1 << place
        for _ in range(self.width):
            value = value >> 1 ^ (self.POLYNOMIAL if value & 1 else 0)
        return value
