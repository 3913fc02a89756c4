"""XnorPopcount: values, the plan's sizes, the proof that the carry chains equal plain adders, its cost."""

import random

import pytest
from amaranth.back import rtlil
from amaranth.sim import Simulator

from bnnhw.boards.toolchain.alone import route_alone, synthesise_alone
from bnnhw.hw.product.popcount import XnorPopcount
from bnnhw.hw.product.popcount_plan import plan_popcount
from bnnhw.hw.targets import PORTABLE, get_device
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.proof import prove_equal


def simulate(dut: XnorPopcount, pairs: list[tuple[int, int]]) -> list[int]:
    """The results of one pair of (x, w) a cycle."""
    results = []

    async def testbench(ctx):
        for cycle in range(len(pairs) + dut.latency):
            x, w = pairs[min(cycle, len(pairs) - 1)]
            ctx.set(dut.x, x)
            ctx.set(dut.w, w)
            if dut.latency:
                await ctx.tick()
            results.append(ctx.get(dut.mismatches))

    simulator = Simulator(dut)
    if dut.latency:
        simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return results[max(0, dut.latency - 1) :][: len(pairs)]


@pytest.mark.parametrize("inputs", [1, 2, 3, 4, 5, 7, 8, 13, 31, 49, 63, 64, 127])
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_counts_mismatches(inputs, levels):
    rng = random.Random(inputs)
    full = (1 << inputs) - 1
    pairs = [(rng.getrandbits(inputs), rng.getrandbits(inputs)) for _ in range(60)]
    pairs += [(0, 0), (full, 0), (0, full), (full, full)]
    results = simulate(XnorPopcount(inputs=inputs, levels=levels, target=PORTABLE), pairs)
    assert results == [(x ^ w).bit_count() for x, w in pairs]


@pytest.mark.parametrize("inputs", [3, 5])
def test_counts_every_input(inputs):
    pairs = [(x, w) for x in range(1 << inputs) for w in range(1 << inputs)]
    results = simulate(XnorPopcount(inputs=inputs, target=PORTABLE), pairs)
    assert results == [(x ^ w).bit_count() for x, w in pairs]


@pytest.mark.parametrize(
    ("inputs", "positions", "depth"),
    [(0, 0, 0), (1, 0, 0), (2, 2, 1), (3, 2, 1), (7, 7, 2), (63, 88, 5), (64, 95, 6)],
)
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_plan(inputs, positions, depth, levels):
    """The tree does not depend on where its registers stand."""
    plan, open_plan = (plan_popcount(inputs, levels=levels, registered=registered) for registered in (True, False))
    assert plan.positions == open_plan.positions == positions
    assert sum(node.operand_width + 1 for node in plan.nodes) == positions
    assert (plan.latency, plan.final_level) == (-(-depth // levels), 0)
    assert (open_plan.latency, open_plan.final_level) == divmod(depth, levels)
    if depth % levels == 0:
        assert plan == open_plan


@pytest.mark.parametrize(
    ("levels", "registered", "bits"), [(1, True, 88), (2, True, 40), (2, False, 34), (3, True, 22)]
)
def test_registers_of_63_inputs(levels, registered, bits):
    """16 sums of 2 bits, 8 of 3, 4 of 4, 2 of 5 and the count of 6: those after every level, after every second, .."""
    assert plan_popcount(63, levels=levels, registered=registered).register_bits == bits


@pytest.mark.parametrize(("inputs", "levels", "chains"), [(7, 1, 1), (7, 2, 2), (15, 2, 2), (15, 3, 3)])
def test_levels_of_a_cycle_have_chains_of_their_own(inputs, levels, chains):
    text = rtlil.convert(XnorPopcount(inputs=inputs, levels=levels, target=ECP5))
    assert text.count("cell \\CCU2C") - text.count("connect \\CIN") == chains


@pytest.mark.toolchain
@pytest.mark.parametrize("inputs", [2, 3, 5, 8, 13, 48, 63, 64])
@pytest.mark.parametrize("levels", [1, 2])
def test_carry_chains_equal_adders(inputs, levels, tmp_path):
    gold, gate = (XnorPopcount(inputs=inputs, levels=levels, target=target) for target in (PORTABLE, ECP5))
    prove_equal(gold, gate, tmp_path)


@pytest.mark.toolchain
@pytest.mark.parametrize(("inputs", "most"), [(63, 1.40), (64, 1.51)])
def test_cost_per_input(inputs, most):
    cells = synthesise_alone(XnorPopcount(inputs=inputs, target=ECP5), ECP5)
    assert cells.logic / inputs <= most


@pytest.mark.toolchain
@pytest.mark.parametrize(("levels", "least_hz"), [(1, 200e6), (2, 140e6)])
def test_routes_fast_enough(levels, least_hz):
    popcount = XnorPopcount(inputs=64, levels=levels, target=ECP5)
    assert route_alone(popcount, get_device("LFE5U-85F"), 1).fmax_hz >= least_hz


def test_errors():
    with pytest.raises(ValueError, match=r"^inputs=0 must be at least 1$"):
        XnorPopcount(inputs=0, target=ECP5)
    with pytest.raises(ValueError, match=r"^levels=0 must be at least 1$"):
        XnorPopcount(inputs=8, levels=0, target=ECP5)
    with pytest.raises(ValueError, match=r"^target='ice40' must be one of \['ecp5', 'ice40', 'portable'\]$"):
        XnorPopcount(inputs=8, target="ice40")  # pyright: ignore[reportArgumentType]
