"""What fixes a link: the shapes of its frames, its port and its identity.

Tests: tests/hw/link/test_settings.py
"""

import math
from dataclasses import dataclass
from functools import cached_property

from bnnhw.hw.protocol import CRC_BYTES, HEADER_BYTES, MAX_CHUNK, Info
from bnnhw.hw.stream.fifo import LUT_FIFO_DEPTH, fifo_block_rams
from bnnhw.hw.targets import Fabric, Target

from .chunks import Chunks, FrameShape, cut_frame
from .receiver import STEPS, end_pause
from .transmitter import TRANSMITTER_CYCLES

__all__ = [
    "BUFFERED_CHUNKS",
    "CRC_STEP",
    "MAX_WINDOW",
    "VERDICT_QUEUE_DEPTH",
    "LinkSettings",
    "answer_cycles",
    "image_buffer_depth",
    "image_chunks",
    "lane_depth",
    "receiver_step",
    "result_chunks",
    "result_queue_depth",
]

VERDICT_QUEUE_DEPTH = 32
MAX_WINDOW = VERDICT_QUEUE_DEPTH - 1
"""Requests that the queue of answers holds."""
BUFFERED_CHUNKS = 4
"""Chunks of an image of several in the buffer that would else hold one chunk of the greatest size."""

UNHURRIED_CYCLES = 22
"""Of an answer's byte and its CRC, where its units wait for one another and take a bit a cycle."""
CRC_STEP = 4
"""Bits a cycle of an answer's CRC, where they do not."""


def receiver_step(beat_bits: int, *, byte_cycles: float) -> int:
    """Bits that a receiver of such beats takes in a cycle: no more than a port needs that brings bytes so far apart."""
    steps = [step for step in STEPS if beat_bits % step == 0]
    return next((step for step in steps if end_pause(step) <= byte_cycles), steps[-1])


def answer_step(beat_bits: int, *, byte_cycles: float) -> int:
    """Bits of such beats that an answer's bytes are made of in a cycle, for a port that takes bytes so far apart."""
    return 1 if byte_cycles >= UNHURRIED_CYCLES else math.gcd(beat_bits, 8)


