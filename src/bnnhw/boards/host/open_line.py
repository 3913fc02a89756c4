"""The line to a board, wherever it is.

Tests: tests/boards/host/test_udp_line.py
Tests: tests/boards/host/test_usb_line.py
"""

from bnnhw.boards.link_choice import LinkChoice, usb_name

from .errors import LinkError
from .line import Line
from .serial_line import SerialLine
from .serial_port import choose_port
from .udp_line import UdpLine
from .usb_line import UsbLine

__all__ = ["open_line"]


def open_line(*, port: str | None = None, address: str | None = None, built: LinkChoice) -> Line:
    """The line to a serial port, or to an address: HOST:PORT of UDP, "usb" or "usb:NAME".

    By default it leads to the address that the board was built for, or to this computer's only USB serial port.

    Raises LinkError where there is none, ValueError where both are given.
    """
    if port and address:
        raise ValueError("port and address exclude each other; give one of them")
    if place := address or (None if port else built.address):
        name = usb_name(place)
        return UdpLine(place) if name is None else UsbLine(name)
    if built.baud is None:
        raise LinkError(f"this build's board is at the address {built.address}, not at the serial port {port}")
    return SerialLine(port or choose_port(), baud=built.baud)
