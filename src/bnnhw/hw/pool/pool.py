"""Pool: the base of the pooling units."""

from collections.abc import Sequence
from functools import reduce
from typing import ClassVar, Literal

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.delays import delay
from bnnhw.hw.logic.loop import Loop, step_loops
from bnnhw.hw.storage.line_memory import LineMemory
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow
from bnnhw.hw.targets import Target, check_target

from .shape import PoolShape

__all__ = ["Pool"]


class Pool(wiring.Component):
    """o[y, x, c] = i[y * sy + ky, x * sx + kx, c] combined over ky and kx, by the `combine` of the subclass.

    First along the rows, as the pixels come; then from row to row, in a memory of the results of one output row. A beat
    is accepted in each cycle, unless a result waits for the sink: `i.ready` depends on `o.ready`. Images follow each
    other without a pause. `shape` has the sizes and, with `latency`, the exact timing.

    Parameters
    ----------
    height, width, channels, window, stride, pixels, lanes
        See `PoolShape`.
    element_bits : int
        Of an unsigned element.
    greatest : int
        The greatest element, if it is not 2^element_bits - 1.
    target : Target

    Members
    -------
    i : In(stream of unsigned(pixels * lanes * element_bits))
        `lanes` channels of `pixels` pixels of a row side by side, then their next channels, then the next pixels.
    o : Out(stream of unsigned(shape.out_pixels * lanes * result_bits))
        The same order.
    """

    KIND: ClassVar[Literal["max", "sum"]]

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        *,
        height: int,
        width: int,
        channels: int,
        element_bits: int = 1,
        greatest: int | None = None,
        window: tuple[int, int],
        stride: tuple[int, int],
        pixels: int = 1,
        lanes: int,
        target: Target,
    ):
        check_target(target)
        self.shape = PoolShape(
            height=height,
            width=width,
            channels=channels,
            window=window,
            stride=stride,
            pixels=pixels,
            lanes=lanes,
            kind=self.KIND,
            element_bits=element_bits,
            greatest=(1 << max(0, element_bits)) - 1 if greatest is None else greatest,
            target=target,
        )
        super().__init__({"i": In(flat_stream(self.shape.input_width)), "o": Out(flat_stream(self.shape.output_width))})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shape!r})"

    def combine(self, a: Value, b: Value) -> Value:
        """Of two values without a sign."""
        raise NotImplementedError

    @property
    def result_bits(self) -> int:
        """Bits of a result."""
        return self.shape.result_bits

    @property
    def latency(self) -> int:
        """Cycles from a window's last input beat to its output beat."""
        return self.shape.latency

    @property
    def initiation_interval(self) -> int:
        """Cycles from image to image in the steady state."""
        return self.shape.initiation_interval

    def flow(self, i: Channel, o: Channel) -> Flow:
        """See `PoolShape.flow`."""
        return self.shape.flow(i, o)

    def elaborate(self, platform) -> Module:
        m = Module()
        shape = self.shape
        advance, accepts = Signal(), Signal()
        m.d.comb += [
            advance.eq(~self.o.valid | self.o.ready),
            self.i.ready.eq(advance),
            accepts.eq(advance & self.i.valid),
        ]
        chunk, group = Loop("chunk", shape.chunks), Loop("group", shape.width // shape.pixels)
        row = Loop("row", shape.height)
        step_loops(m, accepts, chunk, group, row)
        row_starts, row_ends = self._roles(m, accepts & chunk.last & group.last, row)
        in_row, complete = self._along_row(m, accepts, chunk, group)

        # The part of a beat of windows in this row, on its way through the latency of the memory.
        place = Loop("place", shape.depth)
        part = delay(m, Cat(in_row, row_starts, row_ends, self.i.valid & complete), 1, enable=advance, name="part")
        step_loops(m, advance & part[-1], place)
        cycles = self.latency - 2
        address = delay(m, place.value, cycles, enable=advance, name="place_late")
        part = delay(m, part, cycles, enable=advance, name="part_late")
        own, starts, ends, there = part[:-3], part[-3], part[-2], part[-1]
        above, below = self._memory(m, advance, advance & there, place.value, address)
        owns = _words(own, shape.out_pixels * shape.lanes)
        aboves = _words(above, len(owns))
        both = [self.combine(above, own) for above, own in zip(aboves, owns, strict=True)]
        # A row in which a window ends and the next one starts belongs to the former, and is all that the latter has.
        m.d.comb += below.eq(Mux(starts, Cat(_fit(owns, self.result_bits)), Cat(_fit(both, self.result_bits))))
        result = Cat(_fit(both, self.result_bits)) if shape.window[0] > shape.stride[0] else below
        with m.If(advance):
            m.d.sync += [self.o.valid.eq(there & ends), self.o.payload.eq(result)]
        return m

    def _roles(self, m: Module, row_done: Value, row: Loop) -> tuple[Value, Value]:
        """Whether windows start, and whether they end, in the row at hand."""
        height, stride = self.shape.window[0], self.shape.stride[0]
        phase = Loop("row_phase", stride)
        later = Signal()
        with m.If(row_done):
            phase.step(m)
            m.d.sync += later.eq(~row.last)
            with m.If(row.last):
                phase.restart(m)
        if height > stride:
            return phase.value == 0, (phase.value == 0) & later
        return phase.value == 0, phase.value == height - 1

    def _along_row(self, m: Module, accepts: Value, chunk: Loop, group: Loop) -> tuple[Value, Value]:
        """The windows of an output group, as far as the row at hand goes, and whether this beat completes them."""
        shape = self.shape
        phase = Loop("phase", shape.period)
        later = Signal()
        with m.If(accepts & chunk.last):
            phase.step(m)
            m.d.sync += later.eq(~group.last)
            with m.If(group.last):
                phase.restart(m)

        word_bits = shape.lanes * self.shape.row_bits
        before, after = (Signal(len(shape.carried) * word_bits, name=name) for name in ("carried", "carries"))
        if shape.carried:
            self._carry(m, accepts, chunk, before, after)

        def with_group(result: int, number: int) -> Value:
            """The result after its pixels of the group `number` of those that an output group sees."""
            values = [self._pixel(pixel) for pixel in shape.columns(result, number)]
            if any(shape.columns(result, earlier) for earlier in range(number)):
                values.append(_words(before.word_select(shape.carried.index(result), word_bits), shape.lanes))
            if not values:
                return Const(0, word_bits)
            lanes = [reduce(self.combine, lane) for lane in zip(*values, strict=True)]
            return Cat(_fit(lanes, self.shape.row_bits))

        last = shape.reach - 1
        phases = min(last, shape.period)  # those after which the window goes on
        with m.Switch(phase.value):
            for number in range(phases):
                with m.Case(number) if number < phases - 1 else m.Default():
                    m.d.comb += after.eq(Cat(with_group(result, number) for result in shape.carried))
        complete = (phase.value == 0) & later if last == shape.period else phase.value == last
        return Cat(with_group(result, last) for result in range(shape.out_pixels)), complete

    def _pixel(self, pixel: int) -> list[Value]:
        lanes = self.shape.lanes
        return [self.i.payload.word_select(pixel * lanes + lane, self.shape.element_bits) for lane in range(lanes)]

    def _carry(self, m: Module, accepts: Value, chunk: Loop, before: Signal, after: Signal) -> None:
        """`before` is what `after` was at the chunk's previous beat."""
        if chunk.count == 1:
            with m.If(accepts):
                m.d.sync += before.eq(after)
            return
        memory = Memory(shape=len(before), depth=chunk.count, init=(), attrs={"ram_style": "distributed"})
        m.submodules.carry = memory
        write, read = memory.write_port(), memory.read_port(domain="comb")
        m.d.comb += [
            write.addr.eq(chunk.value),
            write.data.eq(after),
            write.en.eq(accepts),
            read.addr.eq(chunk.value),
            before.eq(read.data),
        ]

    def _memory(
        self, m: Module, advance: Value, write: Value, read_address: Value, address: Value
    ) -> tuple[Signal, Signal]:
        """What the rows above have at the place at hand, and a signal for what they have with this row."""
        width = len(self.o.payload)
        above, below = Signal(width, name="above", reset_less=True), Signal(width, name="below")
        match self.shape.store:
            case "none":
                pass
            case "register":
                with m.If(write):
                    m.d.sync += above.eq(below)
            case store:
                m.submodules.rows = rows = LineMemory(
                    depth=self.shape.depth, width=width, store=store, target=self.shape.target
                )
                m.d.comb += [
                    rows.read_enable.eq(advance),
                    rows.read_address.eq(read_address),
                    rows.write_enable.eq(write),
                    rows.write_address.eq(address),
                    rows.write_data.eq(below),
                    above.eq(rows.read_data),
                ]
        return above, below


def _words(value: Value, count: int) -> list[Value]:
    return [value.word_select(index, len(value) // count) for index in range(count)]


def _fit(values: Sequence[Value], bits: int) -> list[Value]:
    """Each value in so many bits."""
    return [Cat(value, Const(0, bits))[:bits] for value in values]
