"""A port whose bytes come as fast as the link takes them: those at its pins."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import StreamBuffer, flat_stream


class FastPort(wiring.Component):
    """A `bnnhw.hw.top.LinkPort` of registers."""

    i: stream.Interface
    o: stream.Interface
    received: stream.Interface
    damaged: Signal
    sent: stream.Interface
    byte_cycles = 1.0

    def __init__(self, *, queue_bytes: int = 0):
        self.queue_bytes = queue_bytes
        super().__init__(
            {
                "i": In(flat_stream(8)),
                "o": Out(flat_stream(8)),
                "received": Out(flat_stream(8)),
                "damaged": Out(1),
                "sent": In(flat_stream(8)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        for name, i, o in (("requests", self.i, self.received), ("answers", self.sent, self.o)):
            m.submodules[name] = buffer = StreamBuffer(width=8)
            wiring.connect(m, wiring.flipped(i), buffer.i)
            wiring.connect(m, buffer.o, wiring.flipped(o))
        return m
