"""The reader of a flash at the pins of the chip's model: its words, its cycles, and what the chip allows."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Out
from amaranth.sim import Simulator

from bnnhw.hw.engine.boot.flash_reader import FlashReader
from bnnhw.hw.engine.engine_shape import WORD
from bnnhw.sim.memory.flash_model import FlashChip, FlashFault, FlashModel

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
# (amaranth's types are loose)

OFFSET, WORDS = 0x300000, 6
BYTES = np.random.default_rng(4).integers(0, 256, 4 * WORDS, np.uint8)
WANTED = np.packbits(np.unpackbits(BYTES), bitorder="little").view("<u4")
"""The first bit of each byte is the highest on the wire, and the lowest in the word."""


class Read(wiring.Component):
    """A reader and a chip whose last bytes of the address are those of BYTES."""

    address: Signal
    faults: Signal

    def __init__(self, *, clock_hz: int, chip: FlashChip):
        self.reader = FlashReader(offset=OFFSET, clock_hz=clock_hz)
        self.model = FlashModel(chip=chip, clock_hz=clock_hz)
        super().__init__({"address": Out(24), "faults": Out(4)})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.reader, m.submodules.model = reader, model = self.reader, self.model
        m.submodules.memory = memory = Memory(shape=8, depth=len(BYTES), init=BYTES.tolist())
        port = memory.read_port(domain="comb")
        wiring.connect(m, reader.pins, model.pins)
        within = model.address[:16]
        m.d.comb += [
            port.addr.eq(within),
            model.read_data.eq(port.data),
            self.address.eq(model.address),
            self.faults.eq(model.faults),
        ]
        return m


CHIP = FlashChip()


def read(
    *, clock_hz: int, chip: FlashChip = CHIP, again_at: int | None = None, waits: int = 0
) -> tuple[list[int], list[int], FlashFault]:
    """The words, each after `waits` cycles, the cycles in which they came, and what was wrong. again_at: the word with
    which the reader is told to begin anew. It stops with the last word."""
    dut = Read(clock_hz=clock_hz, chip=chip)
    words: list[int] = []
    cycles: list[int] = []
    found = FlashFault(0)
    count = WORDS + (0 if again_at is None else again_at + 1)

    async def bench(ctx):
        nonlocal found
        cycle = 0
        while len(words) < count:
            while not ctx.get(dut.reader.o.valid):
                await ctx.tick()
                cycle += 1
            await ctx.tick().repeat(max(waits, 1)) if waits else None
            ctx.set(dut.reader.o.ready, 1)
            ctx.set(dut.reader.again, len(words) == again_at)
            ctx.set(dut.reader.stop, len(words) == count - 1)
            words.append(ctx.get(dut.reader.o.payload))
            cycles.append(cycle)
            await ctx.tick()
            cycle += 1 + waits
            ctx.set(dut.reader.o.ready, 0)
        await ctx.tick().repeat(500)
        assert not ctx.get(dut.reader.o.valid)
        assert not ctx.get(dut.reader.pins.cs)
        found = FlashFault(ctx.get(dut.faults))

    simulator = Simulator(dut)
    simulator.add_clock(1 / clock_hz)
    simulator.add_testbench(bench)
    simulator.run()
    return words, cycles, found


@pytest.mark.parametrize("mhz", [12.5, 50, 60, 90, 100, 130])
def test_reads_at_the_clock_that_the_chip_has(mhz: float):
    """At most 25 MHz; a word in the cycles that are foreseen."""
    clock_hz = round(mhz * 1e6)
    words, cycles, faults = read(clock_hz=clock_hz)
    np.testing.assert_array_equal(words, WANTED)
    reader = FlashReader(offset=OFFSET, clock_hz=clock_hz)
    assert set(np.diff(cycles)) == {reader.cycles_per_word}
    assert clock_hz / (2 * reader.half_period) <= 25e6
    assert faults == FlashFault(0)


@pytest.mark.parametrize("waits", [1, 40, 300])
def test_waits_with_its_clock(waits: int):
    words, _, faults = read(clock_hz=90_000_000, waits=waits)
    np.testing.assert_array_equal(words, WANTED)
    assert faults == FlashFault(0)


@pytest.mark.parametrize("again_at", [0, 3])
def test_begins_once_more(again_at: int):
    words, _, faults = read(clock_hz=90_000_000, again_at=again_at)
    np.testing.assert_array_equal(words, [*WANTED[: again_at + 1], *WANTED])
    assert faults == FlashFault(0)


@pytest.mark.parametrize(
    ("chip", "fault"),
    [
        ({"read_hz": 20e6}, FlashFault.CLOCK),
        ({"deselect_ns": 36_000}, FlashFault.DESELECT),
        ({"wake_up_ns": 36_000}, FlashFault.ASLEEP),
    ],
)
def test_a_chip_that_wants_more_says_so(chip: dict[str, float], fault: FlashFault):
    _, _, faults = read(clock_hz=90_000_000, chip=replace(CHIP, **chip))
    assert faults == fault


@pytest.mark.parametrize(("output_ns", "is_right"), [(44, True), (45, False)])
def test_a_bit_has_a_period(output_ns: float, is_right: bool):
    """Of four cycles of 11.1 ns."""
    words, _, _ = read(clock_hz=90_000_000, chip=replace(CHIP, output_ns=output_ns))
    assert np.array_equal(words, WANTED) == is_right


def test_refuses_what_three_bytes_of_address_do_not_reach():
    with pytest.raises(ValueError, match=r"^offset=16777216 must be from 0 to below 16777216"):
        FlashReader(offset=1 << WORD // 4 * 3, clock_hz=90_000_000)
