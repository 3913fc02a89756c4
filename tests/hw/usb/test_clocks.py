"""The device with clocks of its own for the line and for what it serves, in Amaranth's simulator."""

from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.sim import Simulator

from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.usb.device import UsbDevice

from .coding import J, Pid, data_packet, handshake, packet_of, token
from .wire import CYCLES_PER_BIT


@pytest.mark.parametrize("core_hz", [11e6, 47.9e6, 133.3e6])
def test_an_echo_of_another_clock(core_hz: float):
    """A device without an address has its bulk endpoints, too: what it gets, it says backwards, bit by bit."""
    dut, device = Module(), UsbDevice(serial="1", target=PORTABLE)
    dut.submodules.device = device
    dut.d.comb += [
        device.sent.payload.eq(device.received.payload[::-1]),
        device.sent.valid.eq(device.received.valid),
        device.received.ready.eq(device.sent.ready),
    ]
    data = bytes(range(100, 164))

    async def say(ctx: Any, states: list[int]) -> list[int]:
        """Drives the lines; what the device drives."""
        heard = []
        for state in states:
            for _ in range(CYCLES_PER_BIT):
                driven = ctx.get(device.oe)
                line = ctx.get(device.dp_o) | ctx.get(device.dn_o) << 1 if driven else state
                ctx.set(device.dp_i, line & 1)
                ctx.set(device.dn_i, line >> 1)
                heard += [line] * driven
                await ctx.tick("usb")
        return heard[::CYCLES_PER_BIT]

    async def testbench(ctx: Any) -> None:
        answer = await say(ctx, [*token(Pid.OUT, 0, 1), J, J, J, *data_packet(Pid.DATA0, data), *[J] * 30])
        assert packet_of(answer) == (Pid.ACK, b"")
        await say(ctx, [J] * 200)
        answer = await say(ctx, [*token(Pid.IN, 0, 1), *[J] * 700])
        assert packet_of(answer) == (Pid.DATA0, bytes(int(f"{byte:08b}"[::-1], 2) for byte in data))
        await say(ctx, handshake(Pid.ACK))

    simulator = Simulator(dut)
    simulator.add_clock(1 / 48e6, domain="usb")
    simulator.add_clock(1 / core_hz)
    simulator.add_testbench(testbench)
    simulator.run()
