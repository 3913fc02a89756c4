"""The pads of an SDRAM chip: a register at each, and the chip's clock.

Tests: tests/boards/test_sdram_pads.py
"""

from fractions import Fraction
from typing import Any

from amaranth.hdl import Elaboratable, Module
from amaranth.lib import io

# pyright: reportAttributeAccessIssue=false
# (the members of buffers are not typed)

__all__ = ["LATE", "SdramPads", "late_ns"]

LATE = "late"
"""The clock domain of the chip's clock."""

ACCESS_NS = 6.0
"""From the chip's clock to a word, at the latest: MT48LC16M16A2-75 with a CAS latency of 2."""
HOLD_NS = 2.7
"""From the chip's next clock on the word stays so long, at least: the same."""
PADS_NS = 3.0, 6.0
"""An estimate of what both ways through the pads and over the board take, from the fastest to the slowest."""


def late_ns(clock_hz: int) -> float:
    """How much later than the design's clock the chip's should be: words are stable longest where they are taken.

    A word is there from ACCESS_NS and the slowest pads until HOLD_NS and the fastest ones of the next clock. The middle
    of that shall be an edge of the design's clock. Of the period at least a quarter lies on either side, as the chip
    takes its commands there.
    """
    period = Fraction(10**9, clock_hz)
    earliest, latest = Fraction(ACCESS_NS + PADS_NS[1]), period + Fraction(HOLD_NS + PADS_NS[0])
    late = -(earliest + latest) / 2 % period
    return float(min(max(late, period / 4), period * 3 / 4))


class SdramPads(Elaboratable):
    """A chip's pins, as `sdram_pins` has them, at a board's resource `sdram`.

    Words and commands leave from registers at the pads, and words come into such: a cycle of latency each way. `clk_en`
    is 0 until the first clock edge, so that the chip takes nothing before that for a command.

    Parameters
    ----------
    pins : PureInterface
    port : the resource, requested without buffers
    """

    def __init__(self, pins: Any, port: Any):
        self.pins = pins
        self.port = port

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        pins, port = self.pins, self.port
        outputs = {name: getattr(pins, name) for name in ("ras", "cas", "we", "ba", "a")}
        outputs |= {"clk_en": 1, "cs": 1, "dqm": pins.dqm.replicate(len(port.dqm))}
        for name, value in outputs.items():
            m.submodules[name] = buffer = io.FFBuffer("o", getattr(port, name))
            m.d.comb += buffer.o.eq(value)
        m.submodules.dq = dq = io.FFBuffer("io", port.dq)
        m.d.comb += [dq.o.eq(pins.dq_o), dq.oe.eq(pins.dq_oe), pins.dq_i.eq(dq.i)]
        m.submodules.clk = clock = io.DDRBuffer("o", port.clk, o_domain=LATE)
        m.d.comb += [clock.o[0].eq(1), clock.o[1].eq(0)]
        return m
