"""A USB bus of pyusb's with boards on it: simulated hardware, or a function of bytes."""

# pyright: reportIncompatibleMethodOverride=false
# (what the base class only refuses returns nothing)

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Protocol

import usb.backend
import usb.core
import usb.util

from bnnhw.hw.usb.descriptors import device_descriptors
from tests.hw.usb.host import MAX_PACKET, Host

DEVICE, CONFIGURATION, TEXT = 1, 2, 3


class Socket(Protocol):
    """What is plugged in."""

    def descriptor(self, kind: int, index: int) -> bytes: ...

    def configure(self) -> None: ...

    def out(self, data: bytes) -> int: ...

    def into(self, size: int) -> bytes: ...


@dataclass(eq=False)
class Hardware:
    """A device in simulation, behind a host that asks for each descriptor once, as systems do."""

    host: Host
    packet_bytes: int = MAX_PACKET
    speed: int = usb.util.SPEED_FULL
    known: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def descriptor(self, kind: int, index: int) -> bytes:
        if (kind, index) not in self.known:
            language = 0x0409 if kind == TEXT and index else 0
            self.known[kind, index] = self.host.descriptor(kind, index, language=language)
        return self.known[kind, index]

    def configure(self) -> None:
        self.host.request(0x00, 9, 1)
        self.host.toggles.clear()

    def out(self, data: bytes) -> int:
        for at in range(0, len(data), self.packet_bytes):
            self.host.write(1, data[at : at + self.packet_bytes])
        return len(data)

    def into(self, size: int) -> bytes:
        found = b""
        while len(found) < size and (packet := self.host.read(1, tries=20)) is not None:
            found += packet
            if len(packet) < self.packet_bytes:
                break
        return found


@dataclass(eq=False)
class Pretender:
    """Says what the hardware says of itself, and answers bytes by a function.

    opens, configures, writes, reads: the error that each ends with.
    """

    serial: str
    answer: Callable[[bytes], bytes] = lambda data: b""
    product: str | None = None
    opens: int = 0
    configures: int = 0
    writes: int = 0
    reads: int = 0
    speed: int = usb.util.SPEED_FULL
    waiting: bytearray = field(default_factory=bytearray)
    open_handles: int = 0

    def descriptor(self, kind: int, index: int) -> bytes:
        if kind == TEXT and index == 2 and self.product:
            return bytes([2 + 2 * len(self.product), TEXT]) + self.product.encode("utf-16-le")
        known = {(int(kind), index): bytes(found) for kind, index, found in _descriptors(self.serial)}
        return known[kind, index]

    def configure(self) -> None:
        _fail(self.configures)
        self.waiting.clear()

    def out(self, data: bytes) -> int:
        _fail(self.writes)
        self.waiting += self.answer(data)
        return len(data)

    def into(self, size: int) -> bytes:
        _fail(self.reads)
        found = bytes(self.waiting[:size])
        del self.waiting[:size]
        return found


def _descriptors(serial: str) -> Any:
    return device_descriptors(serial=serial, packet_bytes=MAX_PACKET)


def _fail(number: int) -> None:
    if number == errno.ETIMEDOUT:
        raise usb.core.USBTimeoutError("Operation timed out", None, number)
    if number:
        raise usb.core.USBError(errno.errorcode[number], None, number)


class Bus(usb.backend.IBackend):
    """pyusb's backend for these sockets, the n-th of which is at 1-2.n."""

    def __init__(self, *sockets: Any):
        self.sockets = sockets

    def enumerate_devices(self) -> Any:
        return iter(self.sockets)

    def get_device_descriptor(self, dev: Any) -> Any:
        return _fields(
            dev.descriptor(DEVICE, 0),
            "bLength bDescriptorType bcdUSB:2 bDeviceClass bDeviceSubClass bDeviceProtocol bMaxPacketSize0 idVendor:2 "
            "idProduct:2 bcdDevice:2 iManufacturer iProduct iSerialNumber bNumConfigurations",
            address=1, bus=1, port_number=4, port_numbers=(2, self.sockets.index(dev)), speed=dev.speed,
        )  # fmt: skip

    def get_configuration_descriptor(self, dev: Any, config: int) -> Any:
        return _fields(
            dev.descriptor(CONFIGURATION, 0)[:9],
            "bLength bDescriptorType wTotalLength:2 bNumInterfaces bConfigurationValue iConfiguration bmAttributes "
            "bMaxPower",
            extra_descriptors=[],
        )

    def get_interface_descriptor(self, dev: Any, intf: int, alt: int, config: int) -> Any:
        if intf or alt:
            raise IndexError
        return _fields(
            dev.descriptor(CONFIGURATION, 0)[9:18],
            "bLength bDescriptorType bInterfaceNumber bAlternateSetting bNumEndpoints bInterfaceClass "
            "bInterfaceSubClass bInterfaceProtocol iInterface",
            extra_descriptors=[],
        )

    def get_endpoint_descriptor(self, dev: Any, ep: int, intf: int, alt: int, config: int) -> Any:
        return _fields(
            dev.descriptor(CONFIGURATION, 0)[18 + 7 * ep :][:7],
            "bLength bDescriptorType bEndpointAddress bmAttributes wMaxPacketSize:2 bInterval",
            bRefresh=0, bSynchAddress=0, extra_descriptors=[],
        )  # fmt: skip

    def open_device(self, dev: Any) -> Any:
        _fail(getattr(dev, "opens", 0))
        dev.open_handles = getattr(dev, "open_handles", 0) + 1
        return dev

    def close_device(self, dev_handle: Any) -> None:
        dev_handle.open_handles -= 1

    def set_configuration(self, dev_handle: Any, config_value: int) -> None:
        dev_handle.configure()

    def get_configuration(self, dev_handle: Any) -> int:
        return 1

    def claim_interface(self, dev_handle: Any, intf: int) -> None:
        assert intf == 0

    def release_interface(self, dev_handle: Any, intf: int) -> None:
        assert intf == 0

    def bulk_write(self, dev_handle: Any, ep: int, intf: int, data: Any, timeout: int) -> int:
        assert ep == 0x01
        return dev_handle.out(data.tobytes())

    def bulk_read(self, dev_handle: Any, ep: int, intf: int, buff: Any, timeout: int) -> int:
        assert ep == 0x81
        found = dev_handle.into(len(buff))
        if not found:
            _fail(errno.ETIMEDOUT)
        memoryview(buff)[: len(found)] = found
        return len(found)

    def ctrl_transfer(self, *arguments: Any, **named: Any) -> int:
        handle, kind, request, value, _, data = arguments[:6]
        assert (kind, request) == (0x80, 6)
        found = handle.descriptor(value >> 8, value & 255)
        memoryview(data)[: len(found)] = found
        return len(found)


def _fields(found: bytes, names: str, **others: Any) -> Any:
    """The fields of a descriptor: `name`, or `name:2` of two bytes."""
    values, at = dict(others), 0
    for each in names.split():
        name, _, size = each.partition(":")
        values[name] = int.from_bytes(found[at : at + int(size or 1)], "little")
        at += int(size or 1)
    assert at == len(found)
    return SimpleNamespace(**values)
