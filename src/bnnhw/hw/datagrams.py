"""The link's bytes in datagrams (docs/link-protocol.md): in order, with gaps, whatever a network does to them."""

import secrets
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .protocol import FLAG

__all__ = ["DATAGRAM_HEADER_BYTES", "MARK_AND_VERSION", "BoardEnd", "Datagram", "HostEnd", "pack", "take_frames"]

_MARK = 0x62
_VERSION = 1
_HEADER = "<BBHII"
_HEADER_BYTES = struct.calcsize(_HEADER)
_NUMBERS = 1 << 32
DATAGRAM_HEADER_BYTES = _HEADER_BYTES + 4
"""Before the payload, a CRC-32 of the header included."""
MARK_AND_VERSION = _MARK | _VERSION << 8
"""The first two bytes, as hardware reads them."""


@dataclass(frozen=True)
class Datagram:
    """Bytes of the stream, and their place in it.

    opening: how the board numbers the conversation, from 1 on; 0 asks it to begin one. session: how the host does.
    number: of the datagram, modulo 2^32, counted each way for itself.
    """

    opening: int
    session: int
    number: int
    payload: bytes

    def to_bytes(self) -> bytes:
        header = struct.pack(_HEADER, _MARK, _VERSION, self.opening, self.session, self.number)
        return header + struct.pack("<I", zlib.crc32(header)) + self.payload

    @classmethod
    def from_bytes(cls, data: bytes) -> "Datagram | None":
        """None where the header is damaged, or none of this version."""
        if len(data) < DATAGRAM_HEADER_BYTES:
            return None
        mark, version, opening, session, number, crc = struct.unpack_from(_HEADER + "I", data)
        if (mark, version, crc) != (_MARK, _VERSION, zlib.crc32(data[:_HEADER_BYTES])):
            return None
        return cls(opening, session, number, data[DATAGRAM_HEADER_BYTES:])


class _Incoming:
    """The bytes of one conversation's datagrams, as they were sent but for gaps.

    What comes late or again is dropped. Behind a gap, and at the begin, bytes count from the next flag on: so no frame
    is made of parts of two, whatever its CRC would say.
    """

    def __init__(self, *, first: int):
        self._next = first
        self._in_step = False

    def take(self, datagram: Datagram) -> bytes:
        skipped = (datagram.number - self._next) % _NUMBERS
        if skipped >= _NUMBERS // 2:
            return b""
        self._next = datagram.number + 1
        self._in_step &= not skipped
        start = 0 if self._in_step else datagram.payload.find(FLAG)
        if start < 0:
            return b""
        self._in_step = True
        return datagram.payload[start:]


class HostEnd:
    """A host's end: `begin` before the first payload, which holds an INFO and nothing else, as do all until an answer
    has come."""

    def begin(self) -> None:
        """A new conversation; no datagram of an earlier one is of it."""
        self._session = secrets.randbits(32)
        self._opening = self._number = 0
        self._incoming = _Incoming(first=0)

    def wrap(self, payload: bytes) -> bytes:
        """The next datagram."""
        datagram = Datagram(self._opening, self._session, self._number, payload)
        self._number = (self._number + 1) % _NUMBERS
        return datagram.to_bytes()

    def unwrap(self, data: bytes) -> bytes:
        """What a datagram adds to the stream of answers."""
        datagram = Datagram.from_bytes(data)
        if datagram is None or datagram.session != self._session or not datagram.opening:
            return b""
        self._opening = self._opening or datagram.opening
        return self._incoming.take(datagram) if datagram.opening == self._opening else b""


class BoardEnd:
    """A board's end, which knows one conversation: the last one that was begun.

    Attributes
    ----------
    peer : object, optional
        The address of the host that began it.
    """

    def __init__(self):
        self.peer: Any = None
        self._session = -1
        self._opening = self._number = 0

    def wrap(self, payload: bytes) -> bytes:
        """The next datagram, for `peer`."""
        datagram = Datagram(self._opening, self._session, self._number, payload)
        self._number = (self._number + 1) % _NUMBERS
        return datagram.to_bytes()

    def unwrap(self, data: bytes, sender: Any) -> bytes:
        """What a datagram adds to the stream of requests."""
        datagram = Datagram.from_bytes(data)
        if datagram is None:
            return b""
        if not datagram.opening and datagram.session != self._session:
            self.peer = sender
            self._session, self._opening, self._number = datagram.session, self._opening % 0xFFFF + 1, 0
            self._incoming = _Incoming(first=datagram.number)
        is_ours = datagram.session == self._session and datagram.opening in (0, self._opening)
        return self._incoming.take(datagram) if is_ours else b""


def pack(frames: Iterable[bytes], *, room: int) -> Iterator[bytes]:
    """Payloads of at most `room` bytes: of whole frames, as far as one fits."""
    payload = b""
    for frame in frames:
        if payload and len(payload) + len(frame) > room:
            yield payload
            payload = b""
        payload += frame
        while len(payload) > room:
            yield payload[:room]
            payload = payload[room:]
    if payload:
        yield payload


def take_frames(stream: bytearray) -> Iterator[bytes]:
    """Takes the whole frames, flags included, from the front of what a board says."""
    while (start := stream.find(FLAG)) >= 0 and (end := stream.find(FLAG, start + 1)) >= 0:
        if end > start + 1:
            yield bytes(stream[start : end + 1])
            end += 1
        del stream[:end]
