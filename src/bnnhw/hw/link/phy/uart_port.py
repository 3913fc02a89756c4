"""UartPort: a link's bytes on a UART.

Tests: tests/hw/test_top.py
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream

from .uart import FRAME_BITS, UartReceiver, UartTransmitter, baud_rate

__all__ = ["UartPort"]


class UartPort(wiring.Component):
    """A `bnnhw.hw.top.LinkPort`.

    Parameters
    ----------
    clock_hz : int
        Of the clock domain `sync`, exactly: the baud rate is derived from it.
    baud : int
        Bits per second, at most clock_hz / 4.

    Members
    -------
    rx : In(1)
        The line in, asynchronous to the clock.
    tx : Out(1)
    received : Out(stream of unsigned(8))
        Each byte is offered for one cycle.
    damaged : Out(1)
        A stop bit was low; high for one cycle.
    sent : In(stream of unsigned(8))
    """

    rx: Signal
    tx: Signal
    received: stream.Interface
    damaged: Signal
    sent: stream.Interface
    queue_bytes = 0

    def __init__(self, *, clock_hz: int, baud: int):
        self.clock_hz = clock_hz
        self.rate = baud_rate(clock_hz=clock_hz, baud=baud)
        super().__init__(
            {
                "rx": In(1, init=1),
                "tx": Out(1, init=1),
                "received": Out(flat_stream(8)),
                "damaged": Out(1),
                "sent": In(flat_stream(8)),
            }
        )

    @property
    def byte_cycles(self) -> float:
        """Cycles from a byte to the next one."""
        return FRAME_BITS * self.clock_hz / self.rate.baud

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.receiver = receiver = UartReceiver(rate=self.rate)
        m.submodules.transmitter = transmitter = UartTransmitter(rate=self.rate)
        wiring.connect(m, wiring.flipped(self.sent), transmitter.i)
        m.d.comb += [
            receiver.rx.eq(self.rx),
            self.received.payload.eq(receiver.data),
            self.received.valid.eq(receiver.valid),
            self.damaged.eq(receiver.framing_error),
            self.tx.eq(transmitter.tx),
        ]
        return m
