"""Words from the external memory into the engine's own, while the array is at work.

Tests: tests/hw/engine/test_external.py
"""

from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .engine_shape import WORD, EngineShape
from .instruction import load_layout
from .packets import Memory

__all__ = ["Loader"]


class Loader(wiring.Component):
    """Reads a run of bursts and writes it, word by word of the bus, into a memory.

    Members
    -------
    load : In(load_layout(shape)), start : In(1)
        What to load; only while it is not busy. The fields may change behind it.
    busy : Out(1)
        Until the last word can be read.
    memory : Out(the external memory's port)
        Of which it only reads.
    write : Out(number of memories), address : Out(WORD), data : Out(WORD)
        As `CommandPort` has them.
    """

    load: Any
    start: Signal
    busy: Signal
    memory: wiring.PureInterface
    write: Signal
    address: Signal
    data: Signal

    def __init__(self, shape: EngineShape):
        assert shape.external is not None
        self.shape = shape
        self.external = shape.external
        super().__init__(
            {
                "load": In(load_layout(shape)),
                "start": In(1),
                "busy": Out(1),
                "memory": Out(shape.external.signature),
                "write": Out(len(Memory)),
                "address": Out(WORD),
                "data": Out(WORD),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        external, memory = self.external, self.memory
        command, words = external.view(memory.command.payload), memory.r
        parts = WORD // external.width
        part = Signal(range(parts + 1))
        left = Signal(len(self.load.words))
        place = Signal(WORD)
        kept = Signal(WORD)
        written = Signal(
            self.shape.array.row_groups + self.shape.array.pixel_groups + 2
        )  # it passes from group to group
        target = Signal(len(Memory))
        m.d.comb += words.ready.eq(1)
        m.d.sync += [self.write.eq(0), self.address.eq(place), self.data.eq(Cat(kept, words.payload)[external.width :])]
        m.d.sync += written.eq(written << 1)
        with m.If(written[-1]):
            m.d.sync += self.busy.eq(0)
        with m.If(self.start):
            m.d.sync += [
                self.busy.eq(1),
                memory.command.valid.eq(1),
                command.address.eq(self.load.source),
                command.bursts.eq(self.load.bursts),
                target.eq((1 << self.load.memory)[: len(Memory)]),
                left.eq(self.load.words),
                place.eq(self.load.address),
                part.eq(0),
            ]
        with m.If(memory.command.valid & memory.command.ready):
            m.d.sync += memory.command.valid.eq(0)
        with m.If(words.valid):
            m.d.sync += [kept.eq(Cat(kept, words.payload)[external.width :]), part.eq(part + 1)]
            with m.If(part == parts - 1):
                m.d.sync += [part.eq(0), place.eq(place + 1), left.eq(left - 1)]
                m.d.sync += self.write.eq(target)
                with m.If(left == 0):
                    m.d.sync += written[0].eq(1)
        return m
