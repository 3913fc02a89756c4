"""RefreshDebt: how many refreshes a chip is owed."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["RefreshDebt"]


class RefreshDebt(wiring.Component):
    """Counts one refresh every `interval` cycles, less those that are done.

    Parameters
    ----------
    interval : int
        Cycles.
    batch : int
        Refreshes that are worth an interruption.

    Members
    -------
    run : In(1)
        The clock of the debt goes on.
    paid : In(1)
        A refresh is done.
    owed, due : Out(1)
        There is a debt; it is a batch, from the cycle after on.
    """

    run: Signal
    paid: Signal
    owed: Signal
    due: Signal

    def __init__(self, *, interval: int, batch: int):
        self.interval = interval
        self.batch = batch
        super().__init__({"run": In(1), "paid": In(1), "owed": Out(1), "due": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        left = Signal(range(self.interval), init=self.interval - 1)
        debt = Signal(range(2 * self.batch + 1))
        tick = Signal()
        with m.If(self.run):
            m.d.sync += [left.eq(left - 1), tick.eq(left == 1)]
        with m.If(tick):
            m.d.sync += left.eq(self.interval - 1)
        m.d.sync += [debt.eq(debt + tick - self.paid), self.due.eq(debt >= self.batch)]
        m.d.comb += self.owed.eq(debt != 0)
        return m
