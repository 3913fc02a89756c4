"""XnorPopcount: values, the plan's sizes, the proof that the carry chains equal plain adders, its cost."""

import random

import pytest
from amaranth.sim import Simulator

from bnnhw.boards.alone import route_alone, synthesise_alone
from bnnhw.hw.popcount import XnorPopcount
from bnnhw.hw.popcount_plan import plan_popcount

from .proof import prove_equal


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
def test_counts_mismatches(inputs):
    rng = random.Random(inputs)
    full = (1 << inputs) - 1
    pairs = [(rng.getrandbits(inputs), rng.getrandbits(inputs)) for _ in range(60)]
    pairs += [(0, 0), (full, 0), (0, full), (full, full)]
    results = simulate(XnorPopcount(inputs=inputs, technology="portable"), pairs)
    assert results == [(x ^ w).bit_count() for x, w in pairs]


@pytest.mark.parametrize("inputs", [3, 5])
def test_counts_every_input(inputs):
    pairs = [(x, w) for x in range(1 << inputs) for w in range(1 << inputs)]
    results = simulate(XnorPopcount(inputs=inputs, technology="portable"), pairs)
    assert results == [(x ^ w).bit_count() for x, w in pairs]


@pytest.mark.parametrize(
    ("inputs", "positions", "latency"),
    [(0, 0, 0), (1, 0, 0), (2, 2, 1), (3, 2, 1), (7, 7, 2), (63, 88, 5), (64, 95, 6)],
)
def test_plan(inputs, positions, latency):
    plan = plan_popcount(inputs)
    assert (plan.positions, plan.latency) == (positions, latency)
    assert plan.positions == sum(node.operand_width + 1 for node in plan.nodes)


@pytest.mark.toolchain
@pytest.mark.parametrize("inputs", [2, 3, 5, 8, 13, 48, 63, 64])
def test_carry_chains_equal_adders(inputs, tmp_path):
    prove_equal(
        XnorPopcount(inputs=inputs, technology="portable"), XnorPopcount(inputs=inputs, technology="ecp5"), tmp_path
    )


@pytest.mark.toolchain
@pytest.mark.parametrize(("inputs", "most"), [(63, 1.40), (64, 1.51)])
def test_cost_per_input(inputs, most):
    report = synthesise_alone(XnorPopcount(inputs=inputs, technology="ecp5"))
    assert report.lut4 / inputs <= most


@pytest.mark.toolchain
def test_routes_at_200_mhz():
    assert route_alone(XnorPopcount(inputs=64, technology="ecp5"), "LFE5U-85F", 1).fmax_hz >= 200e6


def test_errors():
    with pytest.raises(ValueError, match=r"^inputs=0 must be at least 1$"):
        XnorPopcount(inputs=0, technology="ecp5")
    with pytest.raises(ValueError, match=r"^technology='ice40' must be one of \['ecp5', 'portable'\]$"):
        XnorPopcount(inputs=8, technology="ice40")
