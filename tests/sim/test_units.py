"""Every unit of hw/ against numpy: in the batch simulator, and in Icarus Verilog under cocotb; random stalls."""

import numpy as np
import pytest

from bnnhw.sim.batch import BatchSimulator
from bnnhw.sim.runner import CocotbSimulator

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
