"""What fixes a link: the shapes of its frames, its UART and its identity.

Tests: tests/hw/test_top.py
"""

import math
from dataclasses import dataclass
from functools import cached_property

from bnnhw.hw.link.phy.uart import BaudRate
from bnnhw.hw.protocol import Info
from bnnhw.hw.stream.fifo import LUT_FIFO_DEPTH, fifo_block_rams
from bnnhw.hw.targets import Target

__all__ = ["MAX_WINDOW", "FrameShape", "LinkSettings"]

MAX_WINDOW = 32
"""Requests that the queue of answers holds."""


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

    @property
    def element_bytes(self) -> int:
        """Bytes of an element by itself: 1, 2 or 4.

        Raises
        ------
        ValueError
            When the element is wider.
        """
        for count in (1, 2, 4):
            if self.width <= 8 * count:
                return count
        raise ValueError(f"width={self.width} must be at most 32")


@dataclass(frozen=True)
class LinkSettings:
    """The static choices of a Link.

    image, result: frames at the core's input and output. result_signed: whether the result's elements are two's
    complement. network_id: 8 bytes. timeout_cycles: silence inside a frame that ends it.

    Raises
    ------
    ValueError
        When a frame does not fit the link.
    """

    image: FrameShape
    result: FrameShape
    result_signed: bool
    rate: BaudRate
    network_id: bytes
    timeout_cycles: int
    target: Target

    def __post_init__(self):
        two_bytes = math.ceil(20 * self.rate.clock_hz / self.rate.baud)
        if self.timeout_cycles < two_bytes:
            raise ValueError(f"timeout_cycles={self.timeout_cycles} must be at least {two_bytes}, two bytes' time")
        _ = self.info

    @cached_property
    def image_buffer_depth(self) -> int:
        """Beats that the buffer of received images holds: those of two images, and what fits beside them."""
        beats, bits, fabric = self.image.beats, self.image.vector_bits, self.target.fabric
        depths = [depth for depth in fabric.block_ram_shapes if depth > LUT_FIFO_DEPTH and depth >= 2 * beats]
        if not depths:
            raise ValueError(
                f"a frame of {beats} beats is too long for the link, which holds two of them in at most "
                f"{fabric.block_ram_depth} beats; use more lanes"
            )
        rams = fifo_block_rams(fabric, width=bits, depth=depths[0])
        return max(depth for depth in depths if fifo_block_rams(fabric, width=bits, depth=depth) == rams)

    @cached_property
    def info(self) -> Info:
        """What the device says about itself."""
        return Info(
            window=min(MAX_WINDOW, self.image_buffer_depth // self.image.beats),
            input_bytes=self.image.packed_bytes,
            output_bytes=self.result.elements * self.result.element_bytes,
            clock_hz=self.rate.clock_hz,
            network_id=self.network_id,
        )
