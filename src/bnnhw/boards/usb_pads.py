"""The pads of a USB socket at the FPGA's own pins.

Tests: tests/boards/test_usb_pads.py
"""

from typing import Any

from amaranth.build import Attrs, Pins, Resource, Subsignal
from amaranth.hdl import Elaboratable, Module
from amaranth.lib import io

from bnnhw.hw.usb.device import UsbDevice

# pyright: reportAttributeAccessIssue=false
# (the members of buffers are not typed)

__all__ = ["USB_HZ", "UsbPads", "request_usb"]

USB_HZ = 48_000_000
"""Of the clock domain `usb`, exactly: `Target.exact_clock` makes it."""
_SOCKET = "usb_socket"
"""The resource's name in designs."""


def request_usb(platform: Any) -> Any:
    """The port of a platform's resource "usb", 0, without the weak pull-downs that pads have by default, as the
    socket's own resistors say who is there; and with the drivers that the boards' makers choose for such lines. Where
    D- has a pull-up, too, it is the first one, and stays open."""
    found = platform.lookup("usb", 0)
    attributes = Attrs(**{**found.attrs, "PULLMODE": "NONE", "DRIVE": "4"})
    lines = {line.name: line for line in found.ios}
    pullup = Subsignal("pullup", Pins(lines["pullup"].ios[0].names[-1], dir="o"))
    platform.add_resources([Resource(_SOCKET, 0, lines["d_p"], lines["d_n"], pullup, attributes)])
    return platform.request(_SOCKET, 0, dir={"d_p": "-", "d_n": "-", "pullup": "-"})


class UsbPads(Elaboratable):
    """A device's lines at a board's port: registers at the pads of D+ and D- in the domain `usb`, so that both change
    and are sampled together, and its pull-up.

    Parameters
    ----------
    device : UsbDevice
    port : the resource, requested without buffers
    """

    def __init__(self, device: UsbDevice, port: Any):
        self.device = device
        self.port = port

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        device = self.device
        lines = {"d_p": (device.dp_i, device.dp_o), "d_n": (device.dn_i, device.dn_o)}
        for name, (into, out) in lines.items():
            m.submodules[name] = buffer = io.FFBuffer("io", getattr(self.port, name), i_domain="usb", o_domain="usb")
            m.d.comb += [into.eq(buffer.i), buffer.o.eq(out), buffer.oe.eq(device.oe)]
        m.submodules.pullup = pullup = io.Buffer("o", self.port.pullup)
        m.d.comb += pullup.o.eq(device.pullup)
        return m
