"""The results of a pipeline that cannot stall, on their way to a consumer that may; and the credits for them.

Tests: tests/hw/product/test_matrix_unit.py
Tests: tests/hw/program/test_pipeline.py
"""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .buffer import flat_stream

__all__ = ["ResultQueue", "credit_left"]


class ResultQueue(wiring.Component):
    """A queue without a ready: who pushes holds one of `depth` credits, and `returned` gives one back for each beat.

    Parameters
    ----------
    width : int
        Bits of a result.
    depth : int
        Results that it can hold, a power of two.

    Members
    -------
    push : In(1)
    data : In(width)
    o : Out(stream of unsigned(width))
        Valid `latency` cycles after the push at the soonest.
    returned : Out(1)
        A beat was taken from `o` two cycles before: the credits may lie far away, beside the pipeline's input.
    """

    latency = 2

    push: Signal
    data: Signal
    o: stream.Interface
    returned: Signal

    def __init__(self, *, width: int, depth: int):
        self.width = width
        self.depth = depth
        super().__init__({"push": In(1), "data": In(width), "o": Out(flat_stream(width)), "returned": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        memory = Memory(shape=self.width, depth=self.depth, init=(), attrs={"ram_style": "distributed"})
        m.submodules.memory = memory
        write, read = memory.write_port(), memory.read_port(domain="comb")
        # The oldest result stands in a register, so the memory holds depth - 1 at most and full differs from empty.
        begin, end = Signal(range(self.depth)), Signal(range(self.depth))
        payload = Signal(self.width, reset_less=True)
        taken = Signal()
        m.d.comb += [
            write.addr.eq(end),
            write.data.eq(self.data),
            write.en.eq(self.push),
            read.addr.eq(begin),
            self.o.payload.eq(payload),
        ]
        m.d.sync += [end.eq(end + self.push), taken.eq(self.o.valid & self.o.ready), self.returned.eq(taken)]
        with m.If(~self.o.valid | self.o.ready):
            m.d.sync += [payload.eq(read.data), self.o.valid.eq(begin != end)]
            with m.If(begin != end):
                m.d.sync += begin.eq(begin + 1)
        return m


def credit_left(m: Module, queue: ResultQueue, taken: Value) -> Value:
    """Whether a beat may come in at the pipeline's entrance, which takes one of the queue's credits with `taken`.

    The counter follows a cycle later, so that no path goes through the decision and the counter; it is without the
    credit that may not be accounted for yet.
    """
    spare = Signal(range(-2, queue.depth - 1), init=queue.depth - 2)
    accepted = Signal()
    m.d.sync += [accepted.eq(taken), spare.eq(spare - accepted + queue.returned)]
    return spare >= 0
