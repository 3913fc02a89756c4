"""InternetChecksum against RFC 1071 in Python."""

import random

from bnnhw.hw.ethernet.checksum import InternetChecksum

from .packets import checksum
from .wire import simulate


def test_equals_python():
    """Messages of many words, among them all ones, with pauses."""
    rng, dut = random.Random(0), InternetChecksum()
    messages = [bytes(2), b"\xff" * 2, b"\xff" * 4, b"\xff\xff\0\1", b"\xff" * 1400]
    messages += [rng.randbytes(2 * rng.randint(1, 40)) for _ in range(60)]
    messages += [bytes(rng.choice([0, 1, 0xFE, 0xFF]) for _ in range(20)) for _ in range(100)]

    async def testbench(ctx):
        for message in messages:
            for byte in message + b"\0\0":
                while rng.random() < 0.2:
                    ctx.set(dut.enable, 0)
                    await ctx.tick()
                ctx.set(dut.enable, 1)
                ctx.set(dut.byte, byte)
                await ctx.tick()
            assert ctx.get(dut.sum) ^ 0xFFFF == checksum(message), message.hex(" ")
            ctx.set(dut.clear, 1)
            await ctx.tick()
            ctx.set(dut.clear, 0)

    simulate(dut, testbench)
