"""Every unit of hw/ against numpy: in the batch simulator, and in Icarus Verilog under cocotb; random stalls."""

import numpy as np
import pytest

from bnnhw.hw.pool.max_pool import MaxPool
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.icarus.runner import CocotbSimulator

from .image_units import pool, sliding_window
from .units import CASES

STALLS = [(0.3, 0.3), (0.6, 0.1), (0.2, 0.7)]


def check(name, simulator, *, seed):
    unit, inputs, outputs = CASES[name](seed)
    stalls = STALLS[seed % len(STALLS)]
    result = simulator(unit).run(inputs, output_beats=outputs.shape[1], stall_probability=stalls, seed=seed)
    assert np.array_equal(result.outputs, outputs), f"{name}, seed={seed}, stalls={stalls}"


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", range(3))
def test_unit_in_batches(name, seed):
    check(name, BatchSimulator, seed=seed)


@pytest.mark.cocotb
@pytest.mark.parametrize(("name", "seed"), [(name, seed) for seed, name in enumerate(CASES)])
def test_unit_under_cocotb(name, seed):
    check(name, CocotbSimulator, seed=seed)


@pytest.mark.cocotb
@pytest.mark.parametrize("name", ["matrix-block", "matrix-planes", "converter-coprime", "labels-signed"])
def test_both_simulators_count_the_same_cycles(name):
    unit, inputs, outputs = CASES[name](0)
    fast = BatchSimulator(unit).run(inputs, output_beats=outputs.shape[1], lanes=1)
    unit, inputs, outputs = CASES[name](0)
    slow = CocotbSimulator(unit).run(inputs, output_beats=outputs.shape[1])
    assert np.array_equal(fast.accepted_cycles, slow.accepted_cycles)
    assert np.array_equal(fast.output_cycles, slow.output_cycles)
    assert fast.cycles == slow.cycles


@pytest.mark.parametrize(
    "case",
    [
        sliding_window(5, 4096, 1, (3, 3), 9, pixels=4, in_pixels=4, padding=(1, 1, 1, 1), code=1, target=ECP5),
        sliding_window(4, 4096, 2, (3, 2), 4, pixels=2, stride=(1, 2), target=ECP5),
        pool(MaxPool, np.max, 4, 4096, 2, (2, 2), (2, 2), 4, 1, 2, ECP5),
    ],
    ids=["window", "window-stride", "max-pool"],
)
def test_images_4096_wide(case):
    unit, inputs, outputs = case(0)
    result = BatchSimulator(unit).run(inputs, output_beats=outputs.shape[1], stall_probability=(0.2, 0.2), seed=0)
    assert np.array_equal(result.outputs, outputs)
