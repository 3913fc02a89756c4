"""Pacer: bytes of a line no faster than they can be taken in."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.protocol import FLAG
from bnnhw.hw.stream.buffer import flat_stream

__all__ = ["Pacer"]


class Pacer(wiring.Component):
    """Hands bytes on, `pace` cycles apart at least; between a flag and a byte that is none there are `pause` cycles.

    While nothing comes no register changes.

    Parameters
    ----------
    pace : int
    pause : int
        At least `pace`.

    Members
    -------
    i : In(stream of unsigned(8))
    hold : In(1)
        No frame begins: no byte that is no flag goes on behind one.
    byte, valid : Out(8), Out(1)
        A byte, in the cycle in which it is taken.
    """

    i: stream.Interface
    hold: Signal
    byte: Signal
    valid: Signal

    def __init__(self, *, pace: int, pause: int):
        if not 1 <= pace <= pause:
            raise ValueError(f"pace={pace} must be positive, and at most pause={pause}")
        self.pace = pace
        self.pause = pause
        super().__init__({"i": In(flat_stream(8)), "hold": In(1), "byte": Out(8), "valid": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        left = Signal(range(self.pause))  # until any byte may come
        is_flag, was_flag, begins, near = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            self.byte.eq(self.i.payload),
            self.valid.eq(self.i.valid & self.i.ready),
            is_flag.eq(self.i.payload == FLAG),
            near.eq(left > self.pause - self.pace),
            begins.eq(was_flag & ~is_flag),
            self.i.ready.eq(Mux(is_flag == was_flag, ~near, left == 0) & ~(begins & self.hold)),
        ]
        with m.If(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.If(self.valid):
            m.d.sync += [left.eq(self.pause - 1), was_flag.eq(is_flag)]
        return m
