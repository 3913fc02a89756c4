"""Fork: one stream for several readers."""

from collections.abc import Sequence
from itertools import count

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.flow import Channel, Flow, Process
from bnnhw.hw.targets import Cells

__all__ = ["Fork", "fork_area", "fork_process"]


def fork_process(i: Channel, outputs: Sequence[Channel]) -> Process:
    """The flow of a Fork: each output offers the beat in the cycle in which it is offered, and it is accepted when the
    last of them is taken."""
    for number in count():
        offered = accepted = yield i
        for o in outputs:
            o.give(offered)
        for o in outputs:
            accepted = max(accepted, (yield o.takes, number))
        i.take(accepted)


def fork_area(outputs: int) -> Cells:
    """The cells of a Fork."""
    luts = 4 * outputs - 3
    return Cells(logic=luts, luts=luts, carries=0, ffs=outputs)


class Fork(wiring.Component):
    """o0 = o1 = .. = i: every output gives every beat, each as soon as its reader takes it; no cycle of latency.

    A bit for each output says that it has given the beat at hand (an eager fork). So no `valid` depends on a `ready`,
    and readers may wait for each other. `i.ready` depends on that of each output.

    Parameters
    ----------
    width : int
        Bits of a beat.
    outputs : int
        How many, at least 2.

    Members
    -------
    i : In(stream of unsigned(width))
    o0, o1, .. : Out(stream of unsigned(width))
    """

    i: stream.Interface

    def __init__(self, *, width: int, outputs: int):
        if outputs < 2:
            raise ValueError(f"outputs={outputs} must be at least 2")
        self.width = width
        self.outputs = outputs
        ports = {f"o{number}": Out(flat_stream(width)) for number in range(outputs)}
        super().__init__({"i": In(flat_stream(width)), **ports})

    def __repr__(self) -> str:
        return f"Fork(width={self.width}, outputs={self.outputs})"

    def flow(self, i: Channel, **outputs: Channel) -> Flow:
        """See `fork_process`."""
        return [fork_process(i, tuple(outputs.values()))]

    def elaborate(self, platform) -> Module:
        m = Module()
        given = Signal(self.outputs)
        after = Signal(self.outputs)  # this cycle
        m.d.comb += self.i.ready.eq(after.all())
        for number in range(self.outputs):
            o = getattr(self, f"o{number}")
            m.d.comb += [
                o.payload.eq(self.i.payload),
                o.valid.eq(self.i.valid & ~given[number]),
                after[number].eq(given[number] | o.ready),
            ]
        with m.If(self.i.valid):
            m.d.sync += given.eq(Mux(self.i.ready, 0, after))
        return m
