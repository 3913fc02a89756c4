"""The translator alone, between luna's signals and a PHY that interrupts wherever it may."""

from collections.abc import Callable
from typing import Any

import pytest
from amaranth.hdl import Module, Mux, Signal
from amaranth.sim import Simulator

from bnnhw.hw.usb.ulpi_translator import UlpiTranslator

from .coding import SE0, J, K
from .phy_model import PhyModel

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
# (amaranth's types are loose)

FULL, FAST, CHIRP = (1, 1, 0), (0, 0, 0), (0, 1, 2)  # xcvr_select, term_select, op_mode
ACTIVE, ERROR = 0x10, 0x30
TURN = (1, 0, 0xEE)  # dir, nxt and the bus: nobody has it


class Bench:
    """The translator and its PHY; `steps` are what this one does with the bus, a cycle each."""

    def __init__(self, mode: tuple[int, int, int] = FULL):
        self.dut, self.phy, self.mode = UlpiTranslator(), PhyModel(), mode
        self.dir, self.nxt, self.bus = Signal(), Signal(), Signal(8)
        self.said: list[list[int]] = []
        self.heard: list[list[int]] = []
        self.lines: list[int] = []
        self.is_heard = False

    def elaborate(self) -> Module:
        m, dut, phy = Module(), self.dut, self.phy
        m.submodules.dut, m.submodules.phy = dut, phy
        m.d.sync += [phy.data.eq(dut.data_o), phy.stp.eq(dut.stp)]
        m.d.comb += [
            *(phy.dir.eq(self.dir), phy.nxt_in.eq(self.nxt), phy.pace.eq(1), dut.awake.eq(1)),
            *(dut.dir.eq(self.dir), dut.nxt.eq(phy.nxt), dut.data_i.eq(Mux(self.dir, self.bus, phy.data))),
        ]
        return m

    async def step(self, ctx: Any, dir: int = 0, nxt: int = 0, bus: int = 0) -> None:
        """A cycle, and what is said and heard in it."""
        for signal, value in ((self.dir, dir), (self.nxt, nxt), (self.bus, bus)):
            ctx.set(signal, value)
        phy, dut = self.phy, self.dut
        assert not ctx.get(phy.fault)
        if ctx.get(phy.begins):
            self.said.append([])
        if ctx.get(phy.taken):
            self.said[-1].append(ctx.get(phy.byte))
        if ctx.get(dut.rx_active) and not self.is_heard:
            self.heard.append([])
        self.is_heard = bool(ctx.get(dut.rx_active))
        if ctx.get(dut.rx_valid):
            assert self.is_heard
            self.heard[-1].append(ctx.get(dut.rx_data))
        self.lines.append(ctx.get(dut.line_state))
        await ctx.tick()

    async def steps(self, ctx: Any, *steps: tuple[int, int, int], rest: int = 8) -> None:
        for step in [*steps, *[(0, 0, 0)] * rest]:
            await self.step(ctx, *step)

    def select(self, ctx: Any) -> None:
        """The mode."""
        signals = self.dut.xcvr_select, self.dut.term_select, self.dut.op_mode
        for signal, value in zip(signals, self.mode, strict=True):
            ctx.set(signal, value)

    async def begin(self, ctx: Any) -> None:
        """Until the PHY has its mode."""
        for signal, value in zip(
            (self.dut.xcvr_select, self.dut.term_select, self.dut.op_mode), self.mode, strict=True
        ):
            ctx.set(signal, value)
        while ctx.get(self.dut.busy):
            await self.step(ctx)

    def run(self, testbench: Callable[[Any], Any]) -> None:
        simulator = Simulator(self.elaborate())
        simulator.add_clock(1 / 60e6)
        simulator.add_testbench(testbench)
        simulator.run()


@pytest.mark.parametrize("at", range(14))
def test_registers_are_written_whatever_interrupts(at: int):
    bench = Bench(CHIRP)

    async def testbench(ctx: Any) -> None:
        bench.select(ctx)
        assert not ctx.get(bench.dut.settled)
        await bench.steps(ctx, rest=at)
        await bench.steps(ctx, TURN, (1, 0, K), (1, 0, J), rest=40)
        assert ctx.get(bench.dut.settled)
        assert not ctx.get(bench.dut.busy)
        assert (ctx.get(bench.phy.function), ctx.get(bench.phy.otg)) == (0x54, 0)
        assert bench.lines[-1] == J

    bench.run(testbench)


