"""The batch simulator on small components of its own."""

# pyright: reportGeneralTypeIssues=false, reportAttributeAccessIssue=false, reportArgumentType=false
# pyright: reportInvalidTypeForm=false, reportReturnType=false, reportCallIssue=false, reportOperatorIssue=false
# (amaranth's types are loose)

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Array, Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from bnnhw.hw.core import Core
from bnnhw.hw.stream.buffer import StreamBuffer
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.targets import PORTABLE
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.batch.waves import Waves
from bnnhw.sim.errors import DeadlockError, SimulationError


class Function(wiring.Component):
    """o = function(i), without a register."""

    def __init__(self, width, function):
        self.function = function
        self.result = function(Signal(width))
        super().__init__(
            {"i": In(stream.Signature(unsigned(width))), "o": Out(stream.Signature(unsigned(len(self.result))))}
        )

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.o.payload.eq(self.function(self.i.payload)),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m


class Accumulator(wiring.Component):
    """Sums `beats` numbers; a beat of `o` for each group. With `stuck`, the last one never leaves."""

    def __init__(self, beats, *, stuck=False, twice=False):
        self.beats, self.stuck, self.twice = beats, stuck, twice
        super().__init__({"i": In(stream.Signature(unsigned(8))), "o": Out(stream.Signature(unsigned(70)))})

    def elaborate(self, platform):
        m = Module()
        count = Signal(range(self.beats + 1))
        again = Signal(init=self.twice)
        full = count == self.beats
        m.d.comb += [self.i.ready.eq(~full), self.o.valid.eq(full & (not self.stuck))]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [self.o.payload.eq(self.o.payload + self.i.payload), count.eq(count + 1)]
        with m.If(self.o.valid & self.o.ready):
            with m.If(again):
                m.d.sync += again.eq(0)
            with m.Else():
                m.d.sync += [count.eq(0), self.o.payload.eq(0), again.eq(self.twice)]
        return m


class Table(wiring.Component):
    """Writes the beat's data to the row that its address names, and gives out what stood there before."""

    def __init__(self, width, depth):
        self.width, self.depth = width, depth
        self.address = (depth - 1).bit_length()
        bits = width + self.address
        super().__init__({"i": In(stream.Signature(unsigned(bits))), "o": Out(stream.Signature(unsigned(width)))})

    def initial(self, row):
        return row * 0x9E3779B97F4A7C15 % (1 << self.width)

    def elaborate(self, platform):
        m = Module()
        rows = [self.initial(row) for row in range(self.depth)]
        m.submodules.rows = rows = memory.Memory(shape=unsigned(self.width), depth=self.depth, init=rows)
        read, write = rows.read_port(), rows.write_port()
        accept = self.i.valid & self.i.ready
        m.d.comb += [
            self.i.ready.eq(~self.o.valid | self.o.ready),
            self.o.payload.eq(read.data),
            Cat(write.data, write.addr).eq(self.i.payload),
            read.addr.eq(write.addr),
            read.en.eq(accept),
            write.en.eq(accept),
        ]
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid)
        return m


