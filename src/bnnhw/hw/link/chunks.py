"""FrameShape and Chunks: a frame on a stream, and its pieces on the link.

Tests: tests/hw/link/test_settings.py
"""

import math
from dataclasses import dataclass

from bnnhw.hw.protocol import MAX_CHUNKS

__all__ = ["Chunks", "FrameShape", "cut_frame"]


@dataclass(frozen=True)
class FrameShape:
    """One frame on a stream: `elements` elements of `width` bits in beats of `lanes`, for each of `vectors` vectors."""

    elements: int
    lanes: int
    width: int
    vectors: int = 1

    def __post_init__(self):
        for name in ("elements", "lanes", "width", "vectors"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if self.elements % self.lanes:
            raise ValueError(f"lanes={self.lanes} must divide elements={self.elements}, those of a frame")

    @property
    def beats(self) -> int:
        """Beats of a frame."""
        return self.elements // self.lanes

    @property
    def vector_bits(self) -> int:
        """Bits of one vector in a beat."""
        return self.lanes * self.width

    @property
    def beat_bits(self) -> int:
        """Bits of a beat."""
        return self.vectors * self.vector_bits

    @property
    def packed_bytes(self) -> int:
        """Bytes of a frame whose elements are packed without gaps."""
        return -(-self.elements * self.width // 8)


@dataclass(frozen=True)
class Chunks:
    """A frame in `count` chunks: all but the last have `beats` beats, a power of two, and `bytes` whole bytes."""

    count: int
    beats: int
    bytes: int
    last_beats: int
    last_bytes: int


def cut_frame(frame: FrameShape, *, whole_bytes: int, chunk_bytes: int, chunk_beats: int, max_bytes: int) -> Chunks:
    """The chunks of a frame: one if it has at most `whole_bytes` bytes, otherwise as many as it takes.

    These have as many beats, a power of two, as fit in `chunk_bytes` bytes and are at most `chunk_beats`; where beats
    are wide, as few as make whole bytes.

    Raises
    ------
    ValueError
        When even these are more than `max_bytes`, or there are more chunks than can be numbered.
    """
    if frame.packed_bytes <= whole_bytes:
        return Chunks(1, frame.beats, frame.packed_bytes, frame.beats, frame.packed_bytes)
    bits = frame.vector_bits
    beats = 8 // math.gcd(8, bits)
    while 2 * beats * bits <= 8 * chunk_bytes and 2 * beats <= chunk_beats:
        beats *= 2
    size = beats * bits // 8
    if size > max_bytes:
        raise ValueError(f"beats of {bits} bits are too wide for the link, whose chunks have {max_bytes} bytes at most")
    count = -(-frame.beats // beats)
    if count > MAX_CHUNKS:
        raise ValueError(f"a frame of {frame.packed_bytes} bytes is too long for {MAX_CHUNKS} chunks of {size} bytes")
    return Chunks(count, beats, size, frame.beats - (count - 1) * beats, frame.packed_bytes - (count - 1) * size)
