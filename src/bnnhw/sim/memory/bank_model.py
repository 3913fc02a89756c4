"""BankModel: a bank of an SDRAM chip, and what may not be done with it.

Tests: tests/sim/memory/test_sdram_model.py
"""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.memory.timing import SdramTiming

from .elapsed import elapsed
from .faults import Fault

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# (amaranth's types are loose)

__all__ = ["BankModel"]


class BankModel(wiring.Component):
    """Whether a row is open, and faults of the commands to this bank.

    Parameters
    ----------
    timing : SdramTiming
    row_bits : int

    Members
    -------
    activate, precharge, transfer : In(1)
        Such a command to this bank, `transfer` being a read or a write; of a row `address`.
    address : In(row_bits)
    wrote : In(1)
        A word is written into it.
    is_open : Out(1)
    row : Out(row_bits)
    recovered : Out(1)
        tRP is over.
    faults : Out(len(Fault))
    """

    activate: Signal
    precharge: Signal
    transfer: Signal
    address: Signal
    wrote: Signal
    is_open: Signal
    row: Signal
    recovered: Signal
    faults: Signal

    def __init__(self, *, timing: SdramTiming, row_bits: int):
        self.timing = timing
        super().__init__(
            {
                "activate": In(1),
                "precharge": In(1),
                "transfer": In(1),
                "address": In(row_bits),
                "wrote": In(1),
                "is_open": Out(1),
                "row": Out(row_bits),
                "recovered": Out(1),
                "faults": Out(len(Fault)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        timing = self.timing
        closes = self.precharge & self.is_open
        m.d.comb += self.recovered.eq(elapsed(m, closes, timing.rp, name="rp"))
        found: dict[Fault, Value] = {
            Fault.OPEN: self.activate & self.is_open,
            Fault.IDLE: self.transfer & ~self.is_open,
            Fault.T_RCD: self.transfer & ~elapsed(m, self.activate, timing.rcd, name="rcd"),
            Fault.T_RP: self.activate & ~self.recovered,
            Fault.T_RAS: closes & ~elapsed(m, self.activate, timing.ras, name="ras"),
            Fault.T_RC: self.activate & ~elapsed(m, self.activate, timing.rc, name="rc"),
            Fault.T_WR: closes & ~elapsed(m, self.wrote, timing.wr, name="wr"),
        }
        for fault, value in found.items():
            m.d.comb += self.faults[fault.bit_length() - 1].eq(value)
        with m.If(self.activate):
            m.d.sync += [self.is_open.eq(1), self.row.eq(self.address)]
        with m.If(self.precharge):
            m.d.sync += self.is_open.eq(0)
        return m
