"""MatrixUnit against numpy: foldings, stores, vectors, planes, degenerate thresholds, stalls, exact timing."""

from itertools import pairwise

import numpy as np
import pytest

from bnnhw.hw.product.matrix_shape import MatrixShape
from bnnhw.hw.product.matrix_unit import MatrixUnit
from bnnhw.hw.product.processing_group import ProcessingGroup
from bnnhw.hw.stream.flow import flow_cycles
from bnnhw.hw.targets import PORTABLE, Target
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.proof import prove_equal
from tests.hw.scenario import pack, run_scenario
from tests.hw.verilog_scenario import run_verilog_scenario

FRAMES = 4

# rows, cols, pe, simd, and what differs from 1 vector, 1 plane, thresholds, store "auto"
CASES = [
    (4, 6, 2, 3, {}),
    (4, 6, 2, 3, {"store": "block"}),
    (4, 6, 2, 3, {"store": "lut", "vectors": 2}),
    (4, 6, 4, 6, {}),  # everything at once, constant weights
    (4, 6, 4, 6, {"vectors": 3, "planes": 2}),
    (5, 6, 5, 2, {"store": "block"}),  # one row fold
    (6, 5, 2, 5, {"store": "lut"}),  # one input word
    (6, 5, 2, 5, {"store": "block", "vectors": 2}),  # one that waits for its weights
    (4, 6, 1, 1, {"store": "block"}),
    (3, 2, 1, 2, {"planes": 3}),
    (1, 1, 1, 1, {}),
    (20, 8, 20, 4, {"vectors": 2}),  # three groups
    (18, 130, 9, 13, {"store": "block"}),  # block RAMs that serve two groups
    (34, 60, 2, 3, {"store": "block"}),  # thresholds beside the weights
    (34, 24, 2, 4, {"store": "block", "planes": 4, "vectors": 2}),
    (6, 8, 3, 2, {"vectors": 3, "planes": 5}),
    (6, 8, 3, 8, {"planes": 8, "store": "block"}),
    (10, 16, 10, 8, {"thresholded": False}),
    (4, 6, 2, 3, {"thresholded": False, "vectors": 2, "planes": 8}),
    (4, 80, 2, 2, {"store": "block", "planes": 2}),  # an input buffer in block RAM
    (12, 6, 2, 3, {"row_groups": 3, "store": "lut"}),
    (12, 6, 4, 6, {"row_groups": 3, "store": "lut", "planes": 2, "vectors": 2}),  # one word a vector
    (6, 9, 1, 9, {"row_groups": 6, "store": "lut"}),  # one row a group
    (68, 30, 2, 3, {"row_groups": 2, "store": "block"}),
    (8, 6, 2, 2, {"row_groups": 2, "thresholded": False}),
    (4, 6, 2, 3, {"levels": 3}),
    (4, 6, 4, 6, {"levels": 2, "vectors": 2}),
    (10, 12, 10, 4, {"levels": 5, "store": "block"}),  # three groups
    (6, 7, 1, 1, {"levels": 1, "store": "lut"}),
    (12, 80, 2, 2, {"levels": 6, "row_groups": 3, "vectors": 2}),  # an input buffer in block RAM
]

ON_CELLS = [
    (4, 6, 4, 6, {}),
    (18, 130, 9, 13, {"store": "block"}),
    (34, 60, 2, 3, {"store": "block"}),
    (34, 24, 2, 4, {"vectors": 2, "planes": 4, "store": "block"}),
    (4, 80, 2, 2, {"store": "block"}),
    (40, 15, 1, 1, {"store": "block"}),  # 1024 x 18
    (70, 30, 1, 1, {"store": "block"}),  # 4096 x 4
    (90, 100, 1, 1, {"store": "block", "thresholded": False}),  # 16384 x 1
    (10, 16, 10, 8, {"thresholded": False, "vectors": 2}),
    (10, 16, 5, 8, {"levels": 3, "vectors": 2}),
]


