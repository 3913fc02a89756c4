"""Serial ports: which there are, and opening one for ourselves alone.

Tests: tests/boards/host/test_link.py
"""

import contextlib
import errno

import serial
from serial.tools import list_ports

from .errors import LinkError

__all__ = ["choose_port", "open_port", "port_names"]

_BUSY = (errno.EAGAIN, errno.EBUSY)


def port_names() -> list[str]:
    """The serial ports of this computer that a USB device stands behind."""
    return sorted(port.device for port in list_ports.comports() if port.vid is not None)


def choose_port() -> str:
    """The only USB serial port of this computer.

    Raises
    ------
    LinkError
        When there is none, or more than one to choose from.
    """
    ports = port_names()
    if not ports:
        raise LinkError("no board: this computer has no USB serial port; connect the board, or name its port")
    if len(ports) > 1:
        raise LinkError(f"more than one serial port: {', '.join(ports)}; name the board's")
    return ports[0]


def open_port(port: str, *, baud: int, read_timeout_s: float, write_timeout_s: float) -> serial.Serial:
    """Opens `port` exclusively with 8N1 and without flow control, in the adapter's low-latency mode where it has one.

    Reads return after their time-out with what has come, writes fail after theirs.

    Raises
    ------
    LinkError
        When the port does not exist, is another program's, is forbidden, or cannot do `baud`.
    """
    try:
        opened = serial.Serial(port, baud, timeout=read_timeout_s, write_timeout=write_timeout_s, exclusive=True)
    except ValueError as error:
        raise LinkError(f"port {port} cannot run at {baud} baud: {error}") from error
    except serial.SerialException as error:
        raise LinkError(_why_closed(port, error)) from error
    with contextlib.suppress(AttributeError, NotImplementedError, OSError, ValueError):
        opened.set_low_latency_mode(True)  # an FTDI adapter holds answers back for 16 ms otherwise
    return opened


def _why_closed(port: str, error: serial.SerialException) -> str:
    if error.errno == errno.ENOENT:
        return f"port {port} does not exist; the USB serial ports are {', '.join(port_names()) or 'none'}"
    if error.errno in _BUSY:
        return f"port {port} is in use by another program; end it first"
    if error.errno == errno.EACCES:
        return f"port {port} is forbidden to this user; on Linux `sudo usermod -aG dialout $USER` and a new login help"
    reason = error.__context__  # pyserial puts the system's reason into its text only
    if reason is not None and reason.args[:1] == (errno.ENOTTY,):
        return f"port {port} is no serial port; the USB serial ports are {', '.join(port_names()) or 'none'}"
    return f"port {port} does not open: {error}"
