"""Components routed by themselves: the harness adds nothing to their figures."""

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.boards.toolchain.alone import route_alone, synthesise_alone
from bnnhw.boards.toolchain.process import ToolError
from bnnhw.hw.targets import Cells, get_device
from bnnhw.hw.targets.ecp5 import ECP5

pytestmark = pytest.mark.toolchain

WIDTH = 16


class Adder(wiring.Component):
    """o = a + b, with registers in front and behind."""

    a: Signal
    b: Signal
    o: Signal

    def __init__(self):
        super().__init__({"a": In(WIDTH), "b": In(WIDTH), "o": Out(WIDTH)})

    def elaborate(self, platform) -> Module:
        m = Module()
        a, b, o = (Signal.like(port) for port in (self.a, self.b, self.o))
        m.d.sync += [a.eq(self.a), b.eq(self.b), o.eq(a + b), self.o.eq(o)]
        return m


def test_counts_the_component_without_the_harness():
    cells = synthesise_alone(Adder(), ECP5)
    assert cells == Cells(logic=WIDTH, luts=0, carries=WIDTH // 2, ffs=4 * WIDTH)


def test_routes_the_component_without_the_harness():
    report = route_alone(Adder(), get_device("LFE5U-25F"), 1)
    cells = report.cells
    assert (cells.luts, cells.carries, cells.ffs, cells.ebr, report.seed) == (0, WIDTH // 2, 4 * WIDTH, 0, 1)
    assert WIDTH <= cells.logic <= WIDTH + 8  # a chain's ends may take cells of their own
    assert 200e6 < report.fmax_hz < 1000e6


def test_shows_nextpnrs_error():
    with pytest.raises(ToolError, match=r"^nextpnr-ecp5 failed with exit code .*: ERROR: .*speed grade"):
        route_alone(Adder(), get_device("LFE5UM5G-25F"), 1, speed=6)
