"""Multipliers of both targets: all shapes of factors, with a register and without; their cells."""

from typing import Any

import numpy as np
import pytest
from amaranth.hdl import signed, unsigned

from bnnhw.boards.toolchain.synthesis import synthesise
from bnnhw.hw.targets import PORTABLE, Target
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.netlist.netlist import convert_component

from .products import SHAPES, Products, products


@pytest.mark.parametrize("target", [ECP5, PORTABLE], ids=repr)
@pytest.mark.parametrize("registers", [0, 1])
def test_products(registers: int, target: Target):
    inputs, expected = products(SHAPES, seed=registers)
    simulator = BatchSimulator(Products(SHAPES, registers, target))
    found = simulator.run(inputs, output_beats=inputs.shape[1], stall_probability=(0.4, 0.4))
    np.testing.assert_array_equal(found.outputs, expected)


@pytest.mark.toolchain
@pytest.mark.parametrize(("registers", "flip_flops"), [(0, 1 + 16), (1, 1)])
def test_registers_inside_are_no_flip_flops(registers: int, flip_flops: int, tmp_path):
    unit = Products([(unsigned(9), signed(7))], registers, ECP5)
    (tmp_path / "top.il").write_text(convert_component(unit))
    cells = synthesise(tmp_path, ECP5.tools).cells
    assert (cells.multipliers, cells.ffs) == (1, flip_flops)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "wide": ({"a": signed(19), "b": signed(2)}, r"a=signed\(19\) must have 1 to 18 bits, what a multiplier takes"),
    "none": ({"a": signed(9), "b": unsigned(0)}, r"b=unsigned\(0\) must have 1 to 18 bits"),
    "registers": ({"a": signed(9), "b": signed(9), "registers": 2}, r"registers=2 must be in 0\.\.1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_arguments_are_checked(name: str):
    arguments, message = WRONG[name]
    with pytest.raises(ValueError, match=f"^{message}"):
        PORTABLE.multiplier(**arguments)


def test_a_multiplier_says_what_it_is():
    assert repr(ECP5.multiplier(a=signed(9), b=unsigned(4))) == "Mult18x18d(a=signed(9), b=unsigned(4), registers=0)"
