"""SpaceToDepth: blocks of pixels as channels of one pixel."""

from amaranth.hdl import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.window.line_buffer import LineBuffer
from bnnhw.hw.window.line_shape import LineBufferShape
from bnnhw.hw.window.line_timing import line_buffer_flow

__all__ = ["SpaceToDepth"]


class SpaceToDepth(wiring.Component):
    """o[y, x, (c * b + u) * b + v] = i[y * b + u, x * b + v, c]: a line buffer and wires.

    Parameters
    ----------
    shape : LineBufferShape
        Of windows of (b, b) that neither overlap nor leave anything out.

    Members
    -------
    i : In(stream of unsigned(shape.input_width))
        `lanes` channels of `pixels` pixels of a row side by side, then their next channels, then the next pixels.
    o : Out(stream of unsigned(shape.output_width))
        The same order, of `shape.out_pixels` pixels and lanes * b * b channels.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, shape: LineBufferShape):
        block = shape.kernel[0]
        if not shape.kernel == shape.stride == (block, block) or any(shape.padding):
            raise ValueError(
                f"kernel={shape.kernel}, stride={shape.stride} and padding={shape.padding} must be those of blocks "
                "side by side: (b, b), (b, b) and none"
            )
        if shape.height % block or shape.width % block:
            raise ValueError(f"blocks of {block} must divide height={shape.height} and width={shape.width}")
        self.shape = shape
        super().__init__({"i": In(flat_stream(shape.input_width)), "o": Out(flat_stream(shape.output_width))})

    def __repr__(self) -> str:
        return f"SpaceToDepth({self.shape!r})"

    @property
    def initiation_interval(self) -> int:
        """Cycles from image to image in the steady state."""
        return self.shape.initiation_interval

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `line_buffer_flow`."""
        return line_buffer_flow(self.shape, i, o)

    def elaborate(self, platform) -> Module:
        m = Module()
        shape, block = self.shape, self.shape.kernel[0]
        m.submodules.blocks = blocks = LineBuffer(shape=shape)
        wiring.connect(m, wiring.flipped(self.i), blocks.i)
        places = (
            (u * shape.columns + pixel * block + v) * shape.lanes + lane
            for pixel in range(shape.out_pixels)
            for lane in range(shape.lanes)
            for u in range(block)
            for v in range(block)
        )
        m.d.comb += [
            self.o.payload.eq(Cat(blocks.o.payload.word_select(place, shape.element_bits) for place in places)),
            self.o.valid.eq(blocks.o.valid),
            blocks.o.ready.eq(self.o.ready),
        ]
        return m
