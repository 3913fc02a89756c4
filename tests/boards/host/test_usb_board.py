"""The whole way: the host's driver, pyusb, a cable that damages packets, the device's RTL, the link's RTL, a core."""

import random
from typing import Any

import numpy as np
from amaranth.hdl import Module
from amaranth.lib import wiring

from bnnhw.boards.host.link import BoardLink
from bnnhw.boards.host.usb_line import UsbLine
from bnnhw.hw.core import Core
from bnnhw.hw.link.phy.uart import UartReceiver, UartTransmitter, baud_rate
from bnnhw.hw.stream.buffer import StreamBuffer
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.top import Top
from tests.hw.usb.damage import bad_cable
from tests.hw.usb.host import Host
from tests.hw.usb.wire import AtSocket, Wire

from .usb_bus import Bus, Hardware

CLOCK_HZ = 48_000_000
BAUD = CLOCK_HZ // 4
IMAGE_BYTES = 200


class Bridged(AtSocket):
    """A top whose UART ends at the device. A UART waits for nobody, so a queue holds what the host has not read."""

    def serve(self, m: Module, device: Any) -> None:
        core = Core(units=[StreamBuffer(width=8)], input_lanes=1, input_width=8, output_lanes=1, output_width=8)
        m.submodules.top = top = Top(
            core=core,
            clock_hz=CLOCK_HZ,
            baud=BAUD,
            network_id=b"over usb",
            input_elements=IMAGE_BYTES,
            output_elements=IMAGE_BYTES,
            timeout_s=0.01,
            target=PORTABLE,
        )
        rate = baud_rate(clock_hz=CLOCK_HZ, baud=BAUD)
        m.submodules.to_top = to_top = UartTransmitter(rate=rate)
        m.submodules.from_top = from_top = UartReceiver(rate=rate)
        m.submodules.queue = queue = Fifo(width=8, depth=8192, target=PORTABLE)
        wiring.connect(m, device.received, to_top.i)
        wiring.connect(m, queue.o, device.sent)
        m.d.comb += [
            top.rx.eq(to_top.tx),
            from_top.rx.eq(top.tx),
            queue.i.valid.eq(from_top.valid),
            queue.i.payload.eq(from_top.data),
        ]


def test_images_come_back():
    host = Host(Wire(Bridged()))
    host.reset()
    host.configure()
    images = list(np.random.default_rng(1).integers(0, 256, (16, IMAGE_BYTES), np.uint8))
    with BoardLink(UsbLine(backend=Bus(Hardware(host))), network_id=b"over usb", timeout_s=10) as link:
        assert link.info().input_bytes == IMAGE_BYTES
        host.damage = bad_cable(random.Random(1), chance=0.05)
        answers = list(link.infer_many(image.tobytes() for image in images))
    assert [answer.outputs for answer in answers] == [image.tobytes() for image in images]
    assert host.faults > 5
