"""The line to a board, wherever it is.

Tests: tests/boards/host/test_udp_line.py
Tests: tests/boards/host/test_usb_line.py
"""

from .line import Line
from .serial_line import SerialLine
from .serial_port import choose_port
from .udp_line import UdpLine
from .usb_line import UsbLine, usb_name

__all__ = ["open_line"]


def open_line(*, port: str | None = None, address: str | None = None, baud: int) -> Line:
    """The line to a serial port; to an address, which is HOST:PORT of UDP, or "usb" or "usb:NAME"; or to this
    computer's only USB serial port.

    Raises LinkError where there is none, ValueError where both are given.
    """
    if port and address:
        raise ValueError("port and address exclude each other; give one of them")
    if not address:
        return SerialLine(port or choose_port(), baud=baud)
    name = usb_name(address)
    return UdpLine(address) if name is None else UsbLine(name)
