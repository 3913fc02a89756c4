"""What stands in a board's flash behind the bitstream: programs for its engine, as packets, and the note of them.

In words of the bus: HEADER_WORDS of header, whose last one is their CRC; the note's NOTED_WORDS; the packets that write
the programs into the external memory; and the CRC of note and packets.

Tests: tests/hw/engine/boot/test_loader.py
"""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bnnhw.hw.engine.engine_shape import NOTED_WORDS
from bnnhw.hw.engine.program.packets import PACKET_WORDS

__all__ = ["HEADER_WORDS", "MAGIC", "MOST_PACKETS", "boot_image", "identity_words", "image_bytes"]

MAGIC = int.from_bytes(b"bnn1", "little")
"""The first word; its last byte is the version."""
HEADER_WORDS = 5
"""MAGIC, both words of the engine's identity, the number of packets, the CRC."""
MOST_PACKETS = (1 << 16) - 1


def identity_words(identity: bytes) -> tuple[int, int]:
    """An engine's identity as two words."""
    return int.from_bytes(identity[:4], "little"), int.from_bytes(identity[4:], "little")


def image_bytes(packets: int) -> int:
    """Bytes of an image with so many packets."""
    return 4 * (HEADER_WORDS + NOTED_WORDS + packets * PACKET_WORDS + 1)


def boot_image(identity: bytes, note: NDArray[np.uint32], packets: Sequence[NDArray[np.uint32]]) -> bytes:
    """The bytes of the flash. Each has its lowest bit first on the wire, which is the highest of what is stored.

    note: what the last packet writes to the begin of the external memory, when the others were right. Raises ValueError
    where there are no packets, or too many.
    """
    if not 1 <= len(packets) <= MOST_PACKETS:
        raise ValueError(f"{len(packets)} packets must be 1 to {MOST_PACKETS}")
    header = _with_crc(np.array([MAGIC, *identity_words(identity), len(packets)], "<u4"))
    body = _with_crc(np.concatenate([note, *packets]).astype("<u4"))
    plain = np.frombuffer(header + body, np.uint8)
    return np.packbits(np.unpackbits(plain, bitorder="little"), bitorder="big").tobytes()


def _with_crc(words: NDArray[np.uint32]) -> bytes:
    data = words.tobytes()
    return data + zlib.crc32(data).to_bytes(4, "little")
