"""Packets of the InEndpoint, where bytes come close to the end of the pause that sends them."""

from typing import Any

import pytest
from amaranth.sim import Simulator

from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.usb.descriptors import FULL_SPEED_PACKET, HIGH_SPEED_PACKET
from bnnhw.hw.usb.in_endpoint import QUIET_CYCLES, InEndpoint

_LINGER = 40


@pytest.mark.parametrize("gap", range(QUIET_CYCLES - 2, QUIET_CYCLES + 6))
def test_a_byte_that_comes_as_the_packet_goes(gap: int):
    """Two bytes, `gap` cycles apart, both come: in one packet, or in two."""
    dut, packets = InEndpoint(packet_bytes=FULL_SPEED_PACKET, target=PORTABLE), []

    async def offer(ctx: Any) -> None:
        for byte in (0xA1, 0xB2):
            ctx.set(dut.i.payload, byte)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)
            await ctx.tick().repeat(gap - 1)

    async def host(ctx: Any) -> None:
        """Asks on and on, and takes a byte every few cycles, as a line does."""
        ctx.set(dut.addressed, 1)
        for _ in range(3 * QUIET_CYCLES // _LINGER + 5):
            for strobe in (dut.token, dut.respond):
                ctx.set(strobe, 1)
                await ctx.tick()
                ctx.set(strobe, 0)
            packet = []
            while ctx.get(dut.valid):
                await ctx.tick().repeat(4)
                ctx.set(dut.ready, 1)
                packet.append(ctx.get(dut.data))
                await ctx.tick()
                ctx.set(dut.ready, 0)
            if packet:
                packets.append(packet)
                ctx.set(dut.acknowledged, 1)
                await ctx.tick()
                ctx.set(dut.acknowledged, 0)
            await ctx.tick().repeat(_LINGER)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(offer, background=True)
    simulator.add_testbench(host)
    simulator.run()
    assert [byte for packet in packets for byte in packet] == [0xA1, 0xB2]
    assert len(packets) == (1 if gap <= QUIET_CYCLES + 1 else 2)


@pytest.mark.parametrize("ready_late", [1, 2, 5])
@pytest.mark.parametrize("respond_late", range(4))
@pytest.mark.parametrize("count", [1, 2, 100, HIGH_SPEED_PACKET])
def test_a_packet_that_is_sent_again(count: int, respond_late: int, ready_late: int):
    """However soon after the token the answer is due, and the first byte after that; then it goes a byte a cycle."""
    dut, sent = InEndpoint(packet_bytes=HIGH_SPEED_PACKET, target=PORTABLE), [number % 251 for number in range(count)]

    async def testbench(ctx: Any) -> None:
        ctx.set(dut.fast, 1)
        for byte in sent:
            ctx.set(dut.i.payload, byte)
            ctx.set(dut.i.valid, 1)
            await ctx.tick()
        ctx.set(dut.i.valid, 0)
        await ctx.tick().repeat(QUIET_CYCLES + 5)
        ctx.set(dut.addressed, 1)
        for _ in range(3):
            ctx.set(dut.token, 1)
            await ctx.tick()
            ctx.set(dut.token, 0)
            for _ in range(respond_late):
                await ctx.tick()
            ctx.set(dut.respond, 1)
            await ctx.tick()
            ctx.set(dut.respond, 0)
            assert ctx.get(dut.first)
            await ctx.tick().repeat(ready_late)
            ctx.set(dut.ready, 1)
            found, last = [], False
            while not last:
                assert ctx.get(dut.valid)
                found.append(ctx.get(dut.data))
                last = ctx.get(dut.last)
                await ctx.tick()
            ctx.set(dut.ready, 0)
            assert found == sent
            assert not ctx.get(dut.valid)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
