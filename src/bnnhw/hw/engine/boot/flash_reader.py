"""FlashReader: the words that stand in an SPI flash from one place on.

Tests: tests/hw/engine/boot/test_flash_reader.py
"""

from math import ceil

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import WORD
from bnnhw.hw.stream.buffer import flat_stream

__all__ = ["READ", "WAKE_UP", "FlashReader", "flash_pins"]

READ, WAKE_UP = 0x03, 0xAB
"""The commands: the ordinary read, and the release from power-down. All makers have them."""
MOST_HZ = 25_000_000
"""Of the chip's clock. A bit has a period from one falling edge to the next: 8 ns are the chip's, the rest is for the
ways through the pads and over the board."""
REST_S = 35e-6
"""How long a chip is left alone before each command; after it was woken it needs that."""
SETTLING_BITS = 32
"""Clocks before the first command: a pin that configured the FPGA may lose its first ones."""
_ADDRESS_BITS = 24


def flash_pins() -> wiring.Signature:
    """The pins as the reader has them, none of them inverted."""
    return wiring.Signature({"sck": Out(1), "cs": Out(1), "copi": Out(1), "cipo": In(1)})


class FlashReader(wiring.Component):
    """Wakes the chip and reads on and on, a bit a period; the clock stands still while a word waits.

    The first bit of a word is its lowest one.

    Parameters
    ----------
    offset : int
        The first word's address, in bytes.
    clock_hz : int
        Of `sync`.

    Members
    -------
    o : Out(stream of WORD bits)
    again : In(1)
        With a beat that is taken: the next one is the first word once more.
    stop : In(1)
        With a beat that is taken: no further one comes.
    taken, bit : Out(1)
        A bit of the next word, as it comes.
    pins : Out(flash_pins())
    """

    o: stream.Interface
    again: Signal
    stop: Signal
    taken: Signal
    bit: Signal
    pins: wiring.PureInterface

    def __init__(self, *, offset: int, clock_hz: int):
        if not 0 <= offset < 1 << _ADDRESS_BITS:
            raise ValueError(f"offset={offset} must be from 0 to below {1 << _ADDRESS_BITS}")
        self.offset = offset
        self.clock_hz = clock_hz
        self.half_period = ceil(clock_hz / (2 * MOST_HZ))
        self.rest = ceil(clock_hz * REST_S)
        super().__init__(
            {
                "o": Out(flat_stream(WORD)),
                "again": In(1),
                "stop": In(1),
                "taken": Out(1),
                "bit": Out(1),
                "pins": Out(flash_pins()),
            }
        )

    @property
    def cycles_per_word(self) -> int:
        """From word to word, where each is taken at once."""
        return WORD * 2 * self.half_period + 1

    @property
    def words_per_second(self) -> float:
        """The same, in the time of the clock."""
        return self.clock_hz / self.cycles_per_word

    def elaborate(self, platform) -> Module:
        m = Module()
        pins, word = self.pins, self.o.payload
        left, phase = Signal(range(WORD), init=SETTLING_BITS - 1), Signal(range(self.half_period))
        rest, woken = Signal(range(self.rest)), Signal()
        moves, turns, falls, last = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            pins.copi.eq(word[0]),
            turns.eq(moves & (phase == self.half_period - 1)),
            falls.eq(turns & pins.sck),
            last.eq(falls & (left == 0)),
            self.bit.eq(pins.cipo),
        ]
        with m.If(moves):
            m.d.sync += [phase.eq(Mux(turns, 0, phase + 1)), pins.sck.eq(pins.sck ^ turns)]
        with m.If(falls):
            m.d.sync += [left.eq(left - 1), word.eq(Cat(word[1:], pins.cipo))]
        with m.FSM():
            with m.State("settle"):
                m.d.comb += moves.eq(1)
                with m.If(last):
                    m.next = "rest"
            with m.State("wake"):
                m.d.comb += moves.eq(1)
                with m.If(last):
                    m.d.sync += [pins.cs.eq(0), woken.eq(1)]
                    m.next = "rest"
            with m.State("rest"):
                m.d.sync += rest.eq(rest + 1)
                with m.If(rest == self.rest - 1):
                    m.d.sync += [
                        rest.eq(0),
                        pins.cs.eq(1),
                        word.eq(Mux(woken, _sent(READ << _ADDRESS_BITS | self.offset, WORD), _sent(WAKE_UP, 8))),
                        left.eq(Mux(woken, WORD, 8) - 1),
                    ]
                    m.next = "wake"
                    with m.If(woken):
                        m.next = "command"
            with m.State("command"):
                m.d.comb += moves.eq(1)
                with m.If(last):
                    m.next = "read"
            with m.State("read"):
                m.d.comb += [moves.eq(1), self.taken.eq(falls)]
                with m.If(last):
                    m.next = "full"
            with m.State("full"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.d.sync += pins.cs.eq(~(self.stop | self.again))
                    m.next = "read"
                    with m.If(self.again):
                        m.next = "rest"
                    with m.If(self.stop):
                        m.next = "off"
            with m.State("off"):
                pass
        return m


def _sent(command: int, bits: int) -> int:
    """The word whose lowest bits go out one after the other, so that the highest of `command` is first."""
    return int(f"{command:0{bits}b}"[::-1], 2)
