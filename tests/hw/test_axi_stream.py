"""AXI4-Streams around a core: the same beats, in whole bytes."""

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.axi_stream import AxiStreamCore, tdata_width
from bnnhw.hw.core import Core
from bnnhw.hw.stream.buffer import StreamBuffer, flat_stream

from .scenario import run_scenario


class Behind(wiring.Component):
    """An AxiStreamCore with the ports of a unit, for `run_scenario`; the bits above a beat are 1 at its input."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self, inner: AxiStreamCore):
        self.inner = inner
        width = len(inner.core.i.payload)
        super().__init__({"i": In(flat_stream(width)), "o": Out(flat_stream(len(inner.m_axis_tdata)))})

    @property
    def flow(self):
        return self.inner.core.flow

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.inner = inner = self.inner
        m.d.comb += [
            inner.s_axis_tdata.eq(~0 << len(self.i.payload) | self.i.payload),
            inner.s_axis_tvalid.eq(self.i.valid),
            self.i.ready.eq(inner.s_axis_tready),
            self.o.payload.eq(inner.m_axis_tdata),
            self.o.valid.eq(inner.m_axis_tvalid),
            inner.m_axis_tready.eq(self.o.ready),
        ]
        return m


@pytest.mark.parametrize(("width", "tdata"), [(1, 8), (8, 8), (9, 16), (63, 64)])
def test_beats_pass_in_the_low_bits(width: int, tdata: int):
    core = Core(units=[StreamBuffer(width=width)], input_lanes=1, input_width=width, output_lanes=1, output_width=width)
    around = AxiStreamCore(core)
    assert (len(around.s_axis_tdata), len(around.m_axis_tdata), tdata_width(width)) == (tdata,) * 3
    beats = [(0x5A5A5A5A5A5A5A5A >> number) % (1 << width) for number in range(40)]
    assert run_scenario(Behind(around), beats, outputs=40, seed=width).outputs == beats
