"""HardwiredUnit against numpy: vectors, planes, degenerate weights and thresholds, stalls, exact timing."""

from itertools import pairwise

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from bnnhw.hw.hardwired.plan import plan_hardwired
from bnnhw.hw.hardwired.unit import HardwiredUnit, at_most
from bnnhw.hw.stream.flow import flow_cycles
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.scenario import pack, run_scenario
from tests.hw.verilog_scenario import run_verilog_scenario

from .test_row_sums import WEIGHTS, random_weights

FRAMES = 30

# weights, and what differs from 1 vector, 1 plane, thresholds
CASES = {
    "9 x 13": (random_weights(9, 13), {}),
    "sums": (random_weights(9, 13), {"thresholded": False}),
    "vectors": (random_weights(5, 6), {"vectors": 3}),
    "vectors of sums": (random_weights(5, 6), {"vectors": 2, "thresholded": False}),
    "2 planes": (random_weights(9, 13), {"planes": 2}),
    "8 planes": (random_weights(6, 10), {"planes": 8, "vectors": 2}),
    "sums of planes": (random_weights(9, 13), {"planes": 3, "thresholded": False}),
    "one weight": (WEIGHTS["one weight"], {}),
    "one column": (WEIGHTS["one column"], {"thresholded": False}),
    "one column of planes": (WEIGHTS["one column"], {"planes": 2}),
    "inverse rows": (WEIGHTS["inverse rows"], {}),
    "inverse rows, sums": (WEIGHTS["inverse rows"], {"thresholded": False, "planes": 2}),
    "equal rows": (WEIGHTS["equal rows"], {"vectors": 2}),
    "11 x 60": (random_weights(11, 60), {}),
}

DEEP = {
    "2 x 520": (random_weights(2, 520), {}),  # as deep as the queue of 16 results allows
    "3 x 1100": (random_weights(3, 1100), {}),  # one cycle deeper: the queue has 32
}


def verify_against_reference(
    weights, *, vectors=1, planes=1, thresholded=True, target=PORTABLE, seed=0, stalls=(0.3, 0.3),
    frames=FRAMES, run=run_scenario,
):  # fmt: skip
    """Runs random frames through a unit and compares every beat; the plan and the trace."""
    rng = np.random.default_rng(seed)
    rows, cols = weights.shape
    most = cols * ((1 << planes) - 1)
    thresholds = rng.integers(-3, most + 4, rows) if seed % 2 else rng.normal(most / 2, most / 8 + 1, rows).astype(int)
    plan = plan_hardwired(weights, PORTABLE.fabric, vectors=vectors, planes=planes, thresholded=thresholded)
    unit = HardwiredUnit(plan=plan, thresholds=thresholds.tolist() if thresholded else None, target=target)
    x = rng.integers(0, 1 << planes, (frames, vectors, cols))
    results = (x[:, :, None, :] ^ (weights > 0) * ((1 << planes) - 1)).sum(axis=-1)  # each plane is XORed
    if thresholded:
        results = results <= thresholds
    beats = [pack(frame.ravel(), planes) for frame in x]
    expected = [pack(frame.ravel(), plan.result_width) for frame in results]
    trace = run(unit, beats, outputs=len(expected), seed=seed, stalls=stalls)
    assert trace.outputs == expected
    return plan, trace


def check_timing(plan, trace, frames):
    """Compares a run without stalls with the promised cycles."""
    accepted, leaving = flow_cycles(plan.flow, [0] * frames)
    begin = trace.input_cycles[0]
    assert [cycle - begin for cycle in trace.input_cycles] == accepted
    assert [cycle - begin for cycle in trace.output_cycles] == leaving


@pytest.mark.parametrize(("weights", "options"), CASES.values(), ids=CASES)
@pytest.mark.parametrize(("seed", "stalls"), [(0, (0.3, 0.3)), (1, (0, 0.7)), (2, (0.6, 0))])
def test_equals_numpy(weights, options, seed, stalls):
    verify_against_reference(weights, **options, seed=seed, stalls=stalls)


