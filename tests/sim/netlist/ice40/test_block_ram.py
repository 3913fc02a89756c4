"""SB_RAM40_4K: the Verilog model, its twin for the batch simulator, and yosys' own model of it."""

# pyright: reportGeneralTypeIssues=false, reportAttributeAccessIssue=false, reportArgumentType=false
# (amaranth's types are loose)

import random
from pathlib import Path

import numpy as np
import pyosys
import pytest
from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets.ice40 import ICE40
from bnnhw.hw.targets.ice40.block_ram import SHAPES
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.errors import SimulationError
from bnnhw.sim.icarus import runner
from bnnhw.sim.icarus.runner import CocotbSimulator
from bnnhw.sim.netlist.gates import Cell
from bnnhw.sim.netlist.ice40.block_ram import expand_block_ram, expand_placed_block_ram
from tests.beats import to_words

BUSES = {"RADDR": 11, "WADDR": 11, "MASK": 16, "WDATA": 16, "RCLKE": 1, "RE": 1, "WCLKE": 1, "WE": 1}
MODES = [(0, 0), (1, 1), (2, 2), (3, 3), (0, 3), (3, 0), (2, 1)]


class Pins(wiring.Component):
    """An SB_RAM40_4K whose input pins are the payload of `i`, and its output that of `o`; the clock runs always."""

    def __init__(self, parameters: dict):
        self.parameters = parameters
        super().__init__({"i": In(flat_stream(sum(BUSES.values()))), "o": Out(flat_stream(16))})

    def elaborate(self, platform):
        m = Module()
        clock, read, begun = ClockSignal("sync"), Signal(16), Signal()
        pins = {name: Signal(width, name=name) for name, width in BUSES.items()}
        m.d.comb += [
            Cat(*pins.values()).eq(self.i.payload),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        m.submodules.ram = Instance(
            "SB_RAM40_4K",
            **{f"p_{name}": value for name, value in self.parameters.items()},
            **{f"i_{name}": pin for name, pin in pins.items()},
            o_RDATA=read,
            i_RCLK=clock,
            i_WCLK=clock,
        )
        with m.If(self.i.valid):
            m.d.sync += begun.eq(1)
        m.d.comb += self.o.payload.eq(Mux(begun, read, 0))  # yosys' model does not know what nothing has read yet
        return m


def case(modes: tuple[int, int]) -> tuple[Pins, np.ndarray]:
    """Random contents and pins; few addresses, so that they meet. The first cycle reads."""
    rng = np.random.default_rng(10 * modes[0] + modes[1])
    initial = {f"INIT_{n:X}": Const(int.from_bytes(rng.bytes(32), "little"), 256) for n in range(16)}
    bits = rng.integers(0, 2, (600, sum(BUSES.values())))
    for begin in (0, BUSES["RADDR"]):
        bits[:, begin + 2 : begin + 8] &= rng.integers(0, 12, (600, 6)) == 0
    bits[0] = 1
    return Pins({"READ_MODE": modes[0], "WRITE_MODE": modes[1], **initial}), to_words(bits[None], 1)


@pytest.mark.cocotb
@pytest.mark.parametrize("modes", MODES)
def test_verilog_model_and_its_twin_agree(modes: tuple[int, int]):
    unit, frames = case(modes)
    slow = CocotbSimulator(unit).run(frames, output_beats=frames.shape[1])
    fast = BatchSimulator(unit).run(frames, output_beats=frames.shape[1])
    differing = np.flatnonzero((slow.outputs != fast.outputs).any(axis=2)[0])
    assert not len(differing), f"cycle {differing[0]}"
    assert len(np.unique(fast.outputs[0], axis=0)) > 3


@pytest.mark.cocotb
@pytest.mark.parametrize("modes", MODES[:4])
def test_verilog_model_is_as_yosys_has_it(modes: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    unit, frames = case(modes)
    ours = CocotbSimulator(unit).run(frames, output_beats=frames.shape[1])
    library = tmp_path / "library.v"
    text = (Path(pyosys.__file__).parent / "share" / "ice40" / "cells_sim.v").read_text()
    library.write_text("`define NO_ICE40_DEFAULT_ASSIGNMENTS\n" + text)
    others = [path for path in runner.VERILOG if path.name != "sb_ram40.v"]
    monkeypatch.setattr(runner, "VERILOG", [*others, library])
    theirs = CocotbSimulator(unit).run(frames, output_beats=frames.shape[1])
    np.testing.assert_array_equal(ours.outputs, theirs.outputs)


class Ram(wiring.Component):
    """A target's block RAM behind a stream of its inputs; what it reads comes with the beat two later."""

    def __init__(self, depth: int, width: int):
        self.ram = ICE40.block_ram(depth=depth, width=width, init=contents(depth, width), writable=True)
        self.bits = (depth - 1).bit_length()
        super().__init__({"i": In(flat_stream(2 * self.bits + 2 + width)), "o": Out(flat_stream(width))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.ram = ram = self.ram
        m.d.comb += [
            Cat(ram.read_address, ram.write_address, ram.read_enable, ram.write_enable, ram.write_data).eq(
                self.i.payload
            ),
            self.o.payload.eq(ram.read_data),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m


def contents(depth: int, width: int) -> list[int]:
    return [row * 0x9E3779B97F4A7C15 % (1 << width) for row in range(depth)]


@pytest.mark.parametrize(("depth", "width"), [(256, 16), (200, 11), (512, 8), (1024, 4), (1500, 1), (2048, 2), (2, 3)])
def test_a_block_ram_is_what_the_interface_says(depth: int, width: int):
    """read_data(t + 2) = memory[read_address(t)], counted in cycles of read_enable."""
    assert ICE40.fabric.block_ram_shapes is SHAPES
    unit, rng, rows, beats, expected = Ram(depth, width), random.Random(depth), contents(depth, width), [], []
    on_the_way = [0, 0]  # what was read last, and the register behind it, which begin as 0
    few = [rng.randrange(depth) for _ in range(6)]
    for _ in range(1500):
        read, write = (rng.choice(few) if rng.random() < 0.5 else rng.randrange(depth) for _ in range(2))
        reads, writes, word = rng.random() < 0.7, rng.random() < 0.5 and read != write, rng.getrandbits(width)
        bits = [*(read >> n & 1 for n in range(unit.bits)), *(write >> n & 1 for n in range(unit.bits))]
        beats.append([*bits, int(reads), int(writes), *(word >> n & 1 for n in range(width))])
        expected.append(on_the_way[1])
        if reads:
            on_the_way = [rows[read], on_the_way[0]]
        if writes:
            rows[write] = word
    found = BatchSimulator(unit).run(to_words(np.array([beats]), 1), output_beats=len(beats))
    words = [int.from_bytes(beat.tobytes(), "little") for beat in found.outputs[0]]
    assert words == expected
    assert len(set(expected)) > 1


def test_contents_from_a_file_have_no_model():
    cell = Cell("ram", "SB_RAM40_4K", {}, {}, {"INIT_FILE": "x.hex"})
    with pytest.raises(SimulationError, match=r"^ram: INIT_FILE of SB_RAM40_4K has no simulation model$"):
        expand_block_ram(cell, lambda: 2)


def test_a_placed_one_has_pins_for_its_buses():
    pins = {"RDATA_3": [2], "RADDR_8": [3], "RCLK": [4], "WCLK": [4], "RE": [1], "WE": [0]}
    numbers = iter(range(100, 1000))
    cell = Cell("ram", "ICESTORM_RAM", pins, {"READ_MODE": 1, "NEG_CLK_R": 1})
    cells = expand_placed_block_ram(cell, numbers.__next__)
    (register,) = (each for each in cells if each.type == "$dff")
    assert (register.ports["CLK"], register.parameters["CLK_POLARITY"]) == ([4], 0)
    (choice,) = (each for each in cells if each.type == "$bmux")
    assert choice.ports["S"] == [3]
