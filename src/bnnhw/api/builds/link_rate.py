"""How many frames a second a UART carries.

Tests: tests/api/test_examples.py
"""

from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.ir.types import FloatType
from bnnhw.compiler.lowering.network import split_host
from bnnhw.hw.link.settings import BUFFERED_CHUNKS
from bnnhw.hw.protocol import BITS_PER_BYTE, CRC_BYTES, HEADER_BYTES, MAX_CHUNK

__all__ = ["link_frames_per_second"]

_FLAGS = 2  # of a frame


def link_frames_per_second(graph: Graph, baud: int) -> float:
    """Images a second of an integer graph, requests close behind each other, none of their bytes escaped."""
    sent = split_host(graph)[1].inputs[0].type
    if isinstance(sent.element, FloatType):
        raise TypeError("an integer graph has no float input")
    size = -(-sent.size * sent.element.width // 8)
    frames = 1 if size <= MAX_CHUNK else -(-size // (MAX_CHUNK // BUFFERED_CHUNKS))
    return baud / (BITS_PER_BYTE * (size + frames * (HEADER_BYTES + CRC_BYTES + _FLAGS)))
