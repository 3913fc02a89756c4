"""How many frames a second a link carries.

Tests: tests/api/test_examples.py
"""

from collections.abc import Sequence

from bnnhw.boards.link_choice import LinkChoice
from bnnhw.compiler.dataflow.schedule import Schedule
from bnnhw.compiler.ir.graph import Graph, infer_types
from bnnhw.compiler.ir.types import FloatType, TensorType
from bnnhw.compiler.lowering.network import split_host
from bnnhw.hw.link.settings import BUFFERED_CHUNKS, answer_cycles, receiver_step
from bnnhw.hw.protocol import CRC_BYTES, CYCLES_BYTES, HEADER_BYTES, MAX_CHUNK

__all__ = ["exchanges_per_second", "link_frames_per_second", "wire_frames_per_second"]

_FLAGS = 2  # of a frame


def wire_frames_per_second(graph: Graph, link: LinkChoice) -> float:
    """Images a second of an integer graph, requests, or answers, or over USB both, close behind each other, none of
    their bytes escaped."""
    return _wire_rate(link, *_bytes_of(graph))


def link_frames_per_second(graph: Graph, link: LinkChoice, schedule: Schedule, *, clock_hz: float) -> float:
    """As `wire_frames_per_second`, or as many as the design's end of the link takes and gives, if that is less."""
    sent, given = _bytes_of(graph)
    beats = schedule.input_lanes * schedule.input_width, schedule.output_lanes * schedule.output_width
    return exchanges_per_second(link, (sent, given), beats, clock_hz=clock_hz)


def exchanges_per_second(
    link: LinkChoice, sizes: tuple[int, int], beat_bits: tuple[int, int], *, clock_hz: float
) -> float:
    """Requests a second, or their answers, whatever is less, of so many bytes on the wire: what that carries, or what a
    design of that clock takes and gives, whose images and results have beats of so many bits."""
    byte_cycles = 0.0 if link.baud is None else clock_hz / link.bytes_per_second
    (sent, given), (image, result) = sizes, beat_bits
    taken = clock_hz * receiver_step(image, byte_cycles=byte_cycles) / 8 / sent
    return min(_wire_rate(link, sent, given), taken, clock_hz / answer_cycles(result, byte_cycles=byte_cycles) / given)


def packed_bytes(values: Sequence[TensorType]) -> int:
    """Bytes of values one after the other, their elements as wide as the widest one's."""
    widths = [value.element.width for value in values if not isinstance(value.element, FloatType)]
    return -(-sum(value.size for value in values) * max(widths) // 8)


def bytes_on_the_wire(size: int) -> int:
    """Bytes of the frames of an image, or an answer, of `size` bytes."""
    frames = 1 if size <= MAX_CHUNK else -(-size // (MAX_CHUNK // BUFFERED_CHUNKS))
    return size + frames * (HEADER_BYTES + CRC_BYTES + _FLAGS)


def _wire_rate(link: LinkChoice, sent: int, given: int) -> float:
    return link.bytes_per_second / (sent + given if link.medium == "usb" else max(sent, given))


def _bytes_of(graph: Graph) -> tuple[int, int]:
    """Those of a request, and of its answer."""
    types = infer_types(graph)
    sent = packed_bytes([split_host(graph)[1].inputs[0].type])
    given = packed_bytes([types[output] for output in graph.outputs]) + CYCLES_BYTES
    return bytes_on_the_wire(sent), bytes_on_the_wire(given)
