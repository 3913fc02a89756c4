"""The other end of a UART in Amaranth's simulator: bytes in, frames out."""

from collections.abc import Sequence
from typing import Any

from amaranth.sim import Simulator

from bnnhw.hw.protocol import Decoder, ErrorCode, Frame

CYCLES_PER_BIT = 4


def exchange(
    dut: Any,
    writes: Sequence[bytes | int],
    *,
    answers: int | None = None,
    clock_hz: int,
    silence: int = 600,
) -> list[Frame | ErrorCode]:
    """Sends `writes` to `dut.rx` and returns the frames that come out of `dut.tx`.

    An int in `writes` is a pause in bit times; a negative one is a break (the line low) of that many. Ends when
    `answers` frames came and then nothing more, or when nothing has come for `silence` bit times after the last write.
    """
    decoder = Decoder()
    received: list[Frame | ErrorCode] = []
    done = False

    async def sender(ctx: Any) -> None:
        nonlocal done
        await ctx.tick().repeat(8)
        for item in writes:
            if isinstance(item, int):
                ctx.set(dut.rx, item >= 0)
                await ctx.tick().repeat(abs(item) * CYCLES_PER_BIT)
                ctx.set(dut.rx, 1)
                if item < 0:
                    await ctx.tick().repeat(2 * CYCLES_PER_BIT)
                continue
            for byte in item:
                for bit in (0, *(byte >> bit & 1 for bit in range(8)), 1):
                    ctx.set(dut.rx, bit)
                    await ctx.tick().repeat(CYCLES_PER_BIT)
        done = True

    async def receiver(ctx: Any) -> None:
        idle = 0
        while idle < silence * CYCLES_PER_BIT:
            if ctx.get(dut.tx):
                idle = idle + 1 if done else 0
                await ctx.tick()
                if answers is not None and len(received) >= answers and idle > 100:
                    return
                continue
            await ctx.tick().repeat(CYCLES_PER_BIT // 2)
            byte = 0
            for bit in range(8):
                await ctx.tick().repeat(CYCLES_PER_BIT)
                byte |= ctx.get(dut.tx) << bit
            await ctx.tick().repeat(CYCLES_PER_BIT)
            assert ctx.get(dut.tx), "the stop bit is low"
            received.extend(decoder.feed(bytes([byte])))
            idle = 0

    simulator = Simulator(dut)
    simulator.add_clock(1 / clock_hz)
    simulator.add_testbench(sender)
    simulator.add_testbench(receiver)
    simulator.run()
    return received
