"""The whole way: the host's driver, pyusb, a cable that damages packets, the device's RTL, the link's RTL, a core."""

import random

import numpy as np
from amaranth.hdl import Module

from bnnhw.boards.host.link import BoardLink
from bnnhw.boards.host.usb_line import UsbLine
from bnnhw.hw.core import Core
from bnnhw.hw.stream.buffer import StreamBuffer
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.top import Top
from bnnhw.hw.usb.device import UsbDevice
from tests.hw.usb.damage import bad_cable
from tests.hw.usb.host import Host
from tests.hw.usb.wire import SERIAL, AtSocket, Wire

from .usb_bus import Bus, Hardware

IMAGE_BYTES = 200


class Board(AtSocket):
    """A core that hands its image through, with the device as the port of its link."""

    def serve(self, m: Module) -> Top:
        core = Core(units=[StreamBuffer(width=8)], input_lanes=1, input_width=8, output_lanes=1, output_width=8)
        return Top(
            core=core,
            port=UsbDevice(serial=SERIAL, target=PORTABLE),
            clock_hz=48_000_000,
            network_id=b"over usb",
            input_elements=IMAGE_BYTES,
            output_elements=IMAGE_BYTES,
            timeout_s=0.01,
            target=PORTABLE,
        )


def test_images_come_back():
    host = Host(Wire(Board()))
    host.reset()
    host.configure()
    images = list(np.random.default_rng(1).integers(0, 256, (40, IMAGE_BYTES), np.uint8))
    with BoardLink(UsbLine(backend=Bus(Hardware(host))), network_id=b"over usb", timeout_s=10) as link:
        assert link.info().input_bytes == IMAGE_BYTES
        host.damage = bad_cable(random.Random(1), chance=0.05)
        answers = list(link.infer_many(image.tobytes() for image in images))
    assert [answer.outputs for answer in answers] == [image.tobytes() for image in images]
    assert host.faults > 5
