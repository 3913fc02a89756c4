"""The pads of a USB PHY behind ULPI (version 1.1) that gives its clock: eight bits both ways at 60 MHz.

Tests: tests/boards/test_ulpi_pads.py
"""

from typing import Any

from amaranth.hdl import Cat, ClockSignal, Elaboratable, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from bnnhw.hw.targets import Target
from bnnhw.hw.usb.high_speed_device import UsbHighSpeedDevice

# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
# (amaranth's types are loose)

__all__ = ["ULPI", "ULPI_HZ", "UlpiPads"]

ULPI = "ulpi"
"""The resource's name in amaranth-boards."""
ULPI_HZ = 60_000_000
_RESET_S = 0.001  # for how long a PHY is reset at start


class UlpiPads(Elaboratable):
    """A device's signals at a board's resource `ulpi`, in the domain `usb`, whose clock is the PHY's. The domain itself
    is the caller's.

    What goes to the PHY comes from registers at the pads, so it is there soon behind the edge (a USB3300 wants it 5 ns
    before the next one). What the PHY says, 2 to 5 ns behind an edge, has the rest of the cycle. The pads of the data
    stop driving as soon as `dir` rises, with no clock between, so that the cycle in which the bus turns is quiet.

    Parameters
    ----------
    device : UsbHighSpeedDevice
    port : the resource, requested without buffers
    clock_hz : int
        Of the domain `sync`.
    target : Target
    """

    def __init__(self, device: UsbHighSpeedDevice, port: Any, *, clock_hz: int, target: Target):
        self.device = device
        self.port = port
        self.clock_hz = clock_hz
        self.target = target

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        device, port = self.device, self.port
        m.submodules.clk = clk = io.Buffer("i", port.clk)
        platform.add_clock_constraint(port.clk.io, ULPI_HZ)
        m.submodules.dir, m.submodules.nxt = owned, nxt = io.Buffer("i", port.dir), io.Buffer("i", port.nxt)
        m.submodules.data = data = io.Buffer("io", port.data)
        m.submodules.stp = stp = io.FFBuffer("o", port.stp, o_domain="usb")
        bits = [Signal(name=f"bit{place}") for place in range(len(port.data))]
        for place, bit in enumerate(bits):  # an FFBuffer would have a register before `oe`, too
            m.submodules[f"data_o{place}"] = self.target.pad_register(device.data_o[place], bit, domain="usb")
        m.d.comb += [
            ClockSignal("usb").eq(clk.i),
            *(device.dir.eq(owned.i), device.nxt.eq(nxt.i), device.data_i.eq(data.i)),
            *(data.o.eq(Cat(bits)), data.oe.eq(~owned.i), stp.o.eq(device.stp)),
        ]
        cycles = round(_RESET_S * self.clock_hz)
        left, awake = Signal(range(cycles + 1), init=cycles), Signal()
        m.d.sync += [left.eq(left - (left != 0)), awake.eq(left == 0)]
        m.submodules.rst = rst = io.FFBuffer("o", port.rst)
        m.d.comb += rst.o.eq(~awake)
        m.submodules.awake = FFSynchronizer(awake, device.awake, o_domain="usb")
        return m
