"""FlashModel: an SPI flash chip at its pins, for the simulators."""

from dataclasses import dataclass
from enum import IntFlag, auto
from math import ceil

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.boot.flash_reader import READ, WAKE_UP, flash_pins

from .elapsed import elapsed

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# pyright: reportOperatorIssue=false
# (amaranth's types are loose)

__all__ = ["ADDRESS_BITS", "FlashChip", "FlashFault", "FlashModel"]

ADDRESS_BITS = 24
_COMMAND_BITS = 8
_BITS = _COMMAND_BITS + ADDRESS_BITS


@dataclass(frozen=True, kw_only=True)
class FlashChip:
    """What a chip wants of whoever reads it, by the slowest of the common ones' data sheets.

    Attributes
    ----------
    read_hz : float
        Of the clock while it is read.
    output_ns : float
        From a falling edge of the clock to its bit, both ways through the pads and over the board included.
    deselect_ns, wake_up_ns : float
        Between two commands; from the release from power-down to the next command.
    """

    read_hz: float = 33e6
    output_ns: float = 25
    deselect_ns: float = 100
    wake_up_ns: float = 30_000


class FlashFault(IntFlag):
    """What a data sheet forbids. A model has one sticky bit for each.

    CLOCK: an edge too soon after another, or a high clock where a command begins. DESELECT: two commands too close to
    each other. COMMAND: another one than READ and WAKE_UP, or one that ends before it is whole. ASLEEP: a READ of a
    chip that is in power-down or has just left it. HELD: `hold` or `wp` is asserted.
    """

    CLOCK = auto()
    DESELECT = auto()
    COMMAND = auto()
    ASLEEP = auto()
    HELD = auto()


class FlashModel(wiring.Component):
    """Answers as the chip does, from power-down on, and says what was wrong. Up to the cycle in which a bit comes, its
    opposite stands at the pin; and ones, where the chip says nothing.

    Parameters
    ----------
    chip : FlashChip
    clock_hz : int
        Of `sync`, which is faster than the chip's clock.

    Members
    -------
    pins : In(flash_pins())
    faults : Out(len(FlashFault))
        Of FlashFault: every fault so far.
    address : Out(ADDRESS_BITS), read_data : In(8)
        Of its memory, which reads without a clock.
    """

    pins: wiring.PureInterface
    faults: Signal
    address: Signal
    read_data: Signal

    def __init__(self, *, chip: FlashChip, clock_hz: int):
        self.chip = chip
        self.clock_hz = clock_hz
        super().__init__(
            {
                "pins": In(flash_pins()),
                "faults": Out(len(FlashFault)),
                "address": Out(ADDRESS_BITS),
                "read_data": In(8),
            }
        )

    def _cycles(self, ns: float) -> int:
        return ceil(ns * self.clock_hz / 1e9 - 1e-6)

    def elaborate(self, platform) -> Module:
        m = Module()
        pins, chip = self.pins, self.chip
        clock, chosen = Signal(), Signal()  # as they were
        rises, falls = pins.cs & pins.sck & ~clock, pins.cs & ~pins.sck & clock
        begins, ends = pins.cs & ~chosen, ~pins.cs & chosen
        m.d.sync += [clock.eq(pins.sck), chosen.eq(pins.cs)]

        taken, received = Signal(_BITS), Signal(range(_BITS + 1))
        whole, command = received == _BITS, Signal(_COMMAND_BITS)
        with m.If(~pins.cs):
            m.d.sync += received.eq(0)
        with m.Elif(rises & ~whole):
            m.d.sync += [taken.eq(Cat(pins.copi, taken)), received.eq(received + 1)]
            with m.If(received == _COMMAND_BITS - 1):
                m.d.sync += command.eq(Cat(pins.copi, taken))
        has_command = received >= _COMMAND_BITS

        place, bit, late = Signal(ADDRESS_BITS + 3), Signal(init=1), Signal(range(max(2, self._cycles(chip.output_ns))))
        now = Signal.like(place)
        first = Signal()
        m.d.comb += [
            now.eq(Mux(first, taken[:ADDRESS_BITS] << 3, place)),
            self.address.eq(now >> 3),
            pins.cipo.eq(bit ^ (late != 0)),
        ]
        with m.If(~pins.cs):
            m.d.sync += [bit.eq(1), late.eq(0), first.eq(1)]
        with m.Elif(falls & whole & (command == READ)):
            m.d.sync += [
                bit.eq(self.read_data.bit_select(~now[:3], 1)),
                place.eq(now + 1),
                first.eq(0),
                late.eq(max(self._cycles(chip.output_ns) - 2, 0)),
            ]
        with m.Elif(late != 0):
            m.d.sync += late.eq(late - 1)

        asleep = Signal(init=1)
        wakes = ends & has_command & (command == WAKE_UP)
        rested = elapsed(m, wakes, self._cycles(chip.wake_up_ns), name="waking")
        with m.If(wakes):
            m.d.sync += asleep.eq(0)
        edge = pins.cs & (pins.sck ^ clock)
        apart = elapsed(m, edge, self._cycles(5e8 / chip.read_hz), name="edge")
        deselected = elapsed(m, ends, self._cycles(chip.deselect_ns), name="deselected")
        is_read, is_wake_up = command == READ, command == WAKE_UP
        found = {
            FlashFault.CLOCK: edge & ~apart | begins & (pins.sck | clock),
            FlashFault.DESELECT: begins & ~deselected,
            FlashFault.COMMAND: ends & ~(is_wake_up & (received == _COMMAND_BITS) | is_read & whole),
            FlashFault.ASLEEP: ends & is_read & asleep | begins & ~rested,
        }
        m.d.sync += self.faults.eq(self.faults | Cat(found.get(fault, 0) for fault in FlashFault))
        return m