@pytest.mark.parametrize(("weights", "options"), (CASES | DEEP).values(), ids=CASES | DEEP)
def test_timing_is_exact_and_no_cycle_is_lost(weights, options):
    plan, trace = verify_against_reference(weights, **options, stalls=(0, 0))
    check_timing(plan, trace, FRAMES)
    steps = [b - a for a, b in pairwise(trace.output_cycles)]
    assert steps == [options.get("planes", 1)] * (FRAMES - 1)
    assert plan.initiation_interval == options.get("planes", 1)
    assert trace.output_cycles[0] - trace.input_cycles[0] == plan.latency


def test_timing_of_pauses():
    """Beats that are offered late, in groups, to a unit that takes one in two cycles."""
    plan = plan_hardwired(random_weights(4, 5), PORTABLE.fabric, planes=2)
    offered = [0, 1, 2, 20, 21, 50]
    accepted, leaving = flow_cycles(plan.flow, offered)
    assert accepted == [0, 2, 4, 20, 22, 50]
    unit = HardwiredUnit(plan=plan, thresholds=[5] * 4, target=PORTABLE)
    trace = run_scenario(unit, [0] * 6, outputs=6, stalls=(0, 0), input_cycles=offered)
    assert (trace.input_cycles, trace.output_cycles) == (accepted, leaving)


@pytest.mark.toolchain
@pytest.mark.parametrize("name", ["9 x 13", "vectors of sums", "8 planes", "sums of planes", "one column", "11 x 60"])
def test_equals_numpy_on_ecp5_cells(name, tmp_path):
    def run(dut, beats, **arguments):
        return run_verilog_scenario(dut, beats, folder=tmp_path, **arguments)

    weights, options = CASES[name]
    verify_against_reference(weights, **options, target=ECP5, run=run)
    plan, trace = verify_against_reference(weights, **options, target=ECP5, stalls=(0, 0), run=run)
    check_timing(plan, trace, FRAMES)


@pytest.mark.parametrize("width", [1, 2, 4])
def test_at_most(width):
    """Every number with every bound, some of them out of reach."""
    value = Signal(width)
    bounds = range(-(1 << width), 1 << width)
    results = [Signal(name=f"result{index}") for index in range(len(bounds))]
    m = Module()
    m.d.comb += [result.eq(at_most(value, bound)) for result, bound in zip(results, bounds, strict=True)]

    async def testbench(ctx):
        for bits in range(1 << width):
            number = bits - (bits >> (width - 1) << width)
            ctx.set(value, bits)
            assert [ctx.get(result) for result in results] == [number <= bound for bound in bounds]

    simulator = Simulator(m)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize(
    ("weights", "plan_arguments", "unit_arguments", "message"),
    [
        (np.zeros((2, 3)), {}, {}, r"^weights of shape \(2, 3\) must be a matrix of \+1 and -1$"),
        (np.ones((0, 3)), {}, {}, r"^weights of shape \(0, 3\) must be a matrix of \+1 and -1$"),
        (np.ones((2, 3)), {"planes": 0}, {}, r"^planes=0 must be at least 1$"),
        (np.ones((2, 3)), {}, {"thresholds": [1]}, r"^thresholds must be rows=2 ints, one a row; there are 1$"),
        (np.ones((2, 3)), {}, {}, r"^thresholds=None must be None unless the plan is thresholded, and given if it is$"),
        (
            np.ones((2, 3)),
            {"thresholded": False},
            {"thresholds": [1, 2]},
            r"^thresholds=\[1, 2\] must be None unless the plan is thresholded, and given if it is$",
        ),
        (
            np.ones((2, 3)),
            {},
            {"thresholds": [1, 2], "target": "asic"},
            r"^target='asic' must be one of \['ecp5', 'ice40', 'portable'\]$",
        ),
    ],
)
def test_errors(weights, plan_arguments, unit_arguments, message):
    with pytest.raises(ValueError, match=message):
        HardwiredUnit(
            plan=plan_hardwired(weights, PORTABLE.fabric, **plan_arguments), **{"target": PORTABLE, **unit_arguments}
        )
