"""Packets of the InEndpoint, where bytes come close to the end of the pause that sends them."""

from typing import Any

import pytest
from amaranth.sim import Simulator

from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.usb.in_endpoint import QUIET_CYCLES, InEndpoint

_LINGER = 40


@pytest.mark.parametrize("gap", range(QUIET_CYCLES - 2, QUIET_CYCLES + 6))
def test_a_byte_that_comes_as_the_packet_goes(gap: int):
    """Two bytes, `gap` cycles apart, both come: in one packet, or in two."""
    dut, packets = InEndpoint(target=PORTABLE), []

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
