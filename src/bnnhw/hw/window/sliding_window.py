"""SlidingWindow: an image in raster order becomes the input vectors of a convolution's matrix unit."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.storage.line_memory import LineMemory, line_memory_latency
from bnnhw.hw.stream.buffer import StreamBuffer, flat_stream
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Target, check_target

from .reader import WindowReader
from .shape import WindowShape
from .writer import WindowWriter

__all__ = ["SlidingWindow"]


class SlidingWindow(wiring.Component):
    """word[y, g, n] = for p in range(pixels): elements n * simd .. of window (y, g * pixels + p), in raster order.

    The elements of the window (y, x) are image[y*sy + ky*dy - top, x*sx + kx*dx - left, channel] in the order (ky, kx,
    channel), or `padding_code` outside of the image; with several channel groups, those of one group after the other.
    The group g of an output row y gives kh * kw * channels / simd words, one in each cycle; groups, rows and images
    follow each other without a pause while the image rows are there. Padding is never stored and never waited for.
    `shape` has the sizes and the exact timing.

    Each pixel is stored once. The memory has room for the rows of two output rows that follow each other, those at the
    border of two images included, so that the next rows arrive while the windows of the former leave. `i` ends at
    registers, for the memory may lie far from where the pixels come from; from `o.ready` a path leads to the enables of
    the pipeline.

    Parameters
    ----------
    height, width, channels, element_bits, kernel, stride, dilation, padding, in_pixels, pixels, channel_groups, simd,
    store
        See `WindowShape`.
    padding_code : int
        The element outside of the image.
    target : Target

    Members
    -------
    i : In(stream of unsigned(in_pixels * lanes * element_bits))
        `in_pixels` pixels of a row side by side; each with shape.lanes elements, so that all channels of these pixels
        take channels / lanes beats. (A WidthConverter with vectors=in_pixels, out_lanes=shape.lanes makes them.)
    o : Out(stream of unsigned(pixels * simd * element_bits))
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        *,
        height: int,
        width: int,
        channels: int,
        element_bits: int = 1,
        kernel: tuple[int, int],
        stride: tuple[int, int] = (1, 1),
        dilation: tuple[int, int] = (1, 1),
        padding: tuple[int, int, int, int] = (0, 0, 0, 0),
        padding_code: int = 0,
        in_pixels: int = 1,
        pixels: int = 1,
        channel_groups: int = 1,
        simd: int,
        store: str = "auto",
        target: Target,
    ):
        check_target(target)
        self.shape = WindowShape(
            height=height,
            width=width,
            channels=channels,
            element_bits=element_bits,
            kernel=kernel,
            stride=stride,
            dilation=dilation,
            padding=padding,
            in_pixels=in_pixels,
            pixels=pixels,
            channel_groups=channel_groups,
            simd=simd,
            store=store,
            target=target,
        )
        if not 0 <= padding_code < 1 << element_bits:
            raise ValueError(
                f"padding_code={padding_code} must be an element of element_bits={element_bits}, "
                f"0..{(1 << element_bits) - 1}"
            )
        self.padding_code = padding_code
        super().__init__({"i": In(flat_stream(self.shape.input_width)), "o": Out(flat_stream(self.shape.output_width))})

    def __repr__(self) -> str:
        return f"SlidingWindow({self.shape!r}, padding_code={self.padding_code})"

    @property
    def initiation_interval(self) -> int:
        """Cycles from image to image in the steady state."""
        return self.shape.initiation_interval

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `WindowShape.flow`."""
        return self.shape.flow(i, o)

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        m.submodules.writer = writer = WindowWriter(shape)
        m.submodules.reader = reader = WindowReader(shape)
        m.submodules.buffer = buffer = StreamBuffer(width=shape.input_width)
        wiring.connect(m, wiring.flipped(self.i), buffer.i)
        wiring.connect(m, buffer.o, writer.i)
        advance = Signal()
        m.d.comb += [advance.eq(~self.o.valid | self.o.ready), reader.advance.eq(advance)]
        self._count_rows(m, writer, reader)

        data = [
            [self._memory(m, writer, reader, row, bank) for bank in range(shape.banks)]
            for row in range(shape.row_banks)
        ]
        cycles = line_memory_latency(shape.store)
        flags = Cat(reader.valid, reader.state, reader.outside)
        flags = delay(m, flags, cycles, enable=advance, name="flags")
        if shape.row_taps > 1:
            slot = delay(m, reader.slot, cycles, enable=advance, name="slot")
            data = self._rotate(m, data, slot, advance)
            flags = delay(m, flags, 1, enable=advance, name="flags_rotated")
        valid, state, outside = flags[0], flags[1 : 1 + len(reader.state)], flags[1 + len(reader.state) :]
        word = self._select(m, data, state, outside, advance)
        m.d.comb += self.o.payload.eq(word)
        with m.If(advance):
            m.d.sync += self.o.valid.eq(valid)
        return m

    def _count_rows(self, m: Module, writer: WindowWriter, reader: WindowReader) -> None:
        """The reader waits for the rows of an output row, the writer for the rows that the reader frees."""
        shape = self.shape
        # Rows there beyond those that the output row at hand needs, and room beyond the row that is being written.
        # (With a stride beyond the kernel, rows are freed before they have come.)
        most = shape.rows + max(shape.order.frees)
        surplus = Signal(range(-max(shape.order.claims), most + 1), init=-shape.order.first_claim)
        room = Signal(range(-1, most + 1), init=shape.rows - 1)
        m.d.comb += [reader.there.eq(~surplus[-1]), writer.room.eq(~room[-1])]
        claimed, freed = (Signal.like(port) for port in (reader.claim, reader.freed))
        with m.If(reader.row_last):
            m.d.comb += claimed.eq(reader.claim)
        with m.If(reader.advance):
            m.d.comb += freed.eq(reader.freed)
        m.d.sync += [surplus.eq(surplus + writer.row_done - claimed), room.eq(room - writer.row_done + freed)]

    def _memory(self, m: Module, writer: WindowWriter, reader: WindowReader, row: int, bank: int) -> Value:
        shape = self.shape
        memory = LineMemory(depth=shape.depth, width=shape.lane_bits, store=shape.store, target=shape.target)
        m.submodules[f"row{row}_bank{bank}"] = memory
        m.d.comb += [
            memory.write_enable.eq(writer.enables[row * shape.banks + bank]),
            memory.write_address.eq(writer.address),
            memory.write_data.eq(writer.data[bank]),
            memory.read_enable.eq(reader.advance),
            memory.read_address.eq(reader.addresses[bank]),
        ]
        return memory.read_data

    def _rotate(self, m: Module, data: list[list[Value]], slot: Value, advance: Value) -> list[list[Value]]:
        """The rows of the kernel in order, from the slots in which they lie."""
        shape = self.shape
        rows = [
            [Signal(shape.lane_bits, name=f"row{ky}_{bank}", reset_less=True) for bank in range(shape.banks)]
            for ky in range(shape.row_taps)
        ]
        with m.If(advance), m.Switch(slot):
            for first in range(shape.rows):
                with m.Case(first):
                    for ky, row in enumerate(rows):
                        m.d.sync += [
                            a.eq(b)
                            for a, b in zip(row, data[(first + ky * shape.dilation[0]) % shape.rows], strict=True)
                        ]
        return rows  # pyright: ignore[reportReturnType]

    def _select(self, m: Module, data: list[list[Value]], state: Value, outside: Value, advance: Value) -> Value:
        """The output word."""
        shape = self.shape
        border = Cat(self.padding_code >> bit & 1 for bit in range(shape.element_bits)).replicate(shape.lanes)
        columns = [
            [Signal(shape.lane_bits, name=f"column{ky}_{column}", reset_less=True) for column in range(shape.columns)]
            for ky in range(shape.row_taps)
        ]
        with m.If(advance):
            for ky, row in enumerate(columns):
                for index, column in enumerate(row):
                    with m.Switch(state):
                        for number in range(shape.states):
                            with m.Case(number) if number < shape.states - 1 else m.Default():
                                m.d.sync += column.eq(data[ky][shape.bank(index, number)])
                    if any(shape.padding):
                        with m.If(outside[ky * shape.columns + index]):
                            m.d.sync += column.eq(border)
        step = shape.stride[1] if shape.column_taps > 1 else 1
        return Cat(
            row[pixel * step + kx * shape.dilation[1]]
            for pixel in range(shape.pixels)
            for row in columns
            for kx in range(shape.column_taps)
        )
