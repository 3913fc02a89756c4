"""RefreshDebt: a refresh each interval, to the cycle, and what is paid."""

import pytest
from amaranth.sim import Simulator

from bnnhw.hw.memory.refresh_debt import RefreshDebt


def owed_cycles(interval: int, batch: int, *, begin: int, paid: set[int], cycles: int) -> tuple[list[int], list[int]]:
    """The cycles in which there is a debt, and those in which it is due, where it runs from cycle `begin` on."""
    dut = RefreshDebt(interval=interval, batch=batch)
    owed, due = [], []

    async def testbench(ctx):
        for cycle in range(cycles):
            ctx.set(dut.run, cycle >= begin)
            ctx.set(dut.paid, cycle in paid)
            owed.extend([cycle] * ctx.get(dut.owed))
            due.extend([cycle] * ctx.get(dut.due))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return owed, due


@pytest.mark.parametrize("begin", [0, 7])
@pytest.mark.parametrize("interval", [10, 16, 17])
def test_a_refresh_each_interval(interval: int, begin: int):
    """Each is paid in the cycle in which it shows."""
    shows = {begin + interval * count for count in range(1, 6)}
    owed, due = owed_cycles(interval, 1, begin=begin, paid=shows, cycles=begin + 6 * interval)
    assert set(owed) == shows
    assert due == [cycle + 1 for cycle in owed]


def test_a_batch_is_due_a_cycle_after_it_is_owed():
    owed, due = owed_cycles(10, 3, begin=0, paid={45, 46, 47, 48}, cycles=55)
    assert owed == [*range(10, 49), *range(50, 55)]
    assert due == list(range(31, 48))
