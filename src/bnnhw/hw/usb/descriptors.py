"""What the device says of itself on USB.

Tests: tests/hw/usb/test_device.py
"""

from typing import Any

__all__ = [
    "BULK_BYTES_PER_SECOND",
    "CONFIGURATION",
    "ENDPOINT",
    "FULL_SPEED_PACKET",
    "HIGH_SPEED_BULK_BYTES_PER_SECOND",
    "HIGH_SPEED_PACKET",
    "MANUFACTURER",
    "OTHER_SPEED",
    "PRODUCT",
    "PRODUCT_ID",
    "VENDOR_ID",
    "device_descriptors",
    "high_speed_descriptors",
]

VENDOR_ID, PRODUCT_ID = 0x1209, 0x0001
"""pid.codes' number for tests, which anyone may use: so hosts look at the names, too."""
MANUFACTURER, PRODUCT = "bnnhw", "accelerator"
ENDPOINT = 1
"""The number of both endpoints, in and out."""
FULL_SPEED_PACKET, HIGH_SPEED_PACKET = 64, 512
"""Bytes of a bulk endpoint's longest packet; at full speed there is none longer."""
BULK_BYTES_PER_SECOND = 19 * FULL_SPEED_PACKET * 1000.0
"""19 packets a millisecond, at most, of both endpoints together."""
HIGH_SPEED_BULK_BYTES_PER_SECOND = 13 * HIGH_SPEED_PACKET * 8000.0
"""13 packets in 125 us, at most, of both endpoints together."""
CONFIGURATION, OTHER_SPEED = 2, 7
"""Types of descriptors: a configuration, and what it is at the other speed."""

_MILLIAMPERES = 500
_DEVICE, _QUALIFIER = 1, 6


def device_descriptors(*, serial: str, packet_bytes: int) -> Any:
    """usb_protocol's collection: one configuration of one interface of the vendor's class, with two bulk endpoints."""
    from usb_protocol.emitters import DeviceDescriptorCollection

    collection = DeviceDescriptorCollection()
    with collection.DeviceDescriptor() as device:
        device.idVendor, device.idProduct = VENDOR_ID, PRODUCT_ID
        device.iManufacturer, device.iProduct, device.iSerialNumber = MANUFACTURER, PRODUCT, serial
        device.bNumConfigurations = 1
    with collection.ConfigurationDescriptor() as configuration:
        configuration.bMaxPower = _MILLIAMPERES // 2
        with configuration.InterfaceDescriptor() as interface:
            interface.bInterfaceNumber = 0
            interface.bInterfaceClass = 0xFF
            for address in (ENDPOINT, ENDPOINT | 0x80):
                with interface.EndpointDescriptor() as endpoint:
                    endpoint.bEndpointAddress = address
                    endpoint.wMaxPacketSize = packet_bytes
                    endpoint.bInterval = 0
    return collection


def high_speed_descriptors(*, serial: str) -> Any:
    """The collection of a device of both speeds, as `luna_parts.requests_by_speed` wants it."""
    collection = device_descriptors(serial=serial, packet_bytes=HIGH_SPEED_PACKET)
    device, fast = (bytes(collection.get_descriptor_bytes(kind)) for kind in (_DEVICE, CONFIGURATION))
    slow = bytes(device_descriptors(serial=serial, packet_bytes=FULL_SPEED_PACKET).get_descriptor_bytes(CONFIGURATION))
    collection.add_descriptor(slow, index=1)
    for index, other in enumerate((slow, fast)):
        collection.add_descriptor(bytes([other[0], OTHER_SPEED, *other[2:]]), index=index)
    collection.add_descriptor(bytes([10, _QUALIFIER, *device[2:8], device[17], 0]))
    return collection
