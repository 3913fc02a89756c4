"""What the devices cost on an ECP5."""

import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.hw.usb.device import UsbDevice
from bnnhw.hw.usb.high_speed_device import UsbHighSpeedDevice
from tests.hw.one_clock import OneClock


@pytest.mark.toolchain
def test_area():
    device = UsbDevice(serial="0123456789abcdef", target=ECP5)
    cells = synthesise_alone(OneClock(device, other="usb"), ECP5)
    assert cells.logic <= 1500
    assert cells.ffs <= 850
    assert cells.ebr == 2


@pytest.mark.toolchain
def test_area_at_high_speed():
    device = UsbHighSpeedDevice(serial="0123456789abcdef", target=ECP5)
    cells = synthesise_alone(OneClock(device, other="usb"), ECP5)
    print(cells)
    assert cells.logic <= 1600
    assert cells.ffs <= 900
    assert cells.ebr == 3
