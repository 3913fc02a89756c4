"""LineBuffer: the windows of an image as patches, a beat of pixels a cycle."""

from collections.abc import Callable, Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.storage.line_memory import LineMemory
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow

from .border import Tap
from .line_shape import LineBufferShape
from .line_steps import LineSteps, one_of
from .line_timing import line_buffer_flow

__all__ = ["LineBuffer"]


class LineBuffer(wiring.Component):
    """o[y, x] = the patch of padded pixels that the windows of an output beat cover, one a cycle.

    One memory holds all rows but the last one: a beat's word is read as the beat comes, and written back with the beat
    in place of the oldest row. What lies beyond the border is made of what is at hand, first the rows, then, out of
    shift registers, the columns. Where a SlidingWindow gives a window in parts, as words of a product, this gives it
    whole. `shape` has the sizes and the exact timing; `i.ready` depends on `o.ready`.

    Parameters
    ----------
    shape : LineBufferShape

    Members
    -------
    i : In(stream of unsigned(shape.input_width))
        `lanes` channels of `pixels` pixels of a row side by side, then their next channels, then the next pixels.
    o : Out(stream of unsigned(shape.output_width))
        The patch of `shape.out_pixels` output pixels side by side, whose windows begin sx columns apart: row by row,
        in each column by column, in each its lanes. Then the next channels, then the next output pixels.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, shape: LineBufferShape):
        self.shape = shape
        super().__init__({"i": In(flat_stream(shape.input_width)), "o": Out(flat_stream(shape.output_width))})

    def __repr__(self) -> str:
        return f"LineBuffer({self.shape!r})"

    @property
    def initiation_interval(self) -> int:
        """Cycles from frame to frame in the steady state."""
        return self.shape.initiation_interval

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `line_buffer_flow`."""
        return line_buffer_flow(self.shape, i, o)

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        m.submodules.steps = steps = LineSteps(shape)
        advance, there, moves = Signal(), Signal(), Signal()
        wait = shape.memory_latency
        m.d.comb += [
            advance.eq(~self.o.valid | self.o.ready),
            there.eq((self.i.valid | ~steps.takes) & ~steps.waits),
            steps.step.eq(advance & there),
            steps.early_step.eq(advance & steps.early & self.i.valid),
            self.i.ready.eq(advance & (steps.takes | steps.early)),
            moves.eq(advance & delay(m, there, wait, enable=advance, name="there")),  # a step meets the rows above it
        ]

        def at(value: Value, places: Sequence[int], cycles: int, name: str) -> Value:
            return delay(m, one_of(value, places), cycles, enable=advance, name=name)

        beats = self._beats(m, steps, advance, there, moves)
        rows = [
            self._choose(
                m,
                tap,
                lambda distance: beats[distance - 1],
                lambda places: at(steps.row, [place - shape.first_row for place in places], wait, "row"),
            )
            for tap in shape.row_taps
        ]
        held = self._hold(m, Cat(rows), delay(m, steps.chunk, wait, enable=advance, name="chunk"), moves)
        patch = [
            self._choose(
                m,
                tap,
                lambda distance, row=row: self._pixel(held, row, distance),
                lambda places: at(steps.group, places, wait + 1, "group"),
            )
            for row in range(len(rows))
            for tap in shape.column_taps
        ]
        m.d.comb += [
            self.o.valid.eq(delay(m, there & steps.gives, wait + 2, enable=advance, name="gives")),
            self.o.payload.eq(delay(m, Cat(patch), 1, enable=advance, name="patch", reset_less=True)),
        ]
        return m

    def _beats(self, m: Module, steps: LineSteps, advance: Value, there: Value, moves: Value) -> list[Value]:
        """The beats of each row of the kernel, the newest one last, when they meet."""
        shape = self.shape
        beats: list[Value] = [self.i.payload]
        if shape.store == "none":
            return beats
        if shape.store == "registers":
            for row in range(shape.kernel[0] - 1):
                above = delay(m, beats[0], shape.depth, enable=moves, name=f"row{row}_", reset_less=True)
                beats.insert(0, above)
            return beats
        memory = LineMemory(depth=shape.depth, width=shape.word_bits, store=shape.store, target=shape.target)
        m.submodules.memory = memory
        wait = shape.memory_latency
        newest = delay(m, self.i.payload, wait, enable=advance, name="newest", reset_less=True)
        words = Cat(memory.read_data, newest)
        # An early beat has no rows above it, and whatever was there goes with it.
        writes = Mux(steps.early, self.i.valid, there & steps.keeps)
        place = Mux(steps.early, steps.early_place, steps.place)
        m.d.comb += [
            memory.read_enable.eq(advance),
            memory.read_address.eq(steps.place),
            memory.write_enable.eq(advance & delay(m, writes, wait, enable=advance, name="writes")),
            memory.write_address.eq(delay(m, place, wait, enable=advance, name="place", reset_less=True)),
            memory.write_data.eq(words[shape.input_width :]),
        ]
        return [words.word_select(row, shape.input_width) for row in range(shape.kernel[0])]

    def _hold(self, m: Module, fresh: Value, chunk: Value, moves: Value) -> list[Signal]:
        """The rows of the groups at hand, the newest first, from the step on in which they are there."""
        shape = self.shape
        held = [Signal(len(fresh), name=f"held{age}", reset_less=True) for age in range(shape.held)]
        before = Cat(held[:-1])
        if shape.chunks > 1 and len(before):
            memory = Memory(shape=len(before), depth=shape.chunks, init=(), attrs={"ram_style": "distributed"})
            m.submodules.chunks = memory
            write, read = memory.write_port(), memory.read_port(domain="comb")
            before = read.data
            m.d.comb += [
                write.addr.eq(chunk),
                write.en.eq(moves),
                write.data.eq(Cat(fresh, before)[: len(before)]),
                read.addr.eq(chunk),
            ]
        with m.If(moves):
            m.d.sync += Cat(held).eq(Cat(fresh, before))  # pyright: ignore[reportAttributeAccessIssue]
        return held

    def _pixel(self, held: Sequence[Signal], row: int, distance: int) -> Value:
        """The pixel of a row so far from the newest group's first one."""
        back, pixel = divmod(distance, self.shape.pixels)
        return held[-back].word_select(row * self.shape.pixels + pixel, self.shape.pixel_bits)

    def _choose(
        self, m: Module, tap: Tap, source: Callable[[int], Value], at: Callable[[Sequence[int]], Value]
    ) -> Signal:
        """What a tap finds; `at` says whether the step is at one of these places."""
        usual = source(tap.usual)
        code, element_bits = self.shape.border_code, self.shape.element_bits
        chosen = Signal(len(usual))
        m.d.comb += chosen.eq(usual)
        for distance, places in tap.others:
            beyond = Cat(Const(code, element_bits)).replicate(len(usual) // element_bits)
            with m.If(at(places)):
                m.d.comb += chosen.eq(beyond if distance is None else source(distance))
        return chosen
