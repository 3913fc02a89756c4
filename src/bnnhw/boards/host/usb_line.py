"""A board behind its own USB socket (bnnhw.hw.usb).

Tests: tests/boards/host/test_usb_line.py
"""

import contextlib
import errno
from typing import Any, NamedTuple

from bnnhw.boards.link_choice import USB
from bnnhw.hw.usb.descriptors import (
    BULK_BYTES_PER_SECOND,
    ENDPOINT,
    HIGH_SPEED_BULK_BYTES_PER_SECOND,
    MANUFACTURER,
    PRODUCT,
    PRODUCT_ID,
    VENDOR_ID,
)

from .errors import LinkError
from .line import POLL_S

__all__ = ["UsbLine"]

_READ_BYTES = 16384  # in whole packets
_FORBIDDEN = "is forbidden to this user; on Linux `bnnhw flash --udev` prints the rule that helps"


class _Board(NamedTuple):
    device: Any
    serial: str
    place: str

    def __str__(self) -> str:
        return f"{self.serial} at {self.place}"


class UsbLine:
    """A Line: the board's bulk endpoints by pyusb.

    Parameters
    ----------
    name : str
        The board's serial number or place; "": it is the only one.
    backend, optional
        What pyusb finds devices by; by default its own choice, libusb.

    Raises
    ------
    LinkError
        When there is no such board, or several, or it cannot be opened; where pyusb or libusb is missing.
    """

    def __init__(self, name: str = "", *, backend: Any = None):
        try:
            import usb.core
            import usb.util
        except ImportError as error:
            raise LinkError("a board on USB needs the package pyusb; pip install 'bnnhw[usb]'") from error
        self._core, self._util = usb.core, usb.util
        board = self._choose(name, backend)
        self._device = board.device
        self.name = f"{USB}:{board.place}"
        self.rate = ""
        self.place = "socket"
        fast = self._device.speed == self._util.SPEED_HIGH
        self.bytes_per_second = HIGH_SPEED_BULK_BYTES_PER_SECOND if fast else BULK_BYTES_PER_SECOND
        self._write_timeout_s = 1.0
        self._unsent = bytearray()
        try:
            self._device.set_configuration()  # the board drops what it has for a host before
            self._util.claim_interface(self._device, 0)
        except self._core.USBError as error:
            self._util.dispose_resources(self._device)
            raise LinkError(self._why(error)) from error

    def set_write_timeout(self, seconds: float) -> None:
        self._write_timeout_s = seconds

    def begin(self) -> None:
        pass

    def send(self, frame: bytes) -> None:
        self._unsent += frame

    def flush(self) -> None:
        unsent, self._unsent = self._unsent, bytearray()
        if not unsent:
            return
        try:
            sent = self._device.write(ENDPOINT, unsent, timeout=round(self._write_timeout_s * 1000))
        except self._core.USBError as error:
            raise LinkError(self._why(error)) from error
        if sent < len(unsent):
            raise LinkError(f"the board at {self.name} takes no bytes")

    def receive(self) -> bytes:
        try:
            return bytes(self._device.read(ENDPOINT | 0x80, _READ_BYTES, timeout=round(POLL_S * 1000)))
        except self._core.USBTimeoutError:
            return b""
        except self._core.USBError as error:
            raise LinkError(self._why(error)) from error

    def close(self) -> None:
        with contextlib.suppress(self._core.USBError):  # a board that is gone
            self._util.dispose_resources(self._device)

    def _choose(self, name: str, backend: Any) -> _Board:
        """The board of this name, or the only one."""
        try:
            devices = self._core.find(find_all=True, idVendor=VENDOR_ID, idProduct=PRODUCT_ID, backend=backend)
            boards, closed = self._boards(devices)
        except self._core.NoBackendError as error:
            raise LinkError(
                "pyusb finds no libusb; install it: `sudo apt install libusb-1.0-0`, `brew install libusb`"
            ) from error
        fitting = [board for board in boards if name in ("", board.serial, board.place)]
        if len(fitting) == 1:
            return fitting[0]
        if len(fitting) > 1:
            raise LinkError(
                f"more than one board on USB: {', '.join(map(str, fitting))}; name one, {USB}:SERIAL or {USB}:PLACE"
            )
        if closed:
            raise LinkError(f"a board on USB {closed}")
        if boards:
            raise LinkError(f"no board on USB is called {name!r}; there are {', '.join(map(str, boards))}")
        raise LinkError(
            "no board on USB; is the board's own socket connected, not that of its programmer, and is it flashed with "
            "a build for USB?"
        )

    def _boards(self, devices: Any) -> tuple[list[_Board], str]:
        """The boards, and why one of those with our number did not say its names, if so: our number is for all who try
        something out, so what has other names is not ours."""
        boards, closed = [], ""
        for device in devices:
            try:
                self._util.get_langids(device)  # whose error says why; that of the names does not
                names = device.manufacturer, device.product, device.serial_number
            except self._core.USBError as error:
                closed = _FORBIDDEN if error.errno == errno.EACCES else f"does not answer: {error}"
                continue
            except ValueError:  # no names at all
                continue
            finally:
                self._util.dispose_resources(device)
            if names[:2] == (MANUFACTURER, PRODUCT):
                place = f"{device.bus}-{'.'.join(map(str, device.port_numbers or ()))}"
                boards.append(_Board(device, names[2], place))
        return boards, closed

    def _why(self, error: Any) -> str:
        if isinstance(error, self._core.USBTimeoutError):
            return f"the board at {self.name} takes no bytes"
        if error.errno == errno.EBUSY:
            return f"the board at {self.name} is in use by another program; end it first"
        if error.errno == errno.EACCES:
            return f"the board at {self.name} {_FORBIDDEN}"
        return f"the board at {self.name} went away: {error}"
