"""Bytes that nothing can hold up, into a unit and out of one, in Amaranth's simulator."""

import random
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from amaranth.sim import Simulator

PREAMBLE = bytes([0x55] * 7 + [0xD5])
GAP = 12


class Cycle(NamedTuple):
    """What a PHY says in a cycle."""

    data: int = 0
    valid: bool = False
    error: bool = False


class Packet(NamedTuple):
    """What came out as `arrivals()`."""

    data: bytes
    good: bool


def with_fcs(frame: bytes, *, least: int = 60) -> bytes:
    """Filled up with zeros, and its check sequence."""
    filled = frame.ljust(least, b"\0")
    return filled + struct.pack("<I", zlib.crc32(filled))


def on_wire(frame: bytes, *, preamble: bytes = PREAMBLE, error_at: int | None = None, gap: int = GAP) -> list[Cycle]:
    """A frame, as it is from destination to FCS, and the gap behind it."""
    wire = [Cycle(byte, True) for byte in preamble + frame]
    if error_at is not None:
        wire[error_at] = wire[error_at]._replace(error=True)
    return [*wire, *[Cycle()] * gap]


def simulate(dut: Any, *testbenches: Callable[[Any], Any], background: Sequence[Callable[[Any], Any]] = ()) -> None:
    simulator = Simulator(dut)
    simulator.add_clock(8e-9)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    for testbench in background:
        simulator.add_testbench(testbench, background=True)
    simulator.run()


class Arrivals:
    """Watches the packets at a port of `arrivals()`: add `watch` to the simulation's background."""

    def __init__(self, port: Any):
        self.port = port
        self.packets: list[Packet] = []

    async def watch(self, ctx: Any) -> None:
        data = bytearray()
        names = ("data", "valid", "end", "good")
        async for _, _, byte, valid, end, good in ctx.tick().sample(*(getattr(self.port, name) for name in names)):
            assert not (valid and end)
            assert end or not good
            if valid:
                data.append(byte)
            if end:
                self.packets.append(Packet(bytes(data), bool(good)))
                data.clear()


async def send_packets(ctx: Any, port: Any, packets: Sequence[Packet], *, rng: random.Random, gaps: float) -> None:
    """Says `packets` to a port of `arrivals()`, with pauses between bytes, packets and verdicts."""

    async def pause(least: int = 0) -> None:
        ctx.set(port.valid, 0)
        ctx.set(port.end, 0)
        ctx.set(port.good, 0)
        ctx.set(port.data, rng.getrandbits(8))
        for _ in range(least):
            await ctx.tick()
        while rng.random() < gaps:
            await ctx.tick()

    for packet in packets:
        for byte in packet.data:
            await pause()
            ctx.set(port.data, byte)
            ctx.set(port.valid, 1)
            await ctx.tick()
        await pause()
        ctx.set(port.end, 1)
        ctx.set(port.good, packet.good)
        await ctx.tick()
        await pause(GAP)
    await pause(40)
