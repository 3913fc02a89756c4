"""What the port costs on an ECP5."""

import pytest
from amaranth.hdl import DomainRenamer, Module
from amaranth.lib import wiring

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.ethernet.port import ETHERNET, EthernetPort
from bnnhw.hw.targets.ecp5 import ECP5

from .packets import IP, MAC, PORT


class OneClock(wiring.Component):
    """The port in the domain `sync` alone."""

    def __init__(self):
        self.port = EthernetPort(mac=MAC, ip=IP, udp_port=PORT, queue_bytes=32768, target=ECP5)
        super().__init__(self.port.signature)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.port = DomainRenamer({ETHERNET: "sync"})(self.port)
        wiring.connect(m, self.port, wiring.flipped(self))
        return m


@pytest.mark.toolchain
def test_area():
    cells = synthesise_alone(OneClock(), ECP5)
    assert cells.logic <= 2100
    assert cells.ffs <= 1600
    assert cells.ebr == 19
