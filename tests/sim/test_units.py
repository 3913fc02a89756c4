"""Every unit of hw/ against numpy: in Icarus Verilog under cocotb, and in the batch simulator, over stalls and seeds."""

import numpy as np
import pytest

from bnnhw.sim.batch import BatchSimulator
from bnnhw.sim.runner import CocotbSimulator

from .units import CASES

STALLS = [(0.0, 0.0), (0.6, 0.1), (0.2, 0.7)]


@pytest.mark.parametrize("simulator", [BatchSimulator, pytest.param(CocotbSimulator, marks=pytest.mark.cocotb)])
@pytest.mark.parametrize("name", CASES)
def test_unit(name, simulator):
    for seed, stalls in enumerate(STALLS):
        unit, inputs, outputs = CASES[name](seed)
        result = simulator(unit).run(inputs, output_beats=outputs.shape[1], stall_probability=stalls, seed=seed)
        assert np.array_equal(result.outputs, outputs), f"{name}, seed={seed}, stalls={stalls}"


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
