"""Blocks: each pixel as a block of pixels, row by row of blocks; what `DepthToSpace` and `UpsampleNearest` share.

Tests: tests/hw/raster/test_depth_to_space.py
Tests: tests/hw/raster/test_upsample_nearest.py
"""

from abc import ABC, abstractmethod
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

__all__ = ["Blocks", "BlocksShape", "blocks_area"]


@dataclass(frozen=True, kw_only=True)
class BlocksShape(ABC):
    """Each pixel of a (height, width, channels) image as a block of (block, block) pixels.

    Parameters
    ----------
    height, width, channels, element_bits, block : int
    pixels : int
        Pixels of a row side by side in an input beat; a divisor of `width`.
    lanes : int
        Channels of each: a divisor of `channels`. The other channels of the same pixels follow.
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

    @property
    @abstractmethod
    def channels_each(self) -> int:
        """Input channels that make an output channel."""

    @property
    @abstractmethod
    def row_bits(self) -> int:
        """Bits of a row of blocks in an input beat."""

    @property
    @abstractmethod
    def kept_rows(self) -> int:
        """Rows of blocks in a word of the memory: those that differ from the first one, or one for all."""

    @property
    @abstractmethod
    def output_width(self) -> int:
        """Bits of an output beat."""

    def __post_init__(self) -> None:
        for name in ("height", "width", "channels", "element_bits", "block"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        for name, of, unit in (("pixels", "width", 1), ("lanes", "channels", self.channels_each)):
            value, total = getattr(self, name), getattr(self, of)
            legal = [divisor for divisor in range(unit, total + 1, unit) if total % divisor == 0]
            if value not in legal:
                multiple = f" and be a multiple of block^2={unit}" if unit > 1 else ""
                raise ValueError(f"{name}={value} must divide {of}={total}{multiple}; legal values are {legal}")

    @property
    def out_channels(self) -> int:
        """Channels of the output."""
        return self.channels // self.channels_each

    @property
    def out_pixels(self) -> int:
        """Pixels side by side in an output beat."""
        return self.pixels * self.block

    @property
    def out_lanes(self) -> int:
        """Channels of each."""
        return self.lanes // self.channels_each

    @property
    def depth(self) -> int:
        """Beats of an input row, and of an output row: words of the memory."""
        return self.width // self.pixels * (self.channels // self.lanes)

    @property
    def input_width(self) -> int:
        """Bits of an input beat."""
        return self.pixels * self.lanes * self.element_bits

    @property
    def word_bits(self) -> int:
        """Bits of a word: the rows of blocks but the first one, which goes through at once."""
        return self.row_bits * self.kept_rows

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


class Blocks(wiring.Component):
    """Images of blocks, an output beat a cycle.

    The first row of a row of blocks goes through, while a memory takes the others, which follow: so an input row comes
    in within its first output row. `shape` has the sizes and the exact timing; `i.ready` depends on `o.ready`.

    Parameters
    ----------
    shape : BlocksShape
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

    def __init__(self, *, shape: BlocksShape):
        if shape.block < 2:
            raise ValueError(f"block={shape.block} must be at least 2: blocks of one pixel are the image")
        self.shape = shape
        super().__init__({"i": In(flat_stream(shape.input_width)), "o": Out(flat_stream(shape.output_width))})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shape!r})"

    def rows(self, beat: Value) -> Sequence[Value]:
        """Of an input beat what goes through at once, and the rows that the memory keeps."""
        raise NotImplementedError

    def row_of_pixels(self, row: Value) -> Value:
        """The output beat of a row of blocks."""
        raise NotImplementedError

    @property
    def initiation_interval(self) -> int:
        """Cycles from image to image in the steady state."""
        return self.shape.initiation_interval

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `BlocksShape.flow`."""
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

        first, *others = self.rows(self.i.payload)
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
        kept = Signal(shape.row_bits)
        with m.Switch(late[2:]):
            for number in range(1, shape.kept_rows + 1):
                with m.Case(number) if number < shape.kept_rows else m.Default():
                    m.d.comb += kept.eq(memory.read_data.word_select(number - 1, shape.row_bits))
        word = Signal(shape.row_bits, reset_less=True)
        m.d.comb += self.o.payload.eq(self.row_of_pixels(word))
        with m.If(advance):
            m.d.sync += [self.o.valid.eq(late[0]), word.eq(Mux(late[1], kept, through))]
        return m


def blocks_area(shape: BlocksShape) -> Cells:
    """The cells of a `Blocks`: memory, multiplexers and registers counted, its counters estimated."""
    fabric, wait = shape.target.fabric, shape.latency - 1
    lut4, ff, ebr = line_memory_cells(fabric, shape.depth, shape.word_bits, shape.store)
    bits = (shape.depth - 1).bit_length(), (shape.block - 1).bit_length()
    lut4 += shape.row_bits * fabric.multiplexer_luts(shape.kept_rows + 1) + 8 + sum(bits)
    ff += shape.row_bits * (wait + 1) + sum(bits) + 4 + wait * (2 + bits[1])
    chain = -(-bits[0] // fabric.carry_luts) if bits[0] > 4 else 0
    return fabric.cells(luts=lut4, carries=chain, carry_ends=min(1, chain), ffs=ff, ebr=ebr)
