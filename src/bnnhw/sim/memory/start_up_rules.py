"""StartUpRules: what an SDRAM chip wants to be told first, and how often to be refreshed.

Tests: tests/sim/memory/test_sdram_model.py
"""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.memory.pins import SAMPLED_BURST
from bnnhw.hw.memory.timing import MODE_CYCLES, SdramTiming

from .elapsed import elapsed
from .faults import Fault

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
# pyright: reportOperatorIssue=false
# (amaranth's types are loose)

__all__ = ["StartUpRules"]

FIRST_REFRESHES = 2
"""That a mode needs before it, by all data sheets."""


class StartUpRules(wiring.Component):
    """The faults START_UP, MODE, REFRESH and T_RFC, and the CAS latency.

    Parameters
    ----------
    timing : SdramTiming

    Members
    -------
    command, precharge_all, refresh, set_mode, other : In(1)
        Any command but nothing; such a one; `other` being those that need a mode.
    address : In(10)
    cas : Out(2)
    faults : Out(len(Fault))
    """

    command: Signal
    precharge_all: Signal
    refresh: Signal
    set_mode: Signal
    other: Signal
    address: Signal
    cas: Signal
    faults: Signal

    def __init__(self, *, timing: SdramTiming):
        self.timing = timing
        commands = dict.fromkeys(("command", "precharge_all", "refresh", "set_mode", "other"), In(1))
        super().__init__({**commands, "address": In(10), "cas": Out(2), "faults": Out(len(Fault))})

    def elaborate(self, platform) -> Module:
        m = Module()
        timing = self.timing
        left = Signal(range(timing.start_up + 1), init=timing.start_up)
        m.d.sync += left.eq(Mux(left == 0, 0, left - 1))
        precharged, mode_set = Signal(), Signal()
        refreshes = Signal(range(FIRST_REFRESHES + 1))
        prepared = precharged & (refreshes == FIRST_REFRESHES)
        with m.If(self.precharge_all):
            m.d.sync += precharged.eq(1)
        with m.If(self.refresh & (refreshes != FIRST_REFRESHES)):
            m.d.sync += refreshes.eq(refreshes + 1)
        with m.If(self.set_mode):
            m.d.sync += [mode_set.eq(1), self.cas.eq(self.address[4:6])]

        interval = Signal(range(timing.refi))
        late = Signal(range(timing.postponed + 3))
        tick = mode_set & (interval == timing.refi - 1)
        with m.If(mode_set):
            m.d.sync += interval.eq(Mux(tick, 0, interval + 1))
        with m.If(tick & ~self.refresh & (late != timing.postponed + 2)):
            m.d.sync += late.eq(late + 1)
        with m.If(self.refresh & ~tick & (late != 0)):
            m.d.sync += late.eq(late - 1)

        rested = elapsed(m, self.refresh, timing.rfc, name="rfc")
        settled = elapsed(m, self.set_mode, MODE_CYCLES, name="mrd")
        legal = (self.address[:4] == SAMPLED_BURST) & (self.address[4:7] >= timing.cas) & (self.address[4:7] <= 3)
        found: dict[Fault, Value] = {
            Fault.START_UP: self.command & (left != 0) | self.set_mode & ~prepared | self.other & ~mode_set,
            Fault.MODE: self.set_mode & ~legal | self.command & ~settled,
            Fault.REFRESH: late > timing.postponed,
            Fault.T_RFC: self.command & ~rested,
        }
        for fault, value in found.items():
            m.d.comb += self.faults[fault.bit_length() - 1].eq(value)
        return m
