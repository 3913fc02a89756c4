"""A core with the ports that people's own tops expect: AXI4-Streams."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .core import Core

__all__ = ["AxiStreamCore", "tdata_width"]


def tdata_width(bits: int) -> int:
    """Bits of the TDATA that carries beats of so many: whole bytes."""
    return -(-bits // 8) * 8


class AxiStreamCore(wiring.Component):
    """A core whose `i` is the AXI4-Stream `s_axis`, and its `o` the AXI4-Stream `m_axis`; no cycle is added.

    TDATA has whole bytes: a beat lies in its lowest bits; those above it are ignored at `s_axis` and 0 at `m_axis`.
    TLAST and TKEEP do not exist: a frame has always the same number of beats, all of them whole. Source: Arm IHI 0051B.

    Parameters
    ----------
    core : Core

    Members
    -------
    s_axis_tdata : In(tdata_width(len(core.i.payload)))
    s_axis_tvalid : In(1)
    s_axis_tready : Out(1)
    m_axis_tdata : Out(tdata_width(len(core.o.payload)))
    m_axis_tvalid : Out(1)
    m_axis_tready : In(1)
    """

    s_axis_tdata: Signal
    s_axis_tvalid: Signal
    s_axis_tready: Signal
    m_axis_tdata: Signal
    m_axis_tvalid: Signal
    m_axis_tready: Signal

    def __init__(self, core: Core):
        self.core = core
        super().__init__(
            {
                "s_axis_tdata": In(tdata_width(len(core.i.payload))),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "m_axis_tdata": Out(tdata_width(len(core.o.payload))),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.core = core = self.core
        m.d.comb += [
            core.i.payload.eq(self.s_axis_tdata),
            core.i.valid.eq(self.s_axis_tvalid),
            self.s_axis_tready.eq(core.i.ready),
            self.m_axis_tdata.eq(core.o.payload),
            self.m_axis_tvalid.eq(core.o.valid),
            core.o.ready.eq(self.m_axis_tready),
        ]
        return m
