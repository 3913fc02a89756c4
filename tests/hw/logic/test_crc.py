"""Crc32 against zlib."""

import random
import zlib

import pytest
from amaranth.sim import Simulator

from bnnhw.hw.logic.crc import Crc32


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_equals_zlib(width: int):
    """Messages with pauses, their own CRC behind them, and one that a bit of damage makes wrong."""
    rng, dut = random.Random(width), Crc32(width=width)

    async def feed(ctx, message: bytes) -> None:
        for place in range(0, 8 * len(message), width):
            while rng.random() < 0.3:
                ctx.set(dut.enable, 0)
                ctx.set(dut.bits, rng.getrandbits(width))
                await ctx.tick()
            ctx.set(dut.enable, 1)
            ctx.set(dut.bits, message[place // 8] >> place % 8 & (1 << width) - 1)
            await ctx.tick()
        ctx.set(dut.enable, 0)

    async def testbench(ctx):
        for length in (0, 1, 2, 3, 4, 5, 60, rng.randrange(1500)):
            message = rng.randbytes(length)
            await feed(ctx, message)
            assert ctx.get(dut.crc) ^ 0xFFFFFFFF == zlib.crc32(message)
            damage = rng.choice([0, 1 << rng.randrange(32)])
            await feed(ctx, (zlib.crc32(message) ^ damage).to_bytes(4, "little"))
            assert ctx.get(dut.good) == (damage == 0)
            ctx.set(dut.clear, 1)
            ctx.set(dut.enable, 1)
            await ctx.tick()
            ctx.set(dut.clear, 0)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def test_shifts_when_fed_with_itself():
    dut = Crc32(width=8)

    async def testbench(ctx):
        ctx.set(dut.enable, 1)
        ctx.set(dut.bits, 0xA7)
        await ctx.tick()
        crc = ctx.get(dut.crc)
        for place in range(4):
            assert ctx.get(dut.crc) == crc >> 8 * place
            ctx.set(dut.bits, crc >> 8 * place & 0xFF)
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
