"""The sizes and the timing of a line buffer.

Tests: tests/hw/window/test_line_buffer.py
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bnnhw.hw.storage.line_memory import line_memory_latency, line_memory_store
from bnnhw.hw.targets import Target

from .border import BORDERS, Tap, border_taps

__all__ = ["LineBufferShape"]


@dataclass(frozen=True, kw_only=True)
class LineBufferShape:
    """The windows of a (height, width, channels) image, a beat of pixels at each step.

    The output pixel (y, x) sees the rows y * sy - top .. y * sy - top + kh - 1 and the columns x * sx - left ..
    x * sx - left + kw - 1; out_height = (height + top + bottom - kh) // sy + 1, out_width alike.

    A step takes in a beat, or, beyond the last row or the end of a row, none; it gives a patch where the newest pixels
    complete the windows of an output beat. Rows follow each other without a gap unless the output has longer rows than
    the image, so the last windows of a row leave while the next row begins. The last windows of a frame leave while the
    first row of the next one comes in, if it comes (`is_early`).

    Parameters
    ----------
    height, width, channels, element_bits : int
    kernel, stride : (y, x)
    padding : (top, bottom, left, right)
        Each less than the kernel.
    border : "constant", "edge", "reflect" or "symmetric"
        What lies there, as in `numpy.pad`. "reflect" needs more pixels than padding, and neither it nor "symmetric"
        mirrors beyond the window: a padding of half the kernel at most.
    border_code : int
        The element of a constant border.
    pixels : int
        Pixels side by side in an input beat: a divisor of `width`; 1 or a multiple of the stride.
    lanes : int
        Channels of each: a divisor of `channels`, all of them where there are several pixels. The other channels of the
        same pixel follow.
    target : Target
    """

    height: int
    width: int
    channels: int
    element_bits: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    border: Literal["constant", "edge", "reflect", "symmetric"] = "constant"
    border_code: int = 0
    pixels: int = 1
    lanes: int
    target: Target

    def __post_init__(self) -> None:
        for name in ("height", "width", "channels", "element_bits"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        for name in ("kernel", "stride"):
            if min(getattr(self, name)) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1 in both directions")
        self._check_padding()
        for name, of in (("pixels", "width"), ("lanes", "channels")):
            value, total = getattr(self, name), getattr(self, of)
            if value < 1 or total % value:
                legal = [divisor for divisor in range(1, total + 1) if total % divisor == 0]
                raise ValueError(f"{name}={value} must divide {of}={total}; legal values are {legal}")
        if self.pixels > 1 and self.lanes < self.channels:
            raise ValueError(
                f"pixels={self.pixels} side by side need all channels in a beat: lanes={self.lanes} must be "
                f"channels={self.channels}"
            )
        if not self._fits(self.pixels):
            legal = [n for n in range(1, self.width + 1) if self.width % n == 0 and self._fits(n)]
            raise ValueError(
                f"pixels={self.pixels} must be 1 or a multiple of the stride's {self.stride[1]} columns, and the "
                f"pixels / {self.stride[1]} output pixels side by side must divide the output's width, "
                f"{self.out_width}; legal values are {legal}"
            )

    def _check_padding(self) -> None:
        if self.border not in BORDERS:
            raise ValueError(f"border={self.border!r} must be one of {list(BORDERS)}")
        if not 0 <= self.border_code < 1 << self.element_bits:
            raise ValueError(
                f"border_code={self.border_code} must be an element of element_bits={self.element_bits}, "
                f"0..{(1 << self.element_bits) - 1}"
            )
        text = f"padding=(top, bottom, left, right)={self.padding}"
        for axis, name in ((0, "height"), (1, "width")):
            size, reach = getattr(self, name), self.kernel[axis]
            pads = self.padding[2 * axis : 2 * axis + 2]
            most = reach - 1
            if self.border in ("reflect", "symmetric"):
                repeated = self.border == "symmetric"
                most = min((reach - 1 + repeated) // 2, size - 1 + repeated)
            if not 0 <= min(pads) <= max(pads) <= most:
                raise ValueError(
                    f"{text} must be from 0 to {most} along the {name}, for kernel={self.kernel}, {name}={size} and "
                    f"border={self.border!r}"
                )
            if size + sum(pads) < reach:
                raise ValueError(
                    f"kernel={self.kernel} must fit into the image: {name}={size} with its padding is "
                    f"{size + sum(pads)}"
                )

    def _fits(self, pixels: int) -> bool:
        """Whether so many pixels make whole output beats."""
        step = self.stride[1]
        return pixels == 1 or (pixels % step == 0 and self.out_width % (pixels // step) == 0)

    @property
    def out_height(self) -> int:
        return (self.height + sum(self.padding[:2]) - self.kernel[0]) // self.stride[0] + 1

    @property
    def out_width(self) -> int:
        return (self.width + sum(self.padding[2:]) - self.kernel[1]) // self.stride[1] + 1

    @property
    def out_pixels(self) -> int:
        """Output pixels side by side in an output beat."""
        return max(1, self.pixels // self.stride[1])

    @property
    def columns(self) -> int:
        """Columns of a patch."""
        return self.kernel[1] + (self.out_pixels - 1) * self.stride[1]

    @property
    def chunks(self) -> int:
        """Beats for all channels of the same pixels."""
        return self.channels // self.lanes

    @property
    def pixel_bits(self) -> int:
        """Bits of a pixel in a beat."""
        return self.lanes * self.element_bits

    @property
    def input_width(self) -> int:
        """Bits of an input beat."""
        return self.pixels * self.pixel_bits

    @property
    def output_width(self) -> int:
        """Bits of a patch."""
        return self.kernel[0] * self.columns * self.pixel_bits

    @property
    def row_groups(self) -> int:
        """Groups of `pixels` in a row."""
        return self.width // self.pixels

    @property
    def windows(self) -> range:
        """Those groups, counted from the left padding's end, at which the windows of an output beat begin."""
        step = self.stride[1] if self.pixels == 1 else 1
        return range(0, self.out_width // self.out_pixels * step, step)

    @property
    def lag(self) -> int:
        """Groups from the one at which windows begin to the one that completes them."""
        return (self.columns - 1 - self.padding[2]) // self.pixels

    @property
    def row_steps(self) -> int:
        """Groups from row to row."""
        return max(self.row_groups, self.windows[-1] + 1, self.lag)

    @property
    def window_rows(self) -> range:
        """The last rows of windows; beyond the image from `height` on."""
        first = self.kernel[0] - 1 - self.padding[0]
        return range(first, first + self.out_height * self.stride[0], self.stride[0])

    @property
    def is_early(self) -> bool:
        """Whether a frame's first row comes in while the last windows of the frame before leave: it completes none
        itself, and there is a memory that it can wait in."""
        rows = self.window_rows
        return self.store in ("lut", "block") and rows[0] >= 1 and rows[-1] >= self.height >= 2

    @property
    def first_row(self) -> int:
        """The first row of the steps."""
        return 1 if self.is_early else 0

    @property
    def frame_groups(self) -> int:
        """Groups of steps of a frame, those of a first row that comes in early counted."""
        last_input = (self.height - 1) * self.row_steps + self.row_groups
        last_window = self.window_rows[-1] * self.row_steps + self.windows[-1] + 1 + self.lag
        return max(last_input, last_window)

    @property
    def initiation_interval(self) -> int:
        """Cycles from frame to frame in the steady state."""
        if not self.is_early:
            return self.frame_groups * self.chunks
        first_row_in = (self.window_rows[-1] - 1) * self.row_steps + self.row_groups
        return max(self.frame_groups - self.row_steps, first_row_in) * self.chunks

    @property
    def held(self) -> int:
        """Groups of pixels of a row at hand at once."""
        return self.lag + -(-self.padding[2] // self.pixels) + 1

    @cached_property
    def row_taps(self) -> tuple[Tap, ...]:
        """The rows of a patch, by the last row."""
        back = range(1 - self.kernel[0], 1)
        return border_taps(back, {row: row for row in self.window_rows}, self.height, self.border, held=back)

    @cached_property
    def column_taps(self) -> tuple[Tap, ...]:
        """The columns of a patch, by the newest group: the step in its row."""
        newest = {(group + self.lag) % self.row_steps: (group + self.lag) * self.pixels for group in self.windows}
        start = -self.padding[2] - self.lag * self.pixels
        held = range((1 - self.held) * self.pixels, self.pixels)
        return border_taps(range(start, start + self.columns), newest, self.width, self.border, held=held)

    @property
    def depth(self) -> int:
        """Words of the memory: steps of a row."""
        return self.row_steps * self.chunks

    @property
    def word_bits(self) -> int:
        """Bits of a word, which holds all rows but the last one."""
        return (self.kernel[0] - 1) * self.input_width

    @property
    def store(self) -> str:
        """Where the rows lie: "none" for windows of one row; "registers" are delay lines."""
        return line_memory_store(self.target.fabric, self.depth, self.word_bits) if self.word_bits else "none"

    @property
    def memory_latency(self) -> int:
        """Cycles from a beat to the rows above it."""
        return 0 if self.store in ("none", "registers") else line_memory_latency(self.store)

    @property
    def latency(self) -> int:
        """Cycles from a step to its patch."""
        return self.memory_latency + 2

    def takes(self, row: int, group: int) -> bool:
        """Whether a step takes in a beat."""
        return row < self.height and group < self.row_groups

    def gives(self, row: int, group: int) -> bool:
        """Whether a step gives a patch."""
        wrapped = group < self.lag
        begin = group - self.lag + wrapped * self.row_steps
        return row - wrapped in self.window_rows and begin in self.windows
