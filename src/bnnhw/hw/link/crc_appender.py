"""CrcAppender: frames with their CRC behind them.

Tests: tests/hw/test_top.py
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.crc import Crc32
from bnnhw.hw.protocol import CRC_BYTES
from bnnhw.hw.stream.buffer import flat_stream

__all__ = ["CrcAppender"]


class CrcAppender(wiring.Component):
    """Hands the bytes of a frame on, and then the four of their CRC. A byte takes at least 8 / step + 3 cycles.

    Parameters
    ----------
    step : int
        Bits of the CRC a cycle: 1, 2, 4 or 8.

    Members
    -------
    i : In(stream of unsigned(9))
        Cat(byte, whether it is the last one of its frame).
    o : Out(stream of unsigned(9))
        The same, to Framer.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, step: int):
        self.step = step
        super().__init__({"i": In(flat_stream(9)), "o": Out(flat_stream(9))})

    def elaborate(self, platform) -> Module:
        m = Module()
        step = self.step
        m.submodules.crc = crc = Crc32(width=step)
        byte, shifting = Signal(8), Signal()  # turned around once, step by step
        steps_left = Signal(range(8 // step))  # but one
        appending, index, final = Signal(), Signal(range(CRC_BYTES)), Signal()
        m.d.comb += [
            # The CRC register, fed with its own lowest bits, is a plain shift register.
            crc.bits.eq(Mux(appending, crc.crc[:step], byte[:step])),
            crc.enable.eq(shifting),
            self.o.payload.eq(Cat(byte, final)),
        ]
        m.d.sync += final.eq(appending & (index == CRC_BYTES - 1))
        with m.If(shifting):
            m.d.sync += [byte.eq(byte.rotate_right(step)), steps_left.eq(steps_left - 1), shifting.eq(steps_left != 0)]

        def shift(value) -> None:
            m.d.sync += [byte.eq(value), steps_left.eq(8 // step - 1), shifting.eq(1)]
            m.next = "SHIFT"

        with m.FSM():
            with m.State("TAKE"), m.If(self.i.valid):
                shift(self.i.payload[:8])
            with m.State("APPEND"):
                m.d.sync += appending.eq(1)
                shift(~crc.crc[:8])
            with m.State("SHIFT"), m.If(~shifting):
                m.next = "OFFER"
            with m.State("OFFER"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.d.comb += self.i.ready.eq(~appending)
                    m.d.sync += index.eq(index + appending)
                    m.next = "TAKE"
                    with m.If(appending | self.i.payload[8]):
                        m.next = "APPEND"
                    with m.If(final):
                        m.next = "CLEAR"
            with m.State("CLEAR"):
                m.d.comb += crc.clear.eq(1)
                m.d.sync += appending.eq(0)
                m.next = "TAKE"
        return m
