"""How many frames a second a link carries.

Tests: tests/api/test_examples.py
"""

from collections.abc import Sequence

from bnnhw.boards.link_choice import LinkChoice
from bnnhw.compiler.ir.graph import Graph, infer_types
from bnnhw.compiler.ir.types import FloatType, TensorType
from bnnhw.compiler.lowering.network import split_host
from bnnhw.hw.link.settings import BUFFERED_CHUNKS
from bnnhw.hw.protocol import CRC_BYTES, CYCLES_BYTES, HEADER_BYTES, MAX_CHUNK

__all__ = ["link_frames_per_second"]

_FLAGS = 2  # of a frame


def link_frames_per_second(graph: Graph, link: LinkChoice) -> float:
    """Images a second of an integer graph, requests, or answers, close behind each other, none of their bytes
    escaped."""
    types = infer_types(graph)
    sent = packed_bytes([split_host(graph)[1].inputs[0].type])
    given = packed_bytes([types[output] for output in graph.outputs]) + CYCLES_BYTES
    return link.bytes_per_second / max(map(bytes_on_the_wire, (sent, given)))


def packed_bytes(values: Sequence[TensorType]) -> int:
    """Bytes of values one after the other, their elements as wide as the widest one's."""
    widths = [value.element.width for value in values if not isinstance(value.element, FloatType)]
    return -(-sum(value.size for value in values) * max(widths) // 8)


def bytes_on_the_wire(size: int) -> int:
    """Bytes of the frames of an image, or an answer, of `size` bytes."""
    frames = 1 if size <= MAX_CHUNK else -(-size // (MAX_CHUNK // BUFFERED_CHUNKS))
    return size + frames * (HEADER_BYTES + CRC_BYTES + _FLAGS)
