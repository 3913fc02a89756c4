"""ChipAtPads: an SDRAM chip as a board's pins meet it.

Tests: tests/sim/board/test_join_chip.py
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.memory.pins import sdram_pins
from bnnhw.hw.memory.timing import SdramChip

from .faults import Fault
from .sdram_model import SdramModel

# pyright: reportAttributeAccessIssue=false
# (amaranth's types are loose)

__all__ = ["ChipAtPads"]

BYTE = 8


class ChipAtPads(wiring.Component):
    """The model behind the levels of its pins: `cs`, `ras`, `cas` and `we` are active low, `dqm` has a bit a byte, of
    which the model knows the first. Its memory is outside.

    Parameters
    ----------
    chip : SdramChip
    clock_hz : int

    Members
    -------
    clk_en, cs, ras, cas, we, ba, a, dqm, dq_o, dq_oe : In
        dq_oe: whether the board drives `dq`, with dq_o.
    dq_i : Out(chip.width)
    faults : Out(len(Fault))
    address, write, write_data : Out, read_data : In
        As the model's.
    """

    clk_en: Signal
    cs: Signal
    ras: Signal
    cas: Signal
    we: Signal
    ba: Signal
    a: Signal
    dqm: Signal
    dq_o: Signal
    dq_oe: Signal
    dq_i: Signal
    faults: Signal
    address: Signal
    write: Signal
    write_data: Signal
    read_data: Signal

    def __init__(self, *, chip: SdramChip, clock_hz: int):
        self.model = SdramModel(chip=chip, timing=chip.timing(clock_hz), words=None)
        pins = {name: In(member.shape) for name, member in sdram_pins(chip).members.items()}
        pins |= {"clk_en": In(1), "cs": In(1), "dqm": In(chip.width // BYTE), "dq_i": Out(chip.width)}
        members = self.model.signature.members
        memory = {name: members[name] for name in ("address", "write", "write_data", "read_data")}
        super().__init__(pins | {"faults": Out(len(Fault))} | memory)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.model = model = self.model
        chosen = self.clk_en & ~self.cs
        m.d.comb += [getattr(model.pins, name).eq(~getattr(self, name) & chosen) for name in ("ras", "cas", "we")]
        m.d.comb += [getattr(model.pins, name).eq(getattr(self, name)) for name in ("ba", "a", "dqm", "dq_o", "dq_oe")]
        m.d.comb += [self.dq_i.eq(model.pins.dq_i), self.faults.eq(model.faults)]
        m.d.comb += [getattr(self, name).eq(getattr(model, name)) for name in ("address", "write", "write_data")]
        m.d.comb += model.read_data.eq(self.read_data)
        return m
