"""UART receiver and transmitter: 8 data bits, no parity, 1 stop bit (8N1), the line idle high, bit 0 first."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream

__all__ = ["BaudRate", "UartReceiver", "UartTransmitter", "baud_rate"]

MIN_CYCLES_PER_BIT = 4
BAUD_TOLERANCE = 1e-3  # the two ends of a link together may be 5 % apart
FRAME_BITS = 10  # start, 8 data, stop


@dataclass(frozen=True)
class BaudRate:
    """An accumulator of `bits` bits that grows by `step` each cycle overflows `baud` times a second."""

    clock_hz: int
    step: int
    bits: int

    @property
    def baud(self) -> float:
        """The rate in bits per second that the accumulator really makes."""
        return self.clock_hz * self.step / 2**self.bits


def baud_rate(*, clock_hz: int, baud: int) -> BaudRate:
    """The narrowest accumulator whose rate is within 0.1 % of `baud`.

    Raises
    ------
    ValueError
        When a bit would last less than 4 cycles.
    """
    if not 0 < baud * MIN_CYCLES_PER_BIT <= clock_hz:
        raise ValueError(
            f"baud={baud} must be positive and at most clock_hz / {MIN_CYCLES_PER_BIT} = "
            f"{clock_hz // MIN_CYCLES_PER_BIT}"
        )
    bits = 1
    while True:
        rate = BaudRate(clock_hz, round((baud << bits) / clock_hz), bits)
        if rate.step and abs(rate.baud / baud - 1) <= BAUD_TOLERANCE:
            return rate
        bits += 1


class UartReceiver(wiring.Component):
    """Receives bytes, which nothing can hold up.

    The line passes a synchroniser and a majority of three samples. A falling edge starts a byte and the accumulator;
    each bit is sampled in its middle. After a framing error the line must return to idle.

    Parameters
    ----------
    rate : BaudRate

    Members
    -------
    rx : In(1)
        The line, asynchronous to the clock.
    data : Out(8)
        The byte, from the cycle of `valid` until the first sample of the next byte.
    valid : Out(1)
        High for one cycle for each byte received whole.
    framing_error : Out(1)
        High for one cycle where a stop bit was low.
    """

    rx: Signal
    data: Signal
    valid: Signal
    framing_error: Signal

    def __init__(self, *, rate: BaudRate):
        self.rate = rate
        super().__init__(
            {"rx": In(1, init=1), "data": Out(8), "valid": Out(1), "framing_error": Out(1)},
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        synchronous = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx, synchronous, init=1)
        last = Signal(init=1)
        last_but_one = Signal(init=1)
        line = Signal(init=1)
        m.d.sync += [
            last.eq(synchronous),
            last_but_one.eq(last),
            line.eq((synchronous & last) | (synchronous & last_but_one) | (last & last_but_one)),
            self.valid.eq(0),
            self.framing_error.eq(0),
        ]

        phase = Signal(self.rate.bits + 1)
        middle = phase[-1]  # of a bit: the overflow of the other bits
        bits_left = Signal(range(FRAME_BITS))
        m.d.sync += phase.eq((phase & ~(1 << self.rate.bits)) + self.rate.step)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [
                    phase.eq((1 << self.rate.bits - 1) + self.rate.step * 3 // 2),  # the edge lies half a cycle back
                    bits_left.eq(FRAME_BITS - 1),
                ]
                with m.If(~line):
                    m.next = "BYTE"
            with m.State("BYTE"), m.If(middle):
                m.d.sync += bits_left.eq(bits_left - 1)
                with m.If(bits_left == 0):
                    m.d.sync += [self.valid.eq(line), self.framing_error.eq(~line)]
                    m.next = "RECOVER"
                    with m.If(line):
                        m.next = "IDLE"
                with m.Elif(bits_left != FRAME_BITS - 1):
                    m.d.sync += self.data.eq(Cat(self.data[1:], line))
                with m.Elif(line):  # a glitch, no start bit
                    m.next = "IDLE"
            with m.State("RECOVER"), m.If(line):
                m.next = "IDLE"
        return m


class UartTransmitter(wiring.Component):
    """Sends the bytes of `i`. A byte lasts 10 bits, to the next whole cycle; bytes follow each other without a pause.

    One byte waits while another is sent.

    Parameters
    ----------
    rate : BaudRate

    Members
    -------
    i : In(stream of unsigned(8))
    tx : Out(1)
        The line, from a register.
    """

    i: stream.Interface
    tx: Signal

    def __init__(self, *, rate: BaudRate):
        self.rate = rate
        super().__init__({"i": In(flat_stream(8)), "tx": Out(1, init=1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        phase = Signal(self.rate.bits + 1)
        bit_ends = phase[-1]  # the overflow of the other bits
        shifter = Signal(FRAME_BITS - 1, init=0x1FF)
        bits_left = Signal(range(FRAME_BITS + 1))
        idle, last = Signal(init=1), Signal()
        waiting = Signal()
        following = Signal(8)
        m.d.sync += [
            phase.eq((phase & ~(1 << self.rate.bits)) + self.rate.step),
            self.tx.eq(shifter[0]),
            last.eq(bits_left == 1),
        ]
        m.d.comb += self.i.ready.eq(~waiting)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [following.eq(self.i.payload), waiting.eq(1)]
        with m.If(bit_ends):
            m.d.sync += [shifter.eq(Cat(shifter[1:], 1)), bits_left.eq(bits_left - 1)]
        with m.If(idle | (bit_ends & last)):
            m.d.sync += [phase.eq(self.rate.step), bits_left.eq(FRAME_BITS), idle.eq(~waiting)]
            with m.If(waiting):
                m.d.sync += [shifter.eq(Cat(0, following)), waiting.eq(0)]
        return m
