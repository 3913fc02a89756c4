"""PowerUp: what an SDRAM chip must be told before it works.

Tests: tests/hw/memory/test_controller.py
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .pins import ALL_BANKS, Operation, mode_of
from .timing import MODE_CYCLES, SdramTiming

__all__ = ["REFRESHES", "PowerUp"]

REFRESHES = 8
"""Makers ask for 2 to 8."""


class PowerUp(wiring.Component):
    """Precharges all banks, refreshes, and sets the mode: after the chip's start-up time, and whenever it is asked to.

    Parameters
    ----------
    timing : SdramTiming
    address_bits : int
        Of the pins `a`.

    Members
    -------
    hold : In(1)
        Nothing is said to the chip; when it ends, all begins anew, without the start-up time.
    operation : Out(3)
    address : Out(address_bits)
        For the pins, in a register behind.
    done : Out(1)
        From here on any command may follow.
    """

    hold: Signal
    operation: Signal
    address: Signal
    done: Signal

    def __init__(self, *, timing: SdramTiming, address_bits: int):
        self.timing = timing
        super().__init__({"hold": In(1), "operation": Out(3), "address": Out(address_bits), "done": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        gap = max(self.timing.rp, self.timing.rfc, MODE_CYCLES)
        wait = Signal(range(-1, max(self.timing.start_up, gap)), init=self.timing.start_up - 1)
        step = Signal(range(REFRESHES + 3))
        m.d.sync += wait.eq(wait - 1)
        with m.If(self.hold):
            m.d.sync += [wait.eq(gap - 2), step.eq(0), self.done.eq(0)]
        with m.Elif(wait[-1] & ~self.done):
            m.d.sync += [wait.eq(gap - 2), step.eq(step + 1)]
            with m.Switch(step):
                with m.Case(0):
                    m.d.comb += [self.operation.eq(Operation.PRECHARGE), self.address.eq(ALL_BANKS)]
                with m.Case(REFRESHES + 1):
                    m.d.comb += [self.operation.eq(Operation.SET_MODE), self.address.eq(mode_of(self.timing))]
                with m.Case(REFRESHES + 2):
                    m.d.sync += self.done.eq(1)
                with m.Default():
                    m.d.comb += self.operation.eq(Operation.REFRESH)
        return m
