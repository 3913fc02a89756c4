"""RunSplitter: a command for a run of bursts as its bursts.

Tests: tests/hw/memory/test_controller.py
"""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream

from .port import MemoryShape

__all__ = ["RunSplitter"]


class RunSplitter(wiring.Component):
    """The bursts of each command, one after the other: Cat(address, write).

    Parameters
    ----------
    shape : MemoryShape

    Members
    -------
    i : In(stream of unsigned(2 * address_bits + 1))
        Commands.
    o : Out(stream of unsigned(address_bits + 1))
        From registers. The cycle after a run's last burst is free.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, shape: MemoryShape):
        self.shape = shape
        super().__init__({"i": In(flat_stream(shape.command_bits)), "o": Out(flat_stream(shape.address_bits + 1))})

    def elaborate(self, platform) -> Module:
        m = Module()
        command = self.shape.view(self.i.payload)
        address, left = Signal(self.shape.address_bits), Signal(self.shape.address_bits)  # left: behind this one
        write = Signal()
        m.d.comb += [self.i.ready.eq(~self.o.valid), self.o.payload.eq(Cat(address, write))]
        with m.If(~self.o.valid):
            m.d.sync += [
                self.o.valid.eq(self.i.valid & (command.bursts != 0)),
                address.eq(command.address),
                left.eq(command.bursts - 1),
                write.eq(command.write),
            ]
        with m.Elif(self.o.ready):
            m.d.sync += [self.o.valid.eq(left != 0), address.eq(address + 1), left.eq(left - 1)]
        return m
