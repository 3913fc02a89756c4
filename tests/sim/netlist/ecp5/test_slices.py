"""What nextpnr-ecp5 makes of a netlist, in the batch simulator."""

import numpy as np
import pytest

from tests.sim.units import CASES

from .placed import placed


@pytest.mark.toolchain
@pytest.mark.parametrize("name", ["matrix-block", "labels-signed"])
def test_placed_unit(name, tmp_path):
    """LUTs, carry chains, distributed RAM; block RAM with tied pins; pads and a clock buffer."""
    unit, inputs, outputs = CASES[name](0)
    result = placed(unit, tmp_path).run(inputs, output_beats=outputs.shape[1], stall_probability=(0.3, 0.3))
    assert np.array_equal(result.outputs, outputs)
