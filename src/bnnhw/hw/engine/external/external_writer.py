"""The host's words into the external memory.

Tests: tests/hw/engine/test_external.py
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import WORD
from bnnhw.hw.memory.port import MemoryShape
from bnnhw.hw.stream.buffer import flat_stream

__all__ = ["ExternalWriter"]


class ExternalWriter(wiring.Component):
    """Cuts words of the bus into those of the memory, lowest bits first.

    Members
    -------
    start : In(1), address : In(address_bits), bursts : In
        A run of bursts begins; its words follow.
    i : In(stream of WORD bits)
    memory : Out(the external memory's port)
        To which it only writes.
    """

    start: Signal
    address: Signal
    bursts: Signal
    i: stream.Interface
    memory: wiring.PureInterface

    def __init__(self, external: MemoryShape):
        self.external = external
        super().__init__(
            {
                "start": In(1),
                "address": In(external.address_bits),
                "bursts": In(8),
                "i": In(flat_stream(WORD)),
                "memory": Out(external.signature),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        external, memory = self.external, self.memory
        command = external.view(memory.command.payload)
        parts = WORD // external.width
        part = Signal(range(parts))
        with m.If(memory.command.ready):
            m.d.sync += memory.command.valid.eq(0)
        with m.If(self.start):
            m.d.sync += [
                memory.command.valid.eq(1),
                command.address.eq(self.address),
                command.bursts.eq(self.bursts),
                command.write.eq(1),
            ]
        last = part == parts - 1
        m.d.comb += [
            memory.w.valid.eq(self.i.valid),
            memory.w.payload.eq(self.i.payload.word_select(part, external.width)),
            self.i.ready.eq(memory.w.ready & last),
        ]
        with m.If(memory.w.valid & memory.w.ready):
            m.d.sync += part.eq(Mux(last, 0, part + 1))
        return m
