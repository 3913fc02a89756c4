"""The frames of the link in pure Python: docs/link-protocol.md as constants, an encoder and a decoder."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "BITS_PER_BYTE",
    "ESCAPE",
    "FLAG",
    "MAX_CHUNK",
    "MAX_CHUNKS",
    "MAX_PAYLOAD",
    "VERSION",
    "Decoder",
    "ErrorCode",
    "Frame",
    "Info",
    "Kind",
    "encode",
]

VERSION = 2
FLAG = 0x7E
ESCAPE = 0x7D
ESCAPE_FLIP = 0x20
HEADER = "<BBHH"
HEADER_BYTES = struct.calcsize(HEADER)
CRC_BYTES = 4
CYCLES_BYTES = 4
BITS_PER_BYTE = 10  # on the wire: a start bit, eight data bits, a stop bit
MAX_CHUNK = 4096
MAX_CHUNKS = 1 << 16
MAX_PAYLOAD = MAX_CHUNK + CYCLES_BYTES
_LONGEST = HEADER_BYTES + MAX_PAYLOAD + CRC_BYTES


class Kind(IntEnum):
    """A frame's first byte: the protocol's version in the high nibble."""

    INFO = 0x20
    INFER = 0x21
    INFO_ANSWER = 0x28
    INFER_ANSWER = 0x29
    TAKEN = 0x2A
    ERROR = 0x2F


class ErrorCode(IntEnum):
    """Why a frame was refused; the payload of an ERROR answer."""

    CRC = 1
    SHORT = 2
    LONG = 3
    LENGTH = 4
    KIND = 5
    REPEATED = 6
    FRAMING = 7
    OVERRUN = 8
    ORDER = 9


@dataclass(frozen=True)
class Frame:
    """A whole frame. `kind` is an int because a peer may send kinds that we do not know. number: of the chunk."""

    kind: int
    sequence: int
    payload: bytes
    number: int = 0

    @property
    def version(self) -> int:
        """The protocol's version that it is of."""
        return self.kind >> 4


@dataclass(frozen=True)
class Info:
    """What a device says about itself; the payload of an INFO answer.

    input_bytes, output_bytes: of an image, and of its outputs. input_chunk, output_chunk: of these in every chunk but
    the last. window: chunks that may be unanswered.
    """

    window: int
    input_chunk: int
    output_chunk: int
    input_bytes: int
    output_bytes: int
    clock_hz: int
    network_id: bytes
    version: int = VERSION

    FORMAT = "<BBHHIII8s"

    def __post_init__(self):
        chunk = MAX_CHUNK
        limits = {"window": 0xFF, "input_chunk": chunk, "output_chunk": chunk}
        limits |= dict.fromkeys(("input_bytes", "output_bytes", "clock_hz"), 2**32 - 1)
        for name, limit in limits.items():
            if not 0 < getattr(self, name) <= limit:
                raise ValueError(f"{name}={getattr(self, name)} must lie between 1 and {limit}")
        for name in ("input", "output"):
            size, chunk = getattr(self, f"{name}_bytes"), getattr(self, f"{name}_chunk")
            if size > MAX_CHUNKS * chunk:
                raise ValueError(f"{name}_bytes={size} must be at most {MAX_CHUNKS} chunks of {name}_chunk={chunk}")
        if len(self.network_id) != 8:
            raise ValueError(f"network_id must have 8 bytes, not {len(self.network_id)}")

    def to_bytes(self) -> bytes:
        return struct.pack(
            self.FORMAT,
            self.version, self.window, self.input_chunk, self.output_chunk,
            self.input_bytes, self.output_bytes, self.clock_hz, self.network_id,
        )  # fmt: skip

    @classmethod
    def from_bytes(cls, payload: bytes) -> "Info":
        """Raises ValueError where the payload is not an INFO answer of this version."""
        if len(payload) != struct.calcsize(cls.FORMAT):
            raise ValueError(f"an INFO answer has {struct.calcsize(cls.FORMAT)} bytes, not {len(payload)}")
        version, *fields = struct.unpack(cls.FORMAT, payload)
        return cls(*fields, version=version)


def encode(frame: Frame) -> bytes:
    """The bytes of a frame on the wire, both flags included."""
    if len(frame.payload) > MAX_PAYLOAD:
        raise ValueError(f"a payload holds at most {MAX_PAYLOAD} bytes, not {len(frame.payload)}")
    body = struct.pack(HEADER, frame.kind, frame.sequence, frame.number, len(frame.payload)) + frame.payload
    body += struct.pack("<I", zlib.crc32(body))
    for special in (ESCAPE, FLAG):
        body = body.replace(bytes([special]), bytes([ESCAPE, special ^ ESCAPE_FLIP]))
    return bytes([FLAG]) + body + bytes([FLAG])


class Decoder:
    """Turns bytes, in pieces of any size, into frames. Bytes before the first flag are dropped.

    Of a frame that never ends, it keeps a byte more than the longest one has, which makes it LONG.
    """

    def __init__(self):
        self._body: bytearray | None = None
        self._escaped = False

    def feed(self, data: bytes) -> Iterator[Frame | ErrorCode]:
        """Yields a Frame, or for a damaged one the reason: CRC, SHORT, LONG or (aborted) FRAMING.

        Of a frame of another version, which may have another header, kind and sequence are given, and no payload.
        """
        for number, piece in enumerate(data.split(bytes([FLAG]))):
            if number:
                body, escaped = self._body, self._escaped
                self._body, self._escaped = bytearray(), False
                if escaped:
                    yield ErrorCode.FRAMING
                elif body:
                    yield _parse(bytes(body))
            if self._body is not None:
                self._extend(self._body, piece)

    def _extend(self, body: bytearray, piece: bytes) -> None:
        start = 0
        while start < len(piece):
            if self._escaped:
                body.append(piece[start] ^ ESCAPE_FLIP)
                start += 1
            at = piece.find(ESCAPE, start)
            self._escaped = at >= 0
            end = at if self._escaped else len(piece)
            body += piece[start:end]
            start = end + 1
        del body[_LONGEST + 1 :]


def _parse(body: bytes) -> Frame | ErrorCode:
    sound = zlib.crc32(body[:-CRC_BYTES]) == int.from_bytes(body[-CRC_BYTES:], "little")
    if sound and len(body) > CRC_BYTES + 1 and body[0] >> 4 != VERSION:
        return Frame(body[0], body[1], b"")
    if len(body) < HEADER_BYTES + CRC_BYTES:
        return ErrorCode.SHORT
    kind, sequence, number, length = struct.unpack_from(HEADER, body)
    if len(body) != HEADER_BYTES + length + CRC_BYTES:
        return ErrorCode.SHORT if len(body) < HEADER_BYTES + length + CRC_BYTES else ErrorCode.LONG
    if not sound:
        return ErrorCode.CRC
    return Frame(kind, sequence, body[HEADER_BYTES:-CRC_BYTES], number)
