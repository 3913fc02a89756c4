"""MULT18X18D: the Verilog model, its twin for the batch simulator, and what yosys and nextpnr make of products."""

# pyright: reportGeneralTypeIssues=false, reportAttributeAccessIssue=false, reportArgumentType=false
# (amaranth's types are loose)

import numpy as np
import pytest
from amaranth.hdl import Cat, ClockSignal, Instance, Module, Shape, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.boards.toolchain.synthesis import synthesise
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.icarus.runner import CocotbSimulator
from bnnhw.sim.netlist.ecp5.multiplier import expand_multiplier
from bnnhw.sim.netlist.gates import Cell
from bnnhw.sim.netlist.netlist import convert_component
from tests.beats import to_words
from tests.hw.targets.products import SHAPES, Products, products

from .placed import placed

PINS = [*(f"{factor}{bit}" for factor in "AB" for bit in range(18)), "SIGNEDA", "SIGNEDB", "CE0", "RST0"]
STALLS = (0.3, 0.3)


class Pins(wiring.Component):
    """A MULT18X18D whose input pins are the payload of `i`, and its product that of `o`; the clock runs always."""

    def __init__(self, parameters: dict[str, str]):
        self.parameters = parameters
        super().__init__({"i": In(flat_stream(len(PINS))), "o": Out(flat_stream(36))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.multiplier = Instance(
            "MULT18X18D",
            **{f"p_{name}": value for name, value in self.parameters.items()},
            **{f"i_{pin}": self.i.payload[n] for n, pin in enumerate(PINS)},
            **{f"o_P{bit}": self.o.payload[bit] for bit in range(36)},
            i_CLK0=ClockSignal("sync"),
        )
        tick = Signal()
        m.d.sync += tick.eq(~tick)  # so that there is a clock
        m.d.comb += [self.o.valid.eq(self.i.valid), self.i.ready.eq(self.o.ready)]
        return m


@pytest.mark.cocotb
@pytest.mark.parametrize("registered", ["", "A", "B", "AB"])
def test_verilog_model_and_its_twin_agree(registered: str):
    parameters = {f"REG_INPUT{factor}_CLK": "CLK0" for factor in registered}
    bits = np.random.default_rng(len(registered)).integers(0, 2, (1, 400, len(PINS)))
    frames = to_words(bits, 1)
    slow = CocotbSimulator(Pins(parameters)).run(frames, output_beats=frames.shape[1])
    fast = BatchSimulator(Pins(parameters)).run(frames, output_beats=frames.shape[1])
    np.testing.assert_array_equal(slow.outputs, fast.outputs)
    assert len(np.unique(fast.outputs[0], axis=0)) > 100


@pytest.mark.cocotb
@pytest.mark.parametrize("registers", [0, 1])
def test_products_in_verilog(registers: int):
    inputs, expected = products(SHAPES, seed=registers)
    simulator = CocotbSimulator(Products(SHAPES, registers, ECP5))
    found = simulator.run(inputs, output_beats=inputs.shape[1], stall_probability=STALLS)
    np.testing.assert_array_equal(found.outputs, expected)


@pytest.mark.toolchain
@pytest.mark.parametrize("registers", [0, 1])
def test_placed_products(registers: int, tmp_path):
    """With inputs that nextpnr ties."""
    inputs, expected = products(SHAPES[3:6], seed=registers)
    simulator = placed(Products(SHAPES[3:6], registers, ECP5), tmp_path)
    found = simulator.run(inputs, output_beats=inputs.shape[1], stall_probability=STALLS)
    np.testing.assert_array_equal(found.outputs, expected)


class Inferred(wiring.Component):
    """As Products of one pair, but yosys finds the multipliers."""

    def __init__(self, a: Shape, b: Shape):
        self.shapes = a, b
        super().__init__({"i": In(flat_stream(a.width + b.width)), "o": Out(flat_stream(a.width + b.width))})

    def elaborate(self, platform):
        m = Module()
        a, b = map(Signal, self.shapes)
        m.d.comb += [Cat(a, b).eq(self.i.payload), self.i.ready.eq(~self.o.valid | self.o.ready)]
        with m.If(self.i.ready):
            m.d.sync += [self.o.valid.eq(self.i.valid), self.o.payload.eq(a * b)]
        return m


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("a", "b", "multipliers"),
    [
        (signed(12), signed(9), 1),
        (unsigned(18), unsigned(18), 1),
        (unsigned(9), signed(8), 1),
        (signed(24), signed(18), 2),
    ],
)
def test_what_yosys_infers(a: Shape, b: Shape, multipliers: int, tmp_path):
    (tmp_path / "top.il").write_text(convert_component(Inferred(a, b)))
    assert synthesise(tmp_path, ECP5.tools).cells.multipliers == multipliers
    inputs, expected = products([(a, b)], seed=0)
    simulator = BatchSimulator.from_design((tmp_path / "top.json").read_text(), read="read_json")
    found = simulator.run(inputs, output_beats=inputs.shape[1], stall_probability=STALLS)
    np.testing.assert_array_equal(found.outputs, expected)


@pytest.mark.parametrize("name", ["REG_PIPELINE_CLK", "REG_OUTPUT_CLK"])
def test_other_registers_have_no_model(name: str):
    cell = Cell("product", "MULT18X18D", {}, {}, {name: "CLK0"})
    with pytest.raises(SimulationError, match=f"^product: {name}='CLK0' of MULT18X18D has no simulation model$"):
        expand_multiplier(cell, lambda: 2)


def test_nextpnr_may_choose_another_enable():
    """It gives all multipliers of a block their own ones of four."""
    bits = {pin: [number] for number, pin in enumerate(["A0", "B0", "CLK2", "CE1", "RST3"], start=2)}
    moved = {"REG_INPUTA_CLK": "CLK2", "REG_INPUTA_CE": "CE1", "REG_INPUTA_RST": "RST3"}
    numbers = iter(range(100, 10_000))
    cells = expand_multiplier(Cell("product", "MULT18X18D", bits, {}, moved), lambda: next(numbers))
    assert [each.ports["S"] for each in cells if each.type == "$mux"] == [bits["CE1"], bits["RST3"]]
    assert [each.ports["CLK"] for each in cells if each.type == "$dff"] == [bits["CLK2"]]
