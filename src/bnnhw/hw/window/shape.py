"""The sizes, the memory's layout and the timing of a sliding window.

Tests: tests/hw/window/test_sliding_window.py
"""

from dataclasses import dataclass
from functools import cached_property

from bnnhw.hw.storage.line_memory import LINE_STORES, line_memory_latency, line_memory_store
from bnnhw.hw.stream.buffer import buffer_process
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Target

from .extent import check_fits, extent
from .rows import WindowRows
from .simds import wide_simds, window_simds
from .timing import window_flow, window_interval

__all__ = ["WindowShape"]


@dataclass(frozen=True, kw_only=True)
class WindowShape:
    """The windows of a (height, width, channels) image, `pixels` of one output row side by side.

    In padded coordinates, row r and column c of the image at (r + top, c + left), the output pixel (y, x) sees the rows
    y * sy + ky * dy and the columns x * sx + kx * dx. Its elements leave in the order (ky, kx, channel), `simd` a word;
    those of each group of channels by themselves, one group after the other.

    Parameters
    ----------
    height, width, channels, element_bits : int
        Of the image, without its padding.
    kernel, stride, dilation : (y, x)
        The taps of a window are `dilation` rows and columns apart.
    padding : (top, bottom, left, right)
        Each less than what a window spans.
    in_pixels : int
        Pixels side by side in an input beat, each with `lanes` elements; a divisor of `width` and of pixels * sx.
    pixels : int
        Output pixels side by side in an output word, FINN's MMV; a divisor of the output's width.
    channel_groups : int
        Groups of neighbouring channels; a divisor of `channels`.
    simd : int
        Elements of each output pixel in a word: with n the channels of a group, a divisor of n, or kw * n, or
        kh * kw * n.
    store : "registers", "lut", "block" or "auto"
        Where the rows lie; "auto" is resolved to the cheapest.
    target : Target
    """

    height: int
    width: int
    channels: int
    element_bits: int = 1
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    in_pixels: int = 1
    pixels: int = 1
    channel_groups: int = 1
    simd: int
    store: str = "auto"
    target: Target

    def __post_init__(self) -> None:
        for name in ("height", "width", "channels", "element_bits", "in_pixels", "pixels", "channel_groups", "simd"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        for name in ("kernel", "stride", "dilation"):
            if min(getattr(self, name)) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1 in both directions")
        size = self.height, self.width
        check_fits(size, kernel=self.kernel, dilation=self.dilation, padding=self.padding)
        self._check_divisor("pixels", self.out_width, "the output's width")
        self._check_divisor("in_pixels", self.width, "width")
        self._check_divisor("in_pixels", self.block, "pixels * stride")
        self._check_divisor("channel_groups", self.channels, "channels")
        own = self.group_channels
        if self.simd not in (legal := window_simds(channels=own, kernel=self.kernel)):
            which = f"channels={own}" if self.channel_groups == 1 else f"a group's channels, {own}"
            raise ValueError(
                f"simd={self.simd} must divide {which}, or be all channels of a kernel row or of the kernel; "
                f"legal values are {list(legal)}"
            )
        if self.store not in (*LINE_STORES, "auto"):
            raise ValueError(f"store={self.store!r} must be one of {[*LINE_STORES, 'auto']}")
        if self.store == "auto":
            object.__setattr__(self, "store", line_memory_store(self.target.fabric, self.depth, self.lane_bits))

    def _check_divisor(self, name: str, total: int, what: str) -> None:
        value = getattr(self, name)
        if total % value:
            legal = [divisor for divisor in range(1, total + 1) if total % divisor == 0]
            raise ValueError(f"{name}={value} must divide {what}, {total}; legal values are {legal}")

    @property
    def _wide_simd(self) -> tuple[int, int]:
        return wide_simds(channels=self.group_channels, kernel=self.kernel)

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns that a window spans."""
        return extent(self.kernel, self.dilation)

    @property
    def out_height(self) -> int:
        return (self.height + sum(self.padding[:2]) - self.extent[0]) // self.stride[0] + 1

    @property
    def out_width(self) -> int:
        return (self.width + sum(self.padding[2:]) - self.extent[1]) // self.stride[1] + 1

    # What a step reads, a word in every cycle.

    @property
    def group_channels(self) -> int:
        """Channels of a group."""
        return self.channels // self.channel_groups

    @property
    def lanes(self) -> int:
        """Elements of a pixel in an input beat, and in a word of the memory."""
        return min(self.simd, self.group_channels)

    @property
    def lane_bits(self) -> int:
        """Bits of a word of the memory."""
        return self.lanes * self.element_bits

    @property
    def chunks(self) -> int:
        """Words of the memory for one pixel."""
        return self.channels // self.lanes

    @property
    def group_chunks(self) -> int:
        """Those of them that belong to the same group of channels."""
        return self.group_channels // self.lanes

    @property
    def row_taps(self) -> int:
        """Kernel rows in an output word: 1, or all."""
        return self.kernel[0] if self.simd == self._wide_simd[1] else 1

    @property
    def column_taps(self) -> int:
        """Kernel columns in an output word: 1, or all."""
        return self.kernel[1] if self.simd in self._wide_simd else 1

    @property
    def columns(self) -> int:
        """Columns of the image in an output word."""
        return self.pixels if self.column_taps == 1 else (self.pixels - 1) * self.stride[1] + self.extent[1]

    @property
    def groups(self) -> int:
        """Groups of `pixels` output pixels in an output row."""
        return self.out_width // self.pixels

    @property
    def group_words(self) -> int:
        """Output words of a group."""
        kh, kw = self.kernel
        return kh // self.row_taps * (kw // self.column_taps) * self.chunks

    @property
    def row_words(self) -> int:
        """Output words of an output row."""
        return self.groups * self.group_words

    @property
    def row_beats(self) -> int:
        """Input beats of an image row."""
        return self.width // self.in_pixels * self.chunks

    @property
    def input_width(self) -> int:
        """Bits of an input beat."""
        return self.in_pixels * self.lane_bits

    @property
    def output_width(self) -> int:
        """Bits of an output word."""
        return self.pixels * self.simd * self.element_bits

    # The memory: column c (padded) lies in bank c % banks; the first one of a row in each bank at address 0 of the row.

    @property
    def block(self) -> int:
        """Columns from an output group to the next."""
        return self.pixels * self.stride[1]

    @property
    def blocks(self) -> int:
        """Blocks of banks: as many as the columns of a word touch."""
        return 1 if self.column_taps == 1 else -(-self.columns // self.block)

    @property
    def banks(self) -> int:
        return self.blocks * self.block

    @property
    def row_depth(self) -> int:
        """Pixels of a row in each bank."""
        return -(-self.width // self.banks)

    @property
    def row_banks(self) -> int:
        """Memories of a bank: one for all rows, or one for each where an output word has several rows."""
        return 1 if self.row_taps == 1 else self.rows

    @property
    def depth(self) -> int:
        """Words of a memory. The words of a pixel take a power of two."""
        return self.rows // self.row_banks * self.row_depth << (self.chunks - 1).bit_length()

    def bank(self, column: int, state: int) -> int:
        """The bank with the column that stands at `column` of an output word, in the state `state` of the reader.

        The state is kx where an output word has one kernel column, otherwise the group's index modulo `blocks`.
        """
        if self.column_taps == 1:
            return (column * self.stride[1] + state * self.dilation[1]) % self.block
        return (state * self.block + column) % self.banks

    def carries(self, bank: int) -> tuple[int, ...]:
        """How many columns further than in state 0 the bank stands in each state.

        While kx goes up, the columns of a word reach into the next group, bank by bank. Where a word has all kernel
        columns, the blocks of banks do so in turn from group to group.
        """
        if self.column_taps == 1:
            return tuple(-((bank - kx * self.dilation[1]) // self.block) for kx in range(self.kernel[1]))
        return tuple(int(state > bank // self.block) for state in range(self.blocks))

    def padding_columns(self, bank: int) -> int:
        """Columns of the bank that lie in the left padding, which is not stored."""
        return max(0, -((bank - self.padding[2]) // self.banks))

    @property
    def states(self) -> int:
        return self.kernel[1] if self.column_taps == 1 else self.blocks

    # The rows, in order over all images.

    @cached_property
    def order(self) -> WindowRows:
        """Which rows the windows need, and when."""
        return WindowRows(
            height=self.height,
            out_height=self.out_height,
            taps=self.extent[0],
            stride=self.stride[0],
            padding=self.padding[0],
        )

    @cached_property
    def rows(self) -> int:
        """Rows that fit into the memory: while an output row leaves, those of the next one can arrive.

        Up to two more where this saves cycles: where an output row takes few cycles more than its image rows, it would
        wait for the room to become known.
        """
        most = self.order.most
        return min((most, most + 1, most + 2), key=self._interval)

    def _interval(self, rows: int) -> int:
        """Cycles from image to image with so many rows in the memory."""
        return window_interval(self.order, rows=rows, row_beats=self.row_beats, row_words=self.row_words)

    @property
    def latency(self) -> int:
        """Cycles from the step that reads a word to the word at the output."""
        return 2 + line_memory_latency(self.store) + (self.row_taps > 1)

    @property
    def initiation_interval(self) -> int:
        """Cycles from image to image in the steady state, when neither neighbour makes it wait."""
        return self._interval(self.rows)

    def flow(self, i: Channel, o: Channel) -> Flow:
        """The unit's flow.

        - Pixels pass a StreamBuffer before they are accepted.
        - Output row y leaves without a pause. Its first step comes one cycle after the last beat of its last image row
          was accepted, or after the last step of the row before; each word leaves `latency` cycles after its step.
        - The image rows that the output row frees can be replaced two cycles after its last step.

        While a word waits, all steps and the words behind it stand still, and so does the news of the rows' room.
        """
        sizes = {"rows": self.rows, "row_beats": self.row_beats, "row_words": self.row_words}
        buffered = Channel()
        windows = window_flow(self.order, buffered, o, latency=self.latency, **sizes)
        return [buffer_process(i, buffered), *windows]