@pytest.mark.parametrize("at", range(20))
def test_a_packet_that_is_interrupted(at: int):
    """Before its first byte is taken, it is said again; behind it, it is thrown away, and the next one comes whole."""
    bench, packet = Bench(FAST), [0xC3, 1, 2, 3, 0xFF]

    async def say(ctx: Any) -> None:
        dut = bench.dut
        for byte in packet:
            ctx.set(dut.tx_data, byte)
            ctx.set(dut.tx_valid, 1)
            while not ctx.get(dut.tx_ready):
                await ctx.tick()
            await ctx.tick()
        ctx.set(dut.tx_valid, 0)

    async def testbench(ctx: Any) -> None:
        await bench.begin(ctx)
        ctx.set(bench.dut.tx_data, packet[0])
        ctx.set(bench.dut.tx_valid, 1)
        for cycle in range(60):
            await bench.step(ctx, *(TURN if at <= cycle < at + 3 else (0, 0, 0)))

    async def source(ctx: Any) -> None:
        while not ctx.get(bench.dut.tx_valid):
            await ctx.tick()
        await say(ctx)
        await ctx.tick().repeat(20)
        await say(ctx)

    simulator = Simulator(bench.elaborate())
    simulator.add_clock(1 / 60e6)
    simulator.add_testbench(testbench)
    simulator.add_testbench(source, background=True)
    simulator.run()
    whole = [0x43, *packet[1:]]
    assert bench.said[-1] == whole
    rest = [said for said in bench.said[:-1] if said]
    assert all(said == whole[: len(said)] for said in rest)
    assert len(rest) == 1
    assert (rest[0] == whole) == (at <= 3 or at >= 11)


@pytest.mark.parametrize("begin", [[(1, 1, 0xEE)], [TURN, (1, 0, ACTIVE | J)], [(1, 1, 0xEE), (1, 0, ACTIVE | J)]])
@pytest.mark.parametrize("end", [[], [(1, 0, SE0)], [(1, 0, ACTIVE | J), (1, 0, SE0), (1, 0, SE0)]])
def test_packets_begin_and_end_as_the_phy_likes(begin: list, end: list):
    bench, packet = Bench(FAST), [0x69, 0x12, 0x34]

    async def testbench(ctx: Any) -> None:
        await bench.begin(ctx)
        bytes_ = [step for byte in packet for step in ((1, 1, byte), (1, 0, ACTIVE | J))][:-1]
        await bench.steps(ctx, *begin, *bytes_, *end, rest=1)
        await bench.steps(ctx, *begin, *((1, 1, byte) for byte in packet), *end)

    bench.run(testbench)
    assert bench.heard == [packet, packet]
    assert bench.lines[-1] == SE0


def test_reports_alone_are_no_packets():
    bench = Bench()

    async def testbench(ctx: Any) -> None:
        await bench.begin(ctx)
        for lines in (SE0, K, J, K):
            await bench.steps(ctx, TURN, (1, 0, lines))
            assert bench.lines[-1] == lines

    bench.run(testbench)
    assert bench.heard == []


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("count", range(1, 4))
def test_a_packet_that_the_phy_calls_damaged_has_bytes_too_many(count: int, ends: bool):
    """So that no packet, however short, is taken for a whole one."""
    bench = Bench(FAST)

    async def testbench(ctx: Any) -> None:
        await bench.begin(ctx)
        bytes_ = [(1, 1, byte) for byte in (0x69, 0x12, 0x34)[:count]]
        await bench.steps(ctx, TURN, (1, 0, ACTIVE | J), *bytes_, (1, 0, ERROR | J), *[(1, 0, SE0)] * ends)
        await bench.steps(ctx, TURN, (1, 0, ACTIVE | J), (1, 1, 0xD2))

    bench.run(testbench)
    assert len(bench.heard[0]) >= count + 2
    assert bench.heard[1:] == [[0xD2]]


@pytest.mark.parametrize("late", [0, 1, 20])
def test_a_packet_of_full_speed_ends_with_j(late: int):
    """Whether the PHY says so with SE0 or behind J: the link has 7 to 18 cycles from J on."""
    bench, ended = Bench(), []

    async def testbench(ctx: Any) -> None:
        await bench.begin(ctx)
        await bench.steps(ctx, TURN, (1, 0, ACTIVE | K), (1, 1, 0xD2), (1, 0, ACTIVE | K), rest=0)
        state = ACTIVE if late else 0
        await bench.steps(ctx, *[(1, 0, state | SE0)] * 10, rest=0)
        assert bench.is_heard
        await bench.step(ctx, 1, 0, state | J)
        for _ in range(late):
            await bench.step(ctx, 1, 0, state | J)
            ended.append(not bench.is_heard)
        await bench.steps(ctx)
        ended.append(not bench.is_heard)

    bench.run(testbench)
    assert all(ended)
    assert bench.heard == [[0xD2]]
