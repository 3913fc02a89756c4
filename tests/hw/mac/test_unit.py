"""MacUnit against numpy: foldings, stores, vectors, widths of factors, groups, stalls, exact timing."""

from itertools import pairwise

import numpy as np
import pytest

from bnnhw.hw.mac.unit import MacUnit
from bnnhw.hw.stream.flow import flow_cycles
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.scenario import pack, run_scenario
from tests.hw.verilog_scenario import run_verilog_scenario

FRAMES = 4

# rows, cols, pe, simd, and what differs from 1 vector, 8 bits of inputs, weights up to 255, store "auto"
CASES = [
    (4, 6, 2, 3, {}),
    (4, 6, 2, 3, {"store": "block"}),
    (4, 6, 2, 3, {"store": "lut", "vectors": 2}),
    (4, 6, 4, 6, {}),  # everything at once, constant weights
    (3, 5, 1, 5, {"store": "block", "planes": 3}),  # one input word that waits for its weights; a tree of three levels
    (6, 5, 6, 1, {"store": "lut"}),  # one row fold, no tree
    (4, 80, 2, 2, {"store": "block", "planes": 2}),  # an input buffer in block RAM
    (4, 6, 2, 3, {"planes": 1, "most": 1}),
    (2, 4, 1, 2, {"planes": 16, "most": 512}),
    (12, 6, 2, 3, {"row_groups": 3, "store": "lut"}),
    (4, 6, 2, 6, {"planes": 2, "sum_bits": 5}),  # sums that overflow
]

ON_CELLS = [(4, 6, 2, 3, {"store": "block"}), (2, 6, 2, 6, {"planes": 16, "most": 512, "vectors": 2})]


def verify_against_reference(
    rows, cols, pe, simd, *, vectors=1, planes=8, most=255, row_groups=1, sum_bits=None, store="auto",
    target=PORTABLE, seed=0, stalls=(0.3, 0.3), frames=FRAMES, run=run_scenario,
):  # fmt: skip
    """Runs random frames through a unit with random weights and compares every beat; the unit and the trace."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(-most, most + 1, (rows, cols))
    weights[0] = most
    lows = np.minimum(weights, 0).sum(axis=1) * ((1 << planes) - 1)
    highs = np.maximum(weights, 0).sum(axis=1) * ((1 << planes) - 1)
    biases = rng.integers(0, 9, rows) - lows.min()
    width = sum_bits or int((highs + biases).max()).bit_length()
    unit = MacUnit(
        weights=weights,
        biases=biases.tolist(),
        pe=pe,
        simd=simd,
        vectors=vectors,
        planes=planes,
        row_groups=row_groups,
        sum_bits=width,
        store=store,
        target=target,
    )
    x = rng.integers(0, 1 << planes, (frames, vectors, cols))
    x[0] = (1 << planes) - 1
    sums = biases + x @ weights.T
    if sum_bits is None:
        assert sums.min() >= 0
    own = rows // row_groups
    results = [frame[:, n % row_groups * own : (n % row_groups + 1) * own] for n, frame in enumerate(sums)]
    beats = [pack(frame[:, s : s + simd].ravel(), planes) for frame in x for s in range(0, cols, simd)]
    expected = [pack(frame[:, r : r + pe].ravel(), width) for frame in results for r in range(0, own, pe)]
    trace = run(unit, beats, outputs=len(expected), seed=seed, stalls=stalls)
    assert trace.outputs == expected
    return unit, trace


def check_timing(unit, trace, frames):
    """Compares a run without stalls with the promised cycles."""
    accepted, leaving = flow_cycles(unit.flow, [0] * unit.shape.words * frames)
    begin = trace.input_cycles[0]
    assert [cycle - begin for cycle in trace.input_cycles] == accepted
    assert [cycle - begin for cycle in trace.output_cycles] == leaving


@pytest.mark.parametrize(("rows", "cols", "pe", "simd", "options"), CASES)
@pytest.mark.parametrize(("seed", "stalls"), [(0, (0.3, 0.3)), (1, (0, 0.7)), (2, (0.6, 0))])
def test_equals_numpy(rows, cols, pe, simd, options, seed, stalls):
    verify_against_reference(rows, cols, pe, simd, **options, seed=seed, stalls=stalls)


@pytest.mark.parametrize(("rows", "cols", "pe", "simd", "options"), CASES)
def test_timing_is_exact_and_no_cycle_is_lost(rows, cols, pe, simd, options):
    frames = 8
    unit, trace = verify_against_reference(rows, cols, pe, simd, **options, stalls=(0, 0), frames=frames)
    check_timing(unit, trace, frames)
    last = trace.output_cycles[unit.shape.vector_folds - 1 :: unit.shape.vector_folds]
    work = rows * cols // (pe * simd * unit.shape.row_groups)
    assert [b - a for a, b in pairwise(last)] == [work] * (frames - 1)
    assert unit.initiation_interval == work


@pytest.mark.toolchain
@pytest.mark.parametrize(("rows", "cols", "pe", "simd", "options"), ON_CELLS)
def test_equals_numpy_on_ecp5_cells(rows, cols, pe, simd, options, tmp_path):
    def run(dut, beats, **arguments):
        return run_verilog_scenario(dut, beats, folder=tmp_path, **arguments)

    verify_against_reference(rows, cols, pe, simd, **options, target=ECP5, seed=1, frames=2, run=run)
    unit, trace = verify_against_reference(
        rows, cols, pe, simd, **options, target=ECP5, frames=2, stalls=(0, 0), run=run
    )
    check_timing(unit, trace, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pe": 5}, r"^pe=5 must divide rows=12; legal values are \[1, 2, 3, 4, 6, 12\]$"),
        ({"planes": 19}, r"^planes=19 must be in 1..18, what a multiplier takes$"),
        ({"weights": np.full((12, 4), 1 << 17)}, r"^weight_bits=19 must be in 1..18, what a multiplier takes$"),
        ({"sum_bits": 0}, r"^sum_bits=0 must be at least 1$"),
        ({"biases": [1, 2]}, r"^biases must be rows=12 ints, one a row; there are 2$"),
        ({"weights": np.zeros((12, 4))}, r"^weights of shape \(12, 4\) and float64 must be a matrix of integers$"),
    ],
)
def test_errors(arguments, message):
    legal = {"weights": np.ones((12, 4), np.int16), "biases": [0] * 12, "pe": 3, "simd": 2, "sum_bits": 9}
    with pytest.raises(ValueError, match=message):
        MacUnit(**{**legal, "target": PORTABLE, **arguments})
