"""What the device costs on an ECP5."""

import pytest
from amaranth.hdl import DomainRenamer, Module
from amaranth.lib import wiring

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.hw.usb.device import UsbDevice


class OneClock(wiring.Component):
    """The device in the domain `sync` alone."""

    def __init__(self):
        self.device = UsbDevice(serial="0123456789abcdef", target=ECP5)
        super().__init__(self.device.signature)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.device = DomainRenamer({"usb": "sync"})(self.device)
        wiring.connect(m, self.device, wiring.flipped(self))
        return m


@pytest.mark.toolchain
def test_area():
    cells = synthesise_alone(OneClock(), ECP5)
    assert cells.logic <= 1500
    assert cells.ffs <= 850
    assert cells.ebr == 2
