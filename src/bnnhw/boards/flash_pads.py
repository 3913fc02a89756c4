"""The pads of a board's configuration flash, whose clock leaves by a pin of the FPGA's own.

Tests: tests/boards/test_flash_pads.py
"""

from typing import Any

from amaranth.build import Resource
from amaranth.hdl import Elaboratable, Module, Signal
from amaranth.lib import io

from bnnhw.hw.targets import Target

# pyright: reportAttributeAccessIssue=false
# (the members of buffers are not typed)

__all__ = ["FLASH", "FlashPads", "request_flash"]

FLASH = "boot_flash"
"""The resource's name in designs."""
_NAMES = "spi_flash", "spi_flash_1x"


def request_flash(platform: Any) -> Any:
    """The port of a platform's flash, under one name. Some have a clock, which no pad leads to: it stays unused."""
    found = next(platform.lookup(name, 0) for name in _NAMES if (name, 0) in platform.resources)
    platform.add_resources([Resource(FLASH, 0, *found.ios, found.attrs)])
    return platform.request(FLASH, 0, dir="-")


class FlashPads(Elaboratable):
    """A flash's pins, as `flash_pins` has them, at a board's port; `wp` and `hold` are never asserted.

    Parameters
    ----------
    pins : PureInterface
    port : the resource, requested without buffers
    target : Target
    """

    def __init__(self, pins: Any, port: Any, *, target: Target):
        self.pins = pins
        self.port = port
        self.target = target

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        sck = Signal()
        m.submodules.clock = self.target.flash_clock(sck)
        outputs = {"cs": self.pins.cs, "copi": self.pins.copi, "wp": 0, "hold": 0}
        for name, value in outputs.items():
            m.submodules[name] = buffer = io.Buffer("o", getattr(self.port, name))
            m.d.comb += buffer.o.eq(value)
        m.submodules.cipo = cipo = io.Buffer("i", self.port.cipo)
        m.d.comb += [sck.eq(self.pins.sck), self.pins.cipo.eq(cipo.i)]
        return m