def answer_cycles(beat_bits: int, *, byte_cycles: float) -> int:
    """Cycles of an answer's byte, where the port takes it at once."""
    if byte_cycles >= UNHURRIED_CYCLES:
        return UNHURRIED_CYCLES
    return max(TRANSMITTER_CYCLES, 8 // answer_step(beat_bits, byte_cycles=byte_cycles) + 1)


def image_chunks(fabric: Fabric, image: FrameShape, *, max_chunk: int = MAX_CHUNK) -> Chunks:
    """The chunks of an image: one, if it has at most `max_chunk` bytes and the buffer holds two of it.

    Those of larger images have a quarter of it, so that four of them fit in the place of one.
    """
    fits = 2 * image.beats <= fabric.block_ram_depth
    return cut_frame(
        image,
        whole_bytes=max_chunk if fits else 0,
        chunk_bytes=max_chunk // BUFFERED_CHUNKS,
        chunk_beats=fabric.block_ram_depth // BUFFERED_CHUNKS,
        max_bytes=max_chunk,
    )


def result_chunks(fabric: Fabric, result: FrameShape, *, max_chunk: int = MAX_CHUNK) -> Chunks:
    """The chunks of an answer, as long as those of larger images: short, as the queue of results holds two."""
    return cut_frame(
        result,
        whole_bytes=max_chunk // BUFFERED_CHUNKS,
        chunk_bytes=max_chunk // BUFFERED_CHUNKS,
        chunk_beats=fabric.block_ram_depth // BUFFERED_CHUNKS,
        max_bytes=max_chunk,
    )


def image_buffer_depth(fabric: Fabric, image: FrameShape, chunks: Chunks) -> int:
    """Beats that the buffer of received images holds: two images, or four chunks, and what fits beside them."""
    bits, wanted = image.vector_bits, chunks.beats * (2 if chunks.count == 1 else BUFFERED_CHUNKS)
    depths = [depth for depth in fabric.block_ram_shapes if depth > LUT_FIFO_DEPTH and depth >= wanted]
    rams = fifo_block_rams(fabric, width=bits, depth=depths[0])
    return max(depth for depth in depths if fifo_block_rams(fabric, width=bits, depth=depth) == rams)


def lane_depth(fabric: Fabric, beats: int) -> int:
    """Words of the queue that holds an image, or a result, of so many beats."""
    return max(fabric.distributed_ram_depth, 1 << (beats + 1).bit_length())


def result_queue_depth(fabric: Fabric, chunks: Chunks) -> int:
    """Words of the queue that holds a result of one chunk, or two chunks of a longer one."""
    return lane_depth(fabric, chunks.beats) if chunks.count == 1 else max(8, 2 * chunks.beats)


@dataclass(frozen=True)
class LinkSettings:
    """The static choices of a Link.

    image, result: frames at the core's input and output. clock_hz: the core's. byte_cycles: how far apart the port's
    bytes come at least. queue_bytes: of requests that wait in the port. network_id: 8 bytes. timeout_cycles: silence
    inside a frame that ends it. max_chunk: bytes of the longest chunk of an image.

    Raises
    ------
    ValueError
        When a frame does not fit the link.
    """

    image: FrameShape
    result: FrameShape
    clock_hz: int
    byte_cycles: float
    network_id: bytes
    timeout_cycles: int
    target: Target
    queue_bytes: int = 0
    max_chunk: int = MAX_CHUNK

    def __post_init__(self):
        two_bytes = math.ceil(2 * self.byte_cycles)
        if self.timeout_cycles < two_bytes:
            raise ValueError(f"timeout_cycles={self.timeout_cycles} must be at least {two_bytes}, two bytes' time")
        _ = self.info
        for name, frame in (("image", self.image), ("result", self.result)):
            longest = self.target.fabric.block_ram_depth
            if frame.vectors > 1 and lane_depth(self.target.fabric, frame.beats) > longest:
                raise ValueError(
                    f"vectors={frame.vectors} need queues of {longest} beats at most, where the {name}'s {frame.beats} "
                    "beats must fit; use vectors=1"
                )

    @cached_property
    def step(self) -> int:
        """Bits that the receiver takes in a cycle."""
        return receiver_step(self.image.vector_bits, byte_cycles=self.byte_cycles)

    @property
    def hurries(self) -> bool:
        """Whether the port takes bytes faster than units make them that wait for one another."""
        return self.byte_cycles < UNHURRIED_CYCLES

    @property
    def answer_step(self) -> int:
        """Bits of results that become bytes in a cycle."""
        return answer_step(self.result.vector_bits, byte_cycles=self.byte_cycles)

    @cached_property
    def image_chunks(self) -> Chunks:
        """What an image is sent in."""
        return image_chunks(self.target.fabric, self.image, max_chunk=self.max_chunk)

    @cached_property
    def result_chunks(self) -> Chunks:
        """What the outputs of an answer are sent in."""
        return result_chunks(self.target.fabric, self.result, max_chunk=self.max_chunk)

    @cached_property
    def image_buffer_depth(self) -> int:
        """Beats that the buffer of received images holds."""
        return image_buffer_depth(self.target.fabric, self.image, self.image_chunks)

    @cached_property
    def result_queue_depth(self) -> int:
        """Words of the queue of results, where one vector has it."""
        return result_queue_depth(self.target.fabric, self.result_chunks)

    @cached_property
    def info(self) -> Info:
        """What the device says about itself. In the queue of answers an image of several chunks has two places, and
        as many are left for what is refused. In the port's queue there is room for chunks of which every byte is
        escaped, and for an INFO."""
        chunks = self.image_chunks
        window = MAX_WINDOW if chunks.count == 1 else MAX_WINDOW // 4
        frame_bytes = 2 * (HEADER_BYTES + CRC_BYTES) + 2
        queued = max(0, self.queue_bytes - frame_bytes) // (2 * chunks.bytes + frame_bytes)
        return Info(
            window=min(window, self.image_buffer_depth // chunks.beats + queued),
            input_chunk=chunks.bytes,
            output_chunk=self.result_chunks.bytes,
            input_bytes=self.image.packed_bytes,
            output_bytes=self.result.packed_bytes,
            clock_hz=self.clock_hz,
            network_id=self.network_id,
        )
