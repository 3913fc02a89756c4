"""What the device says of itself on USB.

Tests: tests/hw/usb/test_device.py
"""

from typing import Any

__all__ = [
    "BULK_BYTES_PER_SECOND",
    "ENDPOINT",
    "MANUFACTURER",
    "PRODUCT",
    "PRODUCT_ID",
    "VENDOR_ID",
    "device_descriptors",
]

VENDOR_ID, PRODUCT_ID = 0x1209, 0x0001
"""pid.codes' number for tests, which anyone may use: so hosts look at the names, too."""
MANUFACTURER, PRODUCT = "bnnhw", "accelerator"
ENDPOINT = 1
"""The number of both endpoints, in and out."""
BULK_BYTES_PER_SECOND = 19 * 64 * 1000.0
"""19 packets a millisecond, at most, of both endpoints together."""

_MILLIAMPERES = 500


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