def random_frames(shape, *, width, seed=0):
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 1 << 64, (*shape, (width + 63) // 64), np.uint64, endpoint=False)
    if width % 64:
        frames[..., -1] &= np.uint64((1 << width % 64) - 1)
    return frames


def as_int(words):
    return sum(int(word) << 64 * n for n, word in enumerate(words))


def operators(x):
    """Every operator that Amaranth has, over operands of unequal widths and signs."""
    a, b, s = x[0:5], x[5:12], x[12:14]
    sa, sb = a.as_signed(), b.as_signed()
    results = [~a, -a, ~sa, -sb, abs(sa)]
    for u, v in ((a, b), (sa, sb), (sa, b), (b, a)):
        results += [u + v, u - v, u * v, u & v, u | v, u ^ v]
        results += [u == v, u != v, u < v, u <= v, u > v, u >= v, u // v, u % v]
    results += [a.all(), a.any(), a.bool(), a.xor(), sb << s, sb >> s, b << s, b.rotate_left(3), a.bit_select(s, 3)]
    results += [b.word_select(s[0], 3), Mux(s[0], sa, b), Mux(s, a, 3), Array([a, b, sa, 1])[s], b.matches("1--0--1")]
    return Cat(*results)


def simulate_function(function, width, values):
    """function(value) of each value by Amaranth's own simulator."""
    x = Signal(width)
    result = function(x)
    y = Signal(len(result))
    m = Module()
    m.d.comb += y.eq(result)
    found = []

    async def bench(ctx):
        for value in values:
            ctx.set(x, value)
            found.append(ctx.get(y))

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    return found


def test_operators():
    frames = random_frames((400, 1), width=14)
    simulator = BatchSimulator(Function(14, operators))
    result = simulator.run(frames, output_beats=1)
    expected = simulate_function(operators, 14, [int(word) for word in frames[:, 0, 0]])
    assert [as_int(beat[0]) for beat in result.outputs] == expected


@pytest.mark.parametrize("stalls", [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.3, 0.6)])
@pytest.mark.parametrize("lanes", [1, 7, 64, 256])
def test_accumulator(stalls, lanes):
    frames = random_frames((270, 5), width=8)
    result = BatchSimulator(Accumulator(5)).run(
        frames, output_beats=1, stall_probability=stalls, lanes=lanes, seed=lanes
    )
    assert (result.outputs[:, 0, 0] == frames.sum(axis=(1, 2))).all()
    assert not result.outputs[:, 0, 1].any()
    assert result.lanes == lanes
    assert (np.diff(result.accepted_cycles, axis=1) >= 1).all()
    assert (result.output_cycles[:, 0] > result.accepted_cycles[:, -1]).all()
    if stalls == (0.0, 0.0):
        assert result.accepted_cycles[0].tolist() == [0, 1, 2, 3, 4]
        assert result.output_cycles[0].tolist() == [5]


def test_seed_decides_the_stalls():
    simulator = BatchSimulator(Accumulator(3))
    frames = random_frames((20, 3), width=8)
    cycles = [
        simulator.run(frames, output_beats=1, stall_probability=(0.5, 0.5), seed=seed).output_cycles.tolist()
        for seed in (1, 1, 2)
    ]
    assert cycles[0] == cycles[1] != cycles[2]


def test_memories_begin_with_other_rows():
    component = Table(16, 8)
    simulator = BatchSimulator(component)
    rows = np.arange(1000, 1008, dtype=np.uint64)[:, None]
    simulator.preload(rows, width=16)
    frames = np.arange(8, dtype=np.uint64)[None, :, None] << np.uint64(16)  # reads each row, and writes 0
    for _ in range(2):
        np.testing.assert_array_equal(simulator.run(frames, output_beats=8).outputs[0], rows)
    with pytest.raises(ValueError, match=r"^0 memories have 4 rows of 16 bits; one must have them$"):
        simulator.preload(rows[:4], width=16)
    simulator.program = replace(simulator.program, memories=[*simulator.program.memories] * 2)
    with pytest.raises(ValueError, match=r"^2 memories have 8 rows of 16 bits; one must have them$"):
        simulator.preload(rows, width=16)


@pytest.mark.parametrize("lanes", [1, 3, 5, 70])
@pytest.mark.parametrize(("width", "depth"), [(1, 2), (64, 5), (130, 16)])
def test_memory(width, depth, lanes):
    """Also where a row is written and read again: with few lanes, at the same addresses in all of them."""
    component = Table(width, depth)
    rng = np.random.default_rng(width)
    values = [
        [(int(rng.integers(depth)), int.from_bytes(rng.bytes(20), "little") % (1 << width)) for _ in range(30)]
        for _ in range(lanes)
    ]
    words = (width + component.address + 63) // 64
    frames = np.array(
        [
            [[(data | row << width) >> 64 * n & (1 << 64) - 1 for n in range(words)] for row, data in frame]
            for frame in values
        ],
        np.uint64,
    )
    result = BatchSimulator(component).run(frames, output_beats=30, stall_probability=(0.2, 0.3), lanes=lanes)
    for frame, outputs in zip(values, result.outputs, strict=True):
        rows = [component.initial(row) for row in range(depth)]
        for (row, data), output in zip(frame, outputs, strict=True):
            assert as_int(output) == rows[row]
            rows[row] = data


def test_deadlock_names_how_many_beats_moved():
    simulator = BatchSimulator(Accumulator(5, stuck=True))
    with pytest.raises(DeadlockError, match=r"no beat moved for 50 cycles: 10 of 30 beats went in, 0 of 6 came out"):
        simulator.run(random_frames((6, 5), width=8), output_beats=1, lanes=2, patience=50)


def test_deadlock_names_the_unit_that_holds_beats_up():
    units = [StreamBuffer(width=8), Fifo(width=8, depth=8, target=PORTABLE), Accumulator(5, stuck=True)]
    width = len(units[-1].o.payload)
    names = ["front", "conv2 windows queue", "conv2 windows"]
    core = Core(units=units, input_lanes=1, input_width=8, output_lanes=1, output_width=width, names=names)
    with pytest.raises(DeadlockError, match=r"; unit2_conv2_windows neither takes nor gives a beat$"):
        BatchSimulator(core).run(random_frames((6, 5), width=8), output_beats=1, lanes=2, patience=50)


def test_surplus_beats_are_found():
    simulator = BatchSimulator(Accumulator(5, twice=True))
    with pytest.raises(SimulationError, match="2 beats left besides the 1 of each frame"):
        simulator.run(random_frames((2, 5), width=8), output_beats=1, lanes=2)


@pytest.mark.parametrize("shape", [(3, 5), (3, 5, 2), (0, 5, 1)])
def test_shape_of_frames(shape):
    with pytest.raises(SimulationError, match=r"frames has shape \(.*\); \(frames, beats, 1\) is required"):
        BatchSimulator(Accumulator(5)).run(np.zeros(shape, np.uint64), output_beats=1)


def test_streams_are_required():
    class Bare(wiring.Component):
        i: In(stream.Signature(unsigned(8)))
        out: Out(signed(8))

        def elaborate(self, platform):
            return Module()

    with pytest.raises(SimulationError, match="a component with streams i and o is required"):
        BatchSimulator(Bare())


def test_waves(tmp_path):
    path = tmp_path / "waves.vcd"
    frames = np.arange(1, 41, dtype=np.uint64).reshape(8, 5, 1)
    BatchSimulator(Accumulator(5)).run(frames, output_beats=1, lanes=1, waves=Waves(path, first=3, count=12))
    text = path.read_text()
    names = {line.split()[4]: line.split()[3] for line in text.splitlines() if line.startswith("$var")}
    assert {"clk", "count", "i__payload", "o__payload", "o__valid"} <= set(names)
    values, time = {}, None
    for line in text.splitlines():
        if line.startswith("#"):
            time = int(line[1:])
        elif line.startswith("b") and line.endswith(f" {names['o__payload']}"):
            values[time] = int(line.split()[0][1:], 2)
    sums = [1 + 2 + 3, 10, 15, 0, 6, 13, 21, 30, 40, 0, 11, 23]  # in cycles 3 to 14
    assert values == {0: 0, **{10 * (3 + n): value for n, value in enumerate(sums)}}
