"""The model of an SPI flash behind a board's pads.

Tests: tests/sim/board/test_join_flash.py
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .flash_model import ADDRESS_BITS, FlashChip, FlashFault, FlashModel

# pyright: reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# (amaranth's types are loose)

__all__ = ["FlashAtPads"]


class FlashAtPads(wiring.Component):
    """The model behind the levels of its pins: `cs`, `wp` and `hold` are active low. Its memory is outside.

    Parameters
    ----------
    clock_hz : int
    begin : int
        The address of that memory's first byte.

    Members
    -------
    sck, cs, copi, wp, hold : In(1), cipo : Out(1)
    faults : Out(len(FlashFault))
    address : Out(ADDRESS_BITS), read_data : In(8)
        As the model's.
    """

    sck: Signal
    cs: Signal
    copi: Signal
    wp: Signal
    hold: Signal
    cipo: Signal
    faults: Signal
    address: Signal
    read_data: Signal

    def __init__(self, *, clock_hz: int, begin: int):
        self.begin = begin
        self.model = FlashModel(chip=FlashChip(), clock_hz=clock_hz)
        super().__init__(
            {name: In(1) for name in ("sck", "cs", "copi", "wp", "hold")}
            | {"cipo": Out(1), "faults": Out(len(FlashFault)), "address": Out(ADDRESS_BITS), "read_data": In(8)}
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.model = model = self.model
        held = Signal()
        with m.If(~self.hold | ~self.wp):
            m.d.sync += held.eq(1)
        m.d.comb += [
            model.pins.sck.eq(self.sck),
            model.pins.cs.eq(~self.cs),
            model.pins.copi.eq(self.copi),
            self.cipo.eq(model.pins.cipo),
            self.faults.eq(model.faults | held << FlashFault.HELD.bit_length() - 1),
            self.address.eq(model.address - self.begin),
            model.read_data.eq(self.read_data),
        ]
        return m
