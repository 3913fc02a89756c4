"""The line to a board, wherever it is.

Tests: tests/boards/host/test_udp_line.py
"""

from .line import Line
from .serial_line import SerialLine
from .serial_port import choose_port
from .udp_line import UdpLine

__all__ = ["open_line"]


def open_line(*, port: str | None = None, address: str | None = None, baud: int) -> Line:
    """The line to a serial port, to a UDP address HOST:PORT, or to this computer's only USB serial port.

    Raises LinkError where there is none, ValueError where both are given.
    """
    if port and address:
        raise ValueError("port and address exclude each other; give one of them")
    return UdpLine(address) if address else SerialLine(port or choose_port(), baud=baud)
