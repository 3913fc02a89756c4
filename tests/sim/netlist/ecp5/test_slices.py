"""What nextpnr-ecp5 makes of a netlist, in the batch simulator."""

import numpy as np
import pytest

from bnnhw.boards.toolchain.prepared_netlist import prepared_netlist
from bnnhw.boards.toolchain.process import run_tool
from bnnhw.boards.toolchain.synthesis import synthesise
from bnnhw.boards.toolchain.tools import find_tool
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.netlist.netlist import convert_component
from tests.sim.units import CASES


@pytest.mark.toolchain
@pytest.mark.parametrize("name", ["matrix-block", "labels-signed"])
def test_placed_unit(name, tmp_path):
    """LUTs, carry chains, distributed RAM; block RAM with tied pins; pads and a clock buffer."""
    unit, inputs, outputs = CASES[name](0)
    (tmp_path / "top.il").write_text(convert_component(unit))
    synthesise(tmp_path, ECP5.tools)
    device = ["--25k", "--package", "CABGA381", "--speed", "6"]
    with prepared_netlist(tmp_path, "top", ECP5.tools) as netlist:
        files = ["--json", netlist, "--lpf-allow-unconstrained", "--write", "placed.json"]
        run_tool(
            [*find_tool(ECP5.tools.place_and_route).command, *device, *files, "--no-route"],
            name="nextpnr-ecp5",
            cwd=tmp_path,
            log=tmp_path / "logs" / "nextpnr.log",
        )
    simulator = BatchSimulator.from_design((tmp_path / "placed.json").read_text(), read="read_json")
    result = simulator.run(inputs, output_beats=outputs.shape[1], stall_probability=(0.3, 0.3))
    assert np.array_equal(result.outputs, outputs)
