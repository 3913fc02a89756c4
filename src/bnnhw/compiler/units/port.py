"""The streams between units, as types.

Tests: tests/compiler/dataflow/test_schedule.py
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Beat:
    """What a stream carries at once: so many elements side by side, of so many bits each."""

    elements: int
    bits: int

    @property
    def width(self) -> int:
        """Bits of a beat."""
        return self.elements * self.bits


@dataclass(frozen=True)
class Port:
    """The type of a stream between units: a frame's pixels in raster order, `pixels` of a row a beat.

    A beat has `lanes` channels of each; the other channels of the same pixels follow. A dense layer's vector is one
    pixel of an image of one; then `vectors` frames are side by side.
    """

    height: int
    width: int
    channels: int
    bits: int
    lanes: int
    pixels: int = 1
    vectors: int = 1

    @property
    def elements(self) -> int:
        """Elements of a frame."""
        return self.height * self.width * self.channels

    @property
    def beats(self) -> int:
        """Beats of a frame."""
        return self.elements // (self.lanes * self.pixels)

    @property
    def beat(self) -> Beat:
        """What it carries at once."""
        return Beat(self.lanes * self.pixels * self.vectors, self.bits)

    @property
    def width_of_beat(self) -> int:
        """Bits of a beat."""
        return self.beat.width
