"""The whole way: the host's driver, pyusb, a cable that damages packets, the device's RTL, the link's RTL, a core."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import usb.util
from amaranth.hdl import Module

from bnnhw.boards.host.link import BoardLink
from bnnhw.boards.host.usb_line import UsbLine
from bnnhw.hw.core import Core
from bnnhw.hw.stream.buffer import StreamBuffer
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.top import LinkPort, Top
from bnnhw.hw.usb.device import UsbDevice
from bnnhw.hw.usb.high_speed_device import UsbHighSpeedDevice
from tests.hw.usb.damage import bad_bytes, bad_cable
from tests.hw.usb.high_speed_host import high_speed_connected
from tests.hw.usb.host import Host
from tests.hw.usb.ulpi_wire import AtPhy, UlpiWire
from tests.hw.usb.wire import SERIAL, AtSocket, Wire

from .usb_bus import Bus, Hardware

IMAGE_BYTES = 200


def top(port: LinkPort, *, clock_hz: int) -> Top:
    """A core that hands its image through."""
    core = Core(units=[StreamBuffer(width=8)], input_lanes=1, input_width=8, output_lanes=1, output_width=8)
    return Top(
        core=core,
        port=port,
        clock_hz=clock_hz,
        network_id=b"over usb",
        input_elements=IMAGE_BYTES,
        output_elements=IMAGE_BYTES,
        timeout_s=0.01,
        target=PORTABLE,
    )


class SocketBoard(AtSocket):
    def serve(self, m: Module) -> Top:
        return top(UsbDevice(serial=SERIAL, target=PORTABLE), clock_hz=48_000_000)


class PhyBoard(AtPhy):
    def serve(self, m: Module) -> Top:
        return top(UsbHighSpeedDevice(serial=SERIAL, target=PORTABLE), clock_hz=60_000_000)


def at_a_socket() -> Hardware:
    host = Host(Wire(SocketBoard()))
    host.reset()
    host.configure()
    return Hardware(host)


def behind_a_phy() -> Hardware:
    host = high_speed_connected(UlpiWire(PhyBoard()))
    return Hardware(host, packet_bytes=512, speed=usb.util.SPEED_HIGH)


@pytest.mark.parametrize(("plug", "bad"), [(at_a_socket, bad_cable), (behind_a_phy, bad_bytes)])
def test_images_come_back(plug: Callable[[], Hardware], bad: Any):
    hardware = plug()
    host = hardware.host
    images = list(np.random.default_rng(1).integers(0, 256, (40, IMAGE_BYTES), np.uint8))
    with BoardLink(UsbLine(backend=Bus(hardware)), network_id=b"over usb", timeout_s=10) as link:
        assert link.info().input_bytes == IMAGE_BYTES
        host.damage = bad(random.Random(1), chance=0.05)
        answers = list(link.infer_many(image.tobytes() for image in images))
    assert [answer.outputs for answer in answers] == [image.tobytes() for image in images]
    assert host.faults > 5
