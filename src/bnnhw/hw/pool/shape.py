"""The sizes and the timing of a pooling unit.

Tests: tests/hw/pool/test_pool.py
"""

import math
from dataclasses import dataclass
from typing import Literal

from bnnhw.hw.storage.line_memory import line_memory_latency, line_memory_store
from bnnhw.hw.stream.flow import Channel, Flow, Process
from bnnhw.hw.stream.held_pipeline import HeldPipeline
from bnnhw.hw.targets import Target

__all__ = ["PoolShape"]


@dataclass(frozen=True, kw_only=True)
class PoolShape:
    """Windows of a (height, width, channels) image, each channel by itself, `pixels` of a row side by side.

    The output pixel (y, x) sees the rows y * sy .. y * sy + wh - 1 and the columns x * sx .. x * sx + ww - 1. There is
    no padding; rows and columns at the end that fill no window are dropped.

    Parameters
    ----------
    height, width, channels : int
    window, stride : (y, x)
        window <= stride + 1: an output pixel shares at most a row and a column with its neighbours.
    pixels : int
        Pixels side by side in an input beat; a divisor of `width`.
    lanes : int
        Channels of each of them; a divisor of `channels`. The other channels of the same pixels follow.
    kind : "max" or "sum"
        What a window becomes.
    element_bits, greatest : int
        Bits of an unsigned element, and the greatest one.
    target : Target
    """

    height: int
    width: int
    channels: int
    window: tuple[int, int]
    stride: tuple[int, int]
    pixels: int = 1
    lanes: int
    kind: Literal["max", "sum"]
    element_bits: int
    greatest: int
    target: Target

    def __post_init__(self) -> None:
        for name in ("element_bits", "height", "width", "channels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if self.greatest.bit_length() != self.element_bits:
            raise ValueError(f"greatest={self.greatest} must have element_bits={self.element_bits} bits")
        for axis, name in ((0, "height"), (1, "width")):
            window, stride = self.window[axis], self.stride[axis]
            if not 1 <= window <= getattr(self, name):
                raise ValueError(f"window={self.window} must be at least 1 and fit into {name}={getattr(self, name)}")
            if stride < max(1, window - 1):
                raise ValueError(
                    f"stride={self.stride} must be at least 1 and at least window - 1, window={self.window}"
                )
        for name, of in (("pixels", "width"), ("lanes", "channels")):
            value, total = getattr(self, name), getattr(self, of)
            if value < 1 or total % value:
                legal = [divisor for divisor in range(1, total + 1) if total % divisor == 0]
                raise ValueError(f"{name}={value} must divide {of}={total}; legal values are {legal}")
        if self.out_width % self.out_pixels:
            legal = [
                n for n in range(1, self.width + 1) if self.width % n == 0 and self.out_width % self._results(n) == 0
            ]
            raise ValueError(
                f"pixels={self.pixels} gives {self.out_pixels} output pixels side by side, which must divide the "
                f"output's width, {self.out_width}; legal values are {legal}"
            )

    @property
    def out_height(self) -> int:
        return (self.height - self.window[0]) // self.stride[0] + 1

    @property
    def out_width(self) -> int:
        return (self.width - self.window[1]) // self.stride[1] + 1

    def _results(self, pixels: int) -> int:
        return pixels // math.gcd(pixels, self.stride[1])

    @property
    def out_pixels(self) -> int:
        """Pixels side by side in an output beat: pixels / sx where sx divides them, else those of several beats."""
        return self._results(self.pixels)

    @property
    def chunks(self) -> int:
        """Beats for all channels of the same pixels."""
        return self.channels // self.lanes

    @property
    def period(self) -> int:
        """Groups of `pixels` from an output group to the next."""
        return self.stride[1] // math.gcd(self.pixels, self.stride[1])

    @property
    def reach(self) -> int:
        """Groups of `pixels` that an output group sees: `period`, or one more where it shares a column."""
        return ((self.out_pixels - 1) * self.stride[1] + self.window[1] - 1) // self.pixels + 1

    def columns(self, result: int, group: int) -> list[int]:
        """The pixels of group `group` that belong to the window of the result `result`, of an output group."""
        start = result * self.stride[1] - group * self.pixels
        return [pixel for pixel in range(start, start + self.window[1]) if 0 <= pixel < self.pixels]

    @property
    def carried(self) -> list[int]:
        """The results of an output group that begin before its last group of pixels."""
        last = self.reach - 1
        return [n for n in range(self.out_pixels) if any(self.columns(n, group) for group in range(last))]

    @property
    def row_beats(self) -> int:
        """Input beats of a row."""
        return self.width // self.pixels * self.chunks

    @property
    def depth(self) -> int:
        """Output beats of a row: words of the memory that holds the results of the rows so far."""
        return self.out_width // self.out_pixels * self.chunks

    def bits_of(self, elements: int) -> int:
        """Bits of what so many elements combine to."""
        return self.element_bits if self.kind == "max" else (self.greatest * elements).bit_length()

    @property
    def row_bits(self) -> int:
        """Bits of what a window has in one row."""
        return self.bits_of(self.window[1])

    @property
    def result_bits(self) -> int:
        """Bits of a result."""
        return self.bits_of(self.window[0] * self.window[1])

    @property
    def input_width(self) -> int:
        """Bits of an input beat."""
        return self.pixels * self.lanes * self.element_bits

    @property
    def output_width(self) -> int:
        """Bits of an output beat, and of a word of the memory."""
        return self.out_pixels * self.lanes * self.result_bits

    @property
    def store(self) -> str:
        """Where the words of the memory lie; "none" for windows of one row."""
        if self.window[0] == 1:
            return "none"
        return "register" if self.depth == 1 else line_memory_store(self.target.fabric, self.depth, self.output_width)

    @property
    def latency(self) -> int:
        """Cycles from a window's last input beat to its output beat."""
        return 2 + (0 if self.store in ("none", "register") else line_memory_latency(self.store))

    @property
    def initiation_interval(self) -> int:
        """Cycles from image to image in the steady state."""
        return self.height * self.row_beats

    def flow(self, i: Channel, o: Channel) -> Flow:
        """The unit's flow: an output beat is offered `latency` cycles after the last beat of its windows was accepted,
        and all stands still while it waits."""
        return [self._process(i, o)]

    def _process(self, i: Channel, o: Channel) -> Process:
        rows = {y * self.stride[0] + self.window[0] - 1 for y in range(self.out_height)}
        groups = {g * self.period + self.reach - 1 for g in range(self.out_width // self.out_pixels)}
        pipeline = HeldPipeline(self.latency, o)
        while True:
            for row in range(self.height):
                for place in range(self.row_beats):
                    cycle = yield i
                    ends = row in rows and place // self.chunks in groups
                    i.take((yield from (pipeline.enter if ends else pipeline.moving)(cycle)))
