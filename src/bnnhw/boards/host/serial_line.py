"""A board behind a serial port.

Tests: tests/boards/host/test_link.py
"""

import contextlib

import serial

from bnnhw.hw.protocol import BITS_PER_BYTE

from .errors import LinkError
from .line import POLL_S
from .serial_port import open_port

__all__ = ["SerialLine"]


class SerialLine:
    """A Line.

    Parameters
    ----------
    port : str
        Its device, such as /dev/ttyUSB0 or COM3.
    baud : int
        Bits a second, as the board was built.

    Raises
    ------
    LinkError
        When the port cannot be opened.
    """

    def __init__(self, port: str, *, baud: int):
        self.name = port
        self.rate = f" at {baud} baud"
        self.place = "port"
        self.bytes_per_second = baud / BITS_PER_BYTE
        self._serial = open_port(port, baud=baud, read_timeout_s=POLL_S, write_timeout_s=1.0)

    def set_write_timeout(self, seconds: float) -> None:
        self._serial.write_timeout = seconds

    def begin(self) -> None:
        pass

    def send(self, frame: bytes) -> None:
        try:
            self._serial.write(frame)
        except serial.SerialTimeoutException as error:
            raise LinkError(f"the board at {self.name} takes no bytes") from error
        except serial.SerialException as error:
            raise LinkError(f"the board at {self.name} went away: {error}") from error

    def flush(self) -> None:
        pass

    def receive(self) -> bytes:
        try:
            return self._serial.read(max(1, self._serial.in_waiting))
        except OSError as error:
            raise LinkError(f"the board at {self.name} went away: {error}") from error

    def close(self) -> None:
        with contextlib.suppress(Exception):  # a port that is gone; termios.error is no OSError
            self._serial.reset_output_buffer()
        self._serial.close()