def verify_against_reference(
    rows, cols, pe, simd, *, vectors=1, planes=1, row_groups=1, levels=0, thresholded=True, store="auto",
    target=PORTABLE, seed=0, stalls=(0.3, 0.3), frames=FRAMES, run=run_scenario,
):  # fmt: skip
    """Runs random frames through a unit with random weights and compares every beat; the unit and the trace."""
    rng = np.random.default_rng(seed)
    weights = rng.choice([-1, 1], (rows, cols))
    if levels:
        planes, thresholded = levels.bit_length(), False
    most = cols * ((1 << planes) - 1)
    thresholds = rng.integers(-3, most + 4, rows) if seed % 2 else rng.normal(most / 2, most / 8 + 1, rows).astype(int)
    unit = MatrixUnit(
        weights=weights,
        pe=pe,
        simd=simd,
        vectors=vectors,
        planes=planes,
        row_groups=row_groups,
        levels=levels,
        thresholds=thresholds if thresholded else None,
        store=store,
        target=target,
    )
    x = rng.integers(0, levels + 1 if levels else 1 << planes, (frames, vectors, cols))
    results = (x[:, :, None, :] ^ (weights > 0) * ((1 << planes) - 1)).sum(axis=-1)  # each plane is XORed
    if levels:
        results = np.stack([((x > level)[:, :, None, :] != (weights > 0)).sum(axis=-1) for level in range(levels)], -1)
    if thresholded:
        results = results <= thresholds
    own = rows // row_groups
    results = [frame[:, n % row_groups * own : (n % row_groups + 1) * own] for n, frame in enumerate(results)]
    beats = [pack(frame[:, s : s + simd].ravel(), planes) for frame in x for s in range(0, cols, simd)]
    expected = [
        pack(frame[:, r : r + pe].ravel(), unit.shape.result_width) for frame in results for r in range(0, own, pe)
    ]
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
def test_timing_is_exact(rows, cols, pe, simd, options):
    unit, trace = verify_against_reference(rows, cols, pe, simd, **options, stalls=(0, 0))
    check_timing(unit, trace, FRAMES)


@pytest.mark.parametrize(("rows", "cols", "pe", "simd", "options"), CASES)
def test_no_cycle_is_lost_between_vectors(rows, cols, pe, simd, options):
    """Every PE works in every cycle of the steady state: vectors leave in the distance of their beats of work."""
    frames = 8
    unit, trace = verify_against_reference(rows, cols, pe, simd, **options, stalls=(0, 0), frames=frames)
    last = trace.output_cycles[unit.shape.vector_folds - 1 :: unit.shape.vector_folds]
    work = rows * cols * unit.shape.passes // (pe * simd * unit.shape.row_groups)
    assert [b - a for a, b in pairwise(last)] == [work] * (frames - 1)
    assert unit.initiation_interval == work


@pytest.mark.toolchain
@pytest.mark.parametrize(("rows", "cols", "pe", "simd", "options"), ON_CELLS)
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_numpy_on_ecp5_cells(rows, cols, pe, simd, options, seed, tmp_path):
    def run(dut, beats, **arguments):
        return run_verilog_scenario(dut, beats, folder=tmp_path, **arguments)

    verify_against_reference(rows, cols, pe, simd, **options, target=ECP5, seed=seed, frames=2, run=run)
    unit, trace = verify_against_reference(
        rows, cols, pe, simd, **options, target=ECP5, seed=seed, frames=2, stalls=(0, 0), run=run
    )
    check_timing(unit, trace, 2)


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("simd", "vectors", "planes", "constant"), [(1, 1, 1, False), (8, 2, 1, False), (16, 1, 4, False), (13, 1, 1, True)]
)
def test_processing_elements_on_cells_equal_the_portable_ones(simd, vectors, planes, constant, tmp_path):
    folds = 1 if constant else 4
    cols = simd if constant else 4 * simd

    def group(target: Target) -> ProcessingGroup:
        sizes = {"rows": 2 * folds, "cols": cols, "pe": 2, "simd": simd, "vectors": vectors, "planes": planes}
        shape = MatrixShape(**sizes, target=target)
        return ProcessingGroup(
            shape=shape,
            pes=2,
            weights=np.random.default_rng(1).integers(0, 2, (2, shape.rom_bits)),
            starts=np.arange(folds * 2).reshape(folds, 2) * 5 % (1 << shape.accumulator_width),
        )

    prove_equal(group(PORTABLE), group(ECP5), tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pe": 5}, r"^pe=5 must divide rows=12; legal values are \[1, 2, 3, 4, 6, 12\]$"),
        ({"row_groups": 5}, r"^row_groups=5 must divide rows=12; legal values are \[1, 2, 3, 4, 6, 12\]$"),
        ({"row_groups": 2, "pe": 4}, r"^pe=4 must divide rows of a group=6; legal values are \[1, 2, 3, 6\]$"),
        ({"simd": 0}, r"^simd=0 must divide cols=4; legal values are \[1, 2, 4\]$"),
        ({"planes": 0}, r"^planes=0 must be at least 1$"),
        ({"store": "ram"}, r"^store='ram' must be one of \['block', 'lut', 'constant', 'auto'\]$"),
        ({"store": "constant"}, r"^store='constant' must have pe=rows=12 and simd=cols=4; pe=3, simd=2 needs"),
        ({"target": "asic"}, r"^target='asic' must be one of \['ecp5', 'ice40', 'portable'\]$"),
        ({"thresholds": [1, 2]}, r"^thresholds must be rows=12 ints, one a row; there are 2$"),
        ({"weights": np.zeros((12, 4))}, r"^weights of shape \(12, 4\) must be a matrix of \+1 and -1$"),
    ],
)
def test_errors(arguments, message):
    legal = {"weights": np.ones((12, 4), np.int8), "pe": 3, "simd": 2, "target": PORTABLE}
    with pytest.raises(ValueError, match=message):
        MatrixUnit(**{**legal, **arguments})
