"""DepthToSpace: channels of a pixel as a block of pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.logic.loop import Loop, step_loops
from bnnhw.hw.storage.line_memory import (
    LineMemory,
    line_memory_cells,
    line_memory_latency,
    line_memory_store,
)
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow, Process
from bnnhw.hw.stream.held_pipeline import HeldPipeline
from bnnhw.hw.targets import Cells, Target

__all__ = ["DepthToSpace", "DepthToSpaceShape", "depth_to_space_area"]


@dataclass(frozen=True, kw_only=True)
class DepthToSpaceShape:
    """Each pixel of a (height, width, channels) image as a block of pixels with channels / block^2 channels each.

    Parameters
    ----------
    height, width, channels, element_bits, block : int
    pixels : int
        Pixels of a row side by side in an input beat; a divisor of `width`.
    lanes : int
        Channels of each: a divisor of `channels` and a multiple of block^2. The other channels of the same pixels
        follow.
    target : Target
    """

    height: int
    width: int
    channels: int
    element_bits: int
    block: int
    pixels: int = 1
    lanes: int
    target: Target

    def __post_init__(self) -> None:
        for name in ("height", "width", "channels", "element_bits", "block"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        for name, of, unit in (("pixels", "width", 1), ("lanes", "channels", self.block**2)):
            value, total = getattr(self, name), getattr(self, of)
            legal = [divisor for divisor in range(unit, total + 1, unit) if total % divisor == 0]
            if value not in legal:
                multiple = f" and be a multiple of block^2={unit}" if unit > 1 else ""
                raise ValueError(f"{name}={value} must divide {of}={total}{multiple}; legal values are {legal}")

    @property
    def out_pixels(self) -> int:
        """Pixels side by side in an output beat."""
        return self.pixels * self.block

    @property
    def out_lanes(self) -> int:
        """Channels of each."""
        return self.lanes // self.block**2

    @property
    def depth(self) -> int:
        """Beats of an input row, and of an output row: words of the memory."""
        return self.width // self.pixels * (self.channels // self.lanes)

    @property
    def input_width(self) -> int:
        """Bits of an input beat."""
        return self.pixels * self.lanes * self.element_bits

    @property
    def output_width(self) -> int:
        """Bits of an output beat."""
        return self.input_width // self.block

    @property
    def word_bits(self) -> int:
        """Bits of a word: the rows of blocks but the first one, which goes through at once."""
        return self.input_width - self.output_width

    @property
    def store(self) -> str:
        """Where the words lie."""
        return line_memory_store(self.target.fabric, self.depth, self.word_bits)

    @property
    def latency(self) -> int:
        """Cycles from a step to its output beat."""
        return line_memory_latency(self.store) + 1

    @property
    def initiation_interval(self) -> int:
        """Cycles from image to image in the steady state."""
        return self.height * self.block * self.depth

    def flow(self, i: Channel, o: Channel) -> Flow:
        """An output beat a step. The first row of a row of blocks takes in an input beat at each, when it is there; the
        others none. All stands still while an output beat waits."""
        return [self._process(i, o)]

    def _process(self, i: Channel, o: Channel) -> Process:
        pipeline = HeldPipeline(self.latency, o)
        free = 0
        while True:
            for row in range(self.block):
                for _ in range(self.depth):
                    cycle = yield from pipeline.enter(free if row else max(free, (yield i)))
                    if not row:
                        i.take(cycle)
                    free = cycle + 1


class DepthToSpace(wiring.Component):
    """o[y * b + u, x * b + v, c] = i[y, x, (c * b + u) * b + v], an output beat a cycle.

    The first row of a row of blocks goes through, while a memory takes the others, which follow: so an input row comes
    in within its first output row. `shape` has the sizes and the exact timing; `i.ready` depends on `o.ready`.

    Parameters
    ----------
    shape : DepthToSpaceShape
        With a block of 2 at least.

    Members
    -------
    i : In(stream of unsigned(shape.input_width))
        `lanes` channels of `pixels` pixels of a row side by side, then their next channels, then the next pixels.
    o : Out(stream of unsigned(shape.output_width))
        The same order, of `shape.out_pixels` pixels and `shape.out_lanes` channels.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, shape: DepthToSpaceShape):
        if shape.block < 2:
            raise ValueError(f"block={shape.block} must be at least 2: blocks of one pixel are the image")
        self.shape = shape
        super().__init__({"i": In(flat_stream(shape.input_width)), "o": Out(flat_stream(shape.output_width))})

    def __repr__(self) -> str:
        return f"DepthToSpace({self.shape!r})"

    @property
    def initiation_interval(self) -> int:
        """Cycles from image to image in the steady state."""
        return self.shape.initiation_interval

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `DepthToSpaceShape.flow`."""
        return self.shape.flow(i, o)

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        place, row = Loop("place", shape.depth), Loop("row", shape.block)
        advance, there, repeats = Signal(), Signal(), Signal()  # repeats: the row is in the memory
        step = advance & there
        m.d.comb += [
            advance.eq(~self.o.valid | self.o.ready),
            there.eq(self.i.valid | repeats),
            self.i.ready.eq(advance & ~repeats),
        ]
        step_loops(m, step, place, row)
        with m.If(step & place.last):
            m.d.sync += repeats.eq(~row.last)

        first, *others = self._rows(self.i.payload)
        memory = LineMemory(depth=shape.depth, width=shape.word_bits, store=shape.store, target=shape.target)
        m.submodules.memory = memory
        m.d.comb += [
            memory.write_enable.eq(step & ~repeats),
            memory.write_address.eq(place.value),
            memory.write_data.eq(Cat(others)),
            memory.read_enable.eq(advance),
            memory.read_address.eq(place.value),
        ]
        wait = shape.latency - 1
        late = delay(m, Cat(there, repeats, row.value), wait, enable=advance, name="late")
        through = delay(m, first, wait, enable=advance, name="through", reset_less=True)
        kept = Signal(shape.output_width)
        with m.Switch(late[2:]):
            for number in range(1, shape.block):
                with m.Case(number) if number < shape.block - 1 else m.Default():
                    m.d.comb += kept.eq(memory.read_data.word_select(number - 1, shape.output_width))
        word = Signal(shape.output_width, reset_less=True)
        m.d.comb += self.o.payload.eq(word)
        with m.If(advance):
            m.d.sync += [self.o.valid.eq(late[0]), word.eq(Mux(late[1], kept, through))]
        return m

    def _rows(self, beat: Value) -> Sequence[Value]:
        """The output beats of each row of blocks in an input beat."""
        shape, block = self.shape, self.shape.block

        def element(pixel: int, channel: int, u: int, v: int) -> Value:
            place = pixel * shape.lanes + (channel * block + u) * block + v
            return beat.word_select(place, shape.element_bits)

        return [
            Cat(
                element(pixel, channel, u, v)
                for pixel in range(shape.pixels)
                for v in range(block)
                for channel in range(shape.out_lanes)
            )
            for u in range(block)
        ]


def depth_to_space_area(shape: DepthToSpaceShape) -> Cells:
    """The cells of a DepthToSpace: memory, multiplexers and registers counted, its counters estimated."""
    fabric, wait = shape.target.fabric, shape.latency - 1
    lut4, ff, ebr = line_memory_cells(fabric, shape.depth, shape.word_bits, shape.store)
    bits = (shape.depth - 1).bit_length(), (shape.block - 1).bit_length()
    lut4 += shape.output_width * fabric.multiplexer_luts(shape.block) + 8 + sum(bits)
    ff += shape.output_width * (wait + 1) + sum(bits) + 4 + wait * (2 + bits[1])
    chain = -(-bits[0] // fabric.carry_luts) if bits[0] > 4 else 0
    return fabric.cells(luts=lut4, carries=chain, carry_ends=min(1, chain), ffs=ff, ebr=ebr)
