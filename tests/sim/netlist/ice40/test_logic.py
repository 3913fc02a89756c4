"""What yosys and nextpnr-ice40 make of a netlist, in the batch simulator."""

from pathlib import Path

import numpy as np
import pytest
from amaranth.hdl import signed, unsigned
from amaranth.lib.wiring import Component

from bnnhw.boards.toolchain.placing import place
from bnnhw.boards.toolchain.synthesis import synthesise
from bnnhw.hw.targets import get_device
from bnnhw.hw.targets.ice40 import ICE40
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.netlist.gates import Cell
from bnnhw.sim.netlist.ice40.logic import expand_logic_cell
from bnnhw.sim.netlist.netlist import convert_component
from tests.hw.targets.products import Products, products
from tests.sim.units import CASES

DEVICE = get_device("iCE40UP5K")
STALLS = (0.3, 0.3)


def check(unit: Component, inputs: np.ndarray, outputs: np.ndarray, folder: Path) -> None:
    """The unit's netlist, and its cells where they were placed, answer as it does."""
    (folder / "top.il").write_text(convert_component(unit))
    synthesise(folder, ICE40.tools)
    place(folder, device=DEVICE, package=ICE40.tools.common_package, speed=ICE40.tools.slowest_speed)
    for name in ("top.json", "top.placed.json"):
        simulator = BatchSimulator.from_design((folder / name).read_text(), read="read_json")
        found = simulator.run(inputs, output_beats=outputs.shape[1], stall_probability=STALLS)
        np.testing.assert_array_equal(found.outputs, outputs, name)


@pytest.mark.toolchain
@pytest.mark.parametrize("name", ["matrix-ice40", "fifo-ice40", "hardwired-ice40"])
def test_units(name: str, tmp_path: Path):
    """Chains, block RAM that yosys finds and that is asked for, and more ports than the package has pins."""
    check(*CASES[name](0), tmp_path)


@pytest.mark.toolchain
@pytest.mark.parametrize("registers", [0, 1])
def test_products(registers: int, tmp_path: Path):
    """In SB_MAC16, and in LUTs where they are small, or more than 16 bits wide."""
    shapes = [(signed(16), unsigned(16)), (unsigned(4), signed(5)), (unsigned(17), signed(7))]
    unit = Products(shapes, registers, ICE40)
    (tmp_path / "top.il").write_text(convert_component(unit))
    assert synthesise(tmp_path, ICE40.tools).cells.multipliers >= 1
    inputs, outputs = products(shapes, seed=registers)
    simulator = BatchSimulator.from_design((tmp_path / "top.json").read_text(), read="read_json")
    found = simulator.run(inputs, output_beats=outputs.shape[1], stall_probability=STALLS)
    np.testing.assert_array_equal(found.outputs, outputs)


def parts(connections: dict[str, int], **parameters: int) -> list[Cell]:
    ports = {name: [bit] for name, bit in connections.items()}
    return expand_logic_cell(Cell("lc", "ICESTORM_LC", ports, parameters), iter(range(100, 200)).__next__)


def test_a_logic_cell_whose_carry_needs_its_own_output():
    """Its LUT does not look at that input."""
    carry, lut = parts({"I1": 2, "I2": 3, "I3": 4, "CIN": 5, "COUT": 6, "O": 3}, LUT_INIT=0x00FF, CARRY_ENABLE=1)
    assert carry.ports == {"I0": [2], "I1": [3], "CI": [5], "CO": [6]}
    assert lut.ports == {"I0": [0], "I1": [0], "I2": [0], "I3": [4], "O": [3]}


def test_a_chain_begins_with_a_constant():
    (carry, _) = parts({"I1": 2, "COUT": 6}, CARRY_ENABLE=1, CIN_CONST=1, CIN_SET=1)
    assert carry.ports == {"I0": [2], "I1": [0], "CI": [1], "CO": [6]}


@pytest.mark.parametrize(("asynchronous", "kind"), [(0, "$dff"), (1, "$adff")])
def test_the_flip_flop_of_a_logic_cell(asynchronous: int, kind: str):
    made = parts(
        {"I0": 2, "CLK": 3, "CEN": 4, "SR": 5, "O": 6},
        LUT_INIT=0xAAAA, DFF_ENABLE=1, ASYNC_SR=asynchronous, SET_NORESET=1, NEG_CLK=1,
    )  # fmt: skip
    flip_flop = made[-1]
    assert (flip_flop.type, flip_flop.ports["CLK"], flip_flop.ports["Q"]) == (kind, [3], [6])
    assert flip_flop.parameters["CLK_POLARITY"] == 0
    selects = [each.ports["S"] for each in made if each.type == "$mux"]
    assert selects == ([[4]] if asynchronous else [[4], [4], [5]])
