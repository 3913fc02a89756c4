"""A board behind UDP.

Tests: tests/boards/host/test_udp_line.py
"""

import errno
import re
import socket
import sys

from bnnhw.hw.datagrams import DATAGRAM_HEADER_BYTES, HostEnd, pack

from .errors import LinkError
from .line import POLL_S

__all__ = ["UdpLine", "connect"]

_PACKET = 1500  # bytes that any Ethernet carries
_HEADERS = {socket.AF_INET: 20 + 8, socket.AF_INET6: 40 + 8}
_AT_ONCE = 64  # datagrams, before the answers in them are looked at
_WHOLE = {socket.AF_INET: (socket.IPPROTO_IP, 10, 2), socket.AF_INET6: (socket.IPPROTO_IPV6, 23, 2)}
"""Linux's IP_MTU_DISCOVER and IPV6_MTU_DISCOVER: no datagram goes in pieces, which a board does not put together."""
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL)


class UdpLine:
    """A Line: `bnnhw.hw.datagrams` over UDP.

    Parameters
    ----------
    address : str
        HOST:PORT; HOST is a name, an IPv4 address, or an IPv6 address in brackets.

    Raises
    ------
    LinkError
        Where that is no address, or the name of no host.
    """

    def __init__(self, address: str):
        self.name = address
        self.rate = ""
        self.place = "address"
        self.bytes_per_second = 125e6
        self._write_timeout_s = 1.0
        self._socket, self._room = connect(address)
        self._end = HostEnd()
        self._frames: list[bytes] = []

    def set_write_timeout(self, seconds: float) -> None:
        self._write_timeout_s = seconds

    def begin(self) -> None:
        self._end.begin()

    def send(self, frame: bytes) -> None:
        self._frames.append(frame)

    def flush(self) -> None:
        frames, self._frames = self._frames, []
        try:
            self._socket.settimeout(self._write_timeout_s)
            for payload in pack(frames, room=self._room - DATAGRAM_HEADER_BYTES):
                self._socket.send(self._end.wrap(payload))
        except OSError as error:
            raise LinkError(self._why(error)) from error

    def receive(self) -> bytes:
        stream = b""
        try:
            self._socket.settimeout(POLL_S)
            for _ in range(_AT_ONCE):
                stream += self._end.unwrap(self._socket.recv(_PACKET))
                self._socket.settimeout(0)
        except (TimeoutError, BlockingIOError):
            pass
        except OSError as error:
            raise LinkError(self._why(error)) from error
        return stream

    def close(self) -> None:
        self._socket.close()

    def _why(self, error: OSError) -> str:
        if isinstance(error, TimeoutError):
            return f"the board at {self.name} takes no bytes"
        if error.errno == errno.ECONNREFUSED:
            return f"nothing answers at {self.name}; is the board on, and is this its address?"
        if error.errno == errno.EMSGSIZE:
            return (
                f"a datagram of {self._room} bytes is too long for the way to {self.name}; each network on it, this "
                f"computer's first, must carry packets of {_PACKET} bytes (its MTU)"
            )
        if error.errno in _UNREACHABLE:
            return f"no way leads to {self.name}: {error.strerror}; is its network connected?"
        return f"the board at {self.name} went away: {error}"


def connect(address: str) -> tuple[socket.socket, int]:
    """A socket for the datagrams of one address, IPv4 before IPv6, and the bytes of the longest one that goes in one
    piece. Raises LinkError."""
    host, port = _parts_of(address)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no host has such a name"
        raise LinkError(f"host {host!r} is unknown: {reason}; name the board's address") from error
    family, kind, protocol, _, place = min(found, key=lambda each: each[0] != socket.AF_INET)
    opened = socket.socket(family, kind, protocol)
    try:
        if sys.platform == "linux":
            opened.setsockopt(*_WHOLE[family])
        opened.connect(place)
    except OSError as error:
        opened.close()
        raise LinkError(f"no way leads to {address}: {error.strerror}; is its network connected?") from error
    return opened, _PACKET - _HEADERS[family]


def _parts_of(address: str) -> tuple[str, int]:
    match = re.fullmatch(r"(?:\[([^\[\]]+)\]|([^:\[\]]+)):([0-9]{1,5})", address)
    if match is None or not 0 < int(match[3]) < 1 << 16:
        raise LinkError(
            f"address {address!r} must be HOST:PORT, a port from 1 to 65535, and an IPv6 address in brackets, "
            "such as 127.0.0.1:7000 or [::1]:7000"
        )
    return match[1] or match[2], int(match[3])
