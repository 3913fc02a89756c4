"""The host's words into the external memory, and out of it.

Tests: tests/hw/engine/test_external.py
Tests: tests/hw/engine/test_external_values.py
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import WORD, EngineShape
from bnnhw.hw.engine.program.packets import DATA_WORDS
from bnnhw.hw.stream.buffer import flat_stream

__all__ = ["HostWords"]


class HostWords(wiring.Component):
    """Cuts words of the bus into those of the memory, lowest bits first, or makes them of these.

    Members
    -------
    start : In(1), reads : In(1), place : In(WORD), bursts : In
        A run of bursts begins, out of the memory or into it, at a word of the bus; its words follow.
    i : In(stream of WORD bits), o : Out(stream of WORD bits)
        Into the memory, and out of it.
    reading : Out(1)
        What the memory reads is for `o`.
    memory : Out(the external memory's port)
    """

    start: Signal
    reads: Signal
    place: Signal
    bursts: Signal
    i: stream.Interface
    o: stream.Interface
    reading: Signal
    memory: wiring.PureInterface

    def __init__(self, shape: EngineShape):
        assert shape.external is not None
        self.shape = shape
        self.external = shape.external
        super().__init__(
            {
                "start": In(1),
                "reads": In(1),
                "place": In(WORD),
                "bursts": In(8),
                "i": In(flat_stream(WORD)),
                "o": Out(flat_stream(WORD)),
                "reading": Out(1),
                "memory": Out(shape.external.signature),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        port = self.memory.command
        command = self.external.view(port.payload)
        with m.If(port.ready):
            m.d.sync += port.valid.eq(0)
        with m.If(self.start):
            m.d.sync += [
                port.valid.eq(1),
                command.address.eq(self.place // self.shape.burst_words),
                command.bursts.eq(self.bursts),
                command.write.eq(~self.reads),
            ]
        self._write(m)
        self._read(m)
        return m

    def _write(self, m: Module) -> None:
        words = self.memory.w
        parts = WORD // self.external.width
        part = Signal(range(parts))
        last = part == parts - 1
        m.d.comb += [
            words.valid.eq(self.i.valid),
            words.payload.eq(self.i.payload.word_select(part, self.external.width)),
            self.i.ready.eq(words.ready & last),
        ]
        with m.If(words.valid & words.ready):
            m.d.sync += part.eq(Mux(last, 0, part + 1))

    def _read(self, m: Module) -> None:
        """The memory waits with further words while one of the bus stands at `o`."""
        words, o = self.memory.r, self.o
        parts = WORD // self.external.width
        part = Signal(range(parts))
        last = part == parts - 1
        left = Signal(range(DATA_WORDS + 1))
        m.d.comb += words.ready.eq(self.reading & ~o.valid)
        with m.If(words.valid & words.ready):
            m.d.sync += [
                o.payload.eq(Cat(o.payload, words.payload)[self.external.width :]),
                o.valid.eq(last),
                part.eq(Mux(last, 0, part + 1)),
            ]
        with m.If(o.valid & o.ready):
            m.d.sync += [o.valid.eq(0), left.eq(left - 1), self.reading.eq(left != 1)]
        with m.If(self.start & self.reads):
            m.d.sync += [self.reading.eq(1), left.eq(self.bursts * self.shape.burst_words)]
