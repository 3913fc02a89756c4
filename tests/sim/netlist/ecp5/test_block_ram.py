"""DP16KD: the Verilog model, its twin for the batch simulator, and what yosys' memory mapping expects of both."""

# pyright: reportGeneralTypeIssues=false, reportAttributeAccessIssue=false, reportArgumentType=false
# (amaranth's types are loose)

import itertools

import numpy as np
import pytest
from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from bnnhw.boards.toolchain.synthesis import synthesise
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.icarus.runner import CocotbSimulator
from bnnhw.sim.netlist.netlist import convert_component
from tests.beats import to_words

PINS = [f"{bus}{port}{n}" for port in "AB" for bus, count in (("DI", 18), ("AD", 14), ("CS", 3)) for n in range(count)]
PINS += [f"{pin}{port}" for port in "AB" for pin in ("CE", "OCE", "WE", "RST")]
OUTPUTS = [f"DO{port}{n}" for port in "AB" for n in range(18)]


class Pins(wiring.Component):
    """A DP16KD whose input pins are the payload of `i`, and its output pins that of `o`; the clock runs always."""

    def __init__(self, **parameters):
        self.parameters = parameters
        super().__init__({"i": In(flat_stream(len(PINS))), "o": Out(flat_stream(len(OUTPUTS)))})

    def elaborate(self, platform):
        m = Module()
        clock = ClockSignal("sync")
        m.submodules.ram = Instance(
            "DP16KD",
            **{f"p_{name}": value for name, value in self.parameters.items()},
            **{f"i_{pin}": self.i.payload[n] for n, pin in enumerate(PINS)},
            **{f"o_{pin}": self.o.payload[n] for n, pin in enumerate(OUTPUTS)},
            i_CLKA=clock,
            i_CLKB=clock,
        )
        tick = Signal()
        m.d.sync += tick.eq(~tick)  # so that there is a clock
        m.d.comb += [self.o.valid.eq(self.i.valid), self.i.ready.eq(self.o.ready)]
        return m


def traffic(cycles: int, *, seed: int, width_a: int, width_b: int) -> np.ndarray:
    """Random pins; few addresses, so that they meet. The first cycle is idle; chip selects are mostly 0."""
    rng = np.random.default_rng(seed)
    bits = {pin: rng.integers(0, 2, cycles) for pin in PINS}
    for pin in PINS:
        if pin.startswith("CS"):
            bits[pin] &= rng.integers(0, 10, cycles) == 0
        elif pin.startswith("RST"):
            bits[pin] &= rng.integers(0, 6, cycles) == 0
        elif pin[:3] in ("ADA", "ADB") and int(pin[3:]) >= 7:
            bits[pin] &= rng.integers(0, 12, cycles) == 0
        bits[pin][0] = 0
    if width_a == 36:
        bits["WEA"] |= bits["CEA"]  # port A only writes
    if width_b == 36:
        bits["WEB"][:] = 0  # port B only reads
    return to_words(np.stack([bits[pin] for pin in PINS], axis=1)[None], 1)


WIDTHS = [(18, 18), (36, 36), (36, 9), (9, 9), (1, 1), (2, 4), (1, 9), (4, 18), (36, 2)]
MODES = [
    {},
    {"REGMODE_A": "OUTREG", "REGMODE_B": "OUTREG"},
    {"WRITEMODE_A": "WRITETHROUGH", "WRITEMODE_B": "READBEFOREWRITE", "CSDECODE_B": "0b100"},
    {"RESETMODE": "ASYNC", "REGMODE_B": "OUTREG", "CSDECODE_A": "0b001"},
]


@pytest.mark.cocotb
@pytest.mark.parametrize(("widths", "modes"), [(w, MODES[n % len(MODES)]) for n, w in enumerate(WIDTHS)])
def test_verilog_model_and_its_twin_agree(widths, modes):
    rng = np.random.default_rng(sum(widths))
    initial = {f"INITVAL_{n:02X}": Const(int.from_bytes(rng.bytes(40), "little"), 320) for n in range(64)}
    parameters = dict(DATA_WIDTH_A=widths[0], DATA_WIDTH_B=widths[1], **modes, **initial)
    frames = traffic(600, seed=sum(widths), width_a=widths[0], width_b=widths[1])
    slow = CocotbSimulator(Pins(**parameters)).run(frames, output_beats=frames.shape[1])
    fast = BatchSimulator(Pins(**parameters)).run(frames, output_beats=frames.shape[1])
    differing = np.flatnonzero((slow.outputs != fast.outputs).any(axis=2)[0])
    assert not len(differing), f"cycle {differing[0]}"
    assert len(np.unique(fast.outputs[0], axis=0)) > 3


class Store(wiring.Component):
    """One port writes, another reads: o = rows[read address] as it was before the cycle's write."""

    def __init__(self, width: int, depth: int):
        self.width, self.depth = width, depth
        self.bits = (depth - 1).bit_length()
        super().__init__({"i": In(flat_stream(2 * self.bits + 1 + width)), "o": Out(flat_stream(width))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.rows = rows = Memory(shape=self.width, depth=self.depth, init=self.initial())
        read, write = rows.read_port(), rows.write_port()
        accepted = self.i.valid & self.i.ready
        enable = Signal()
        m.d.comb += [
            self.i.ready.eq(~self.o.valid | self.o.ready),
            Cat(read.addr, write.addr, enable, write.data).eq(self.i.payload),
            write.en.eq(accepted & enable),
            read.en.eq(accepted),
            self.o.payload.eq(read.data),
        ]
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid)
        return m

    def initial(self) -> list[int]:
        return [row * 0x9E3779B97F4A7C15 % (1 << self.width) for row in range(self.depth)]


@pytest.mark.toolchain
@pytest.mark.parametrize(("width", "depth"), [(36, 512), (18, 1000), (9, 2048), (70, 300), (3, 4096), (1, 16384)])
def test_memory_mapping(width, depth, tmp_path):
    """A memory after synthesis holds and gives what the plain one does."""
    component = Store(width, depth)
    (tmp_path / "top.il").write_text(convert_component(component))
    figures = synthesise(tmp_path, ECP5.tools)
    assert figures.cells.ebr >= 1
    rng = np.random.default_rng(width)
    cycles, rows = 2000, component.initial()
    reads, writes = rng.integers(0, depth, (2, cycles)) // rng.choice([1, depth // 8], (2, cycles))
    enables, data = rng.integers(0, 2, cycles), rng.integers(0, 2, (cycles, width))
    expected = []
    for read, write, enable, bits in zip(reads, writes, enables, data, strict=True):
        expected.append(rows[read])
        if enable:
            rows[write] = int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")
    fields = [*(a[:, None] >> np.arange(component.bits) & 1 for a in (reads, writes)), enables[:, None], data]
    frames = to_words(np.concatenate(fields, axis=1)[None], 1)
    simulator = BatchSimulator.from_design((tmp_path / "top.json").read_text(), read="read_json")
    for stalls in itertools.product((0.0, 0.4), repeat=2):
        result = simulator.run(frames, output_beats=cycles, stall_probability=stalls)
        found = [int.from_bytes(beat.tobytes(), "little") for beat in result.outputs[0]]
        assert found == expected, stalls
