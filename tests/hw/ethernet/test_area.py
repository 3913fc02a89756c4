"""What the port costs on an ECP5."""

import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.ethernet.port import ETHERNET, EthernetPort
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.one_clock import OneClock

from .packets import IP, MAC, PORT


@pytest.mark.toolchain
def test_area():
    port = EthernetPort(mac=MAC, ip=IP, udp_port=PORT, queue_bytes=32768, target=ECP5)
    cells = synthesise_alone(OneClock(port, other=ETHERNET), ECP5)
    assert cells.logic <= 2100
    assert cells.ffs <= 1600
    assert cells.ebr == 19
