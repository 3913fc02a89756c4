"""The pads of a gigabit PHY behind RGMII (version 1.3): four bits at each edge of 125 MHz, each way.

Tests: tests/boards/test_rgmii_pads.py
"""

from typing import Any

from amaranth.hdl import Cat, ClockSignal, Elaboratable, Module, Signal
from amaranth.lib import io

from bnnhw.hw.ethernet.port import ETHERNET
from bnnhw.hw.targets import Target

from .description import RgmiiPhy

# pyright: reportAttributeAccessIssue=false
# (the members of buffers are not typed)

__all__ = ["ETHERNET_HZ", "RGMII", "RgmiiPads"]

ETHERNET_HZ = 125_000_000
RGMII = "eth_rgmii"
"""The resource's name in amaranth-boards."""
RESET_S = 0.02
"""For how long a PHY is reset at start; a KSZ9031 wants 10 ms."""


class RgmiiPads(Elaboratable):
    """A PHY's bytes, as `bnnhw.hw.ethernet.port.phy_bytes` has them, at a board's resource `eth_rgmii`.

    The clock that the PHY gives with what it receives is that of the domain ETHERNET, and leaves again with what is
    sent: the PHY's own queue makes up for the difference to its partner's. The domain itself is the caller's.

    Parameters
    ----------
    bytes : PureInterface
        An EthernetPort's `phy`.
    port : the resource, requested without buffers
    phy : RgmiiPhy
    clock_hz : int
        Of the domain `sync`.
    target : Target
    """

    def __init__(self, bytes: Any, port: Any, *, phy: RgmiiPhy, clock_hz: int, target: Target):
        self.bytes = bytes
        self.port = port
        self.phy = phy
        self.clock_hz = clock_hz
        self.target = target

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        port, control, phy = self.port, self.phy.control, self.bytes
        m.submodules.rx_clk = rx_clk = io.Buffer("i", port.rx_clk)
        m.d.comb += ClockSignal(ETHERNET).eq(rx_clk.i)
        platform.add_clock_constraint(port.rx_clk.io, ETHERNET_HZ)
        m.submodules.rx_data = rx_data = io.DDRBuffer("i", port.rx_data, i_domain=ETHERNET)
        m.submodules.rx_control = rx_control = io.DDRBuffer("i", getattr(port, f"rx_{control}"), i_domain=ETHERNET)
        m.submodules.tx_data = tx_data = io.DDRBuffer("o", port.tx_data, o_domain=ETHERNET)
        m.submodules.tx_control = tx_control = io.DDRBuffer("o", getattr(port, f"tx_{control}"), o_domain=ETHERNET)
        m.d.ethernet += [
            phy.rx_data.eq(Cat(rx_data.i[0], rx_data.i[1])),
            phy.rx_valid.eq(rx_control.i[0]),
            phy.rx_error.eq(rx_control.i[0] ^ rx_control.i[1]),
        ]
        m.d.comb += [
            tx_data.o[0].eq(phy.tx_data[:4]),
            tx_data.o[1].eq(phy.tx_data[4:]),
            tx_control.o[0].eq(phy.tx_valid),
            tx_control.o[1].eq(phy.tx_valid),
        ]
        m.submodules.tx_clk = self.target.late_clock(port.tx_clk, domain=ETHERNET, late_ns=self.phy.clock_late_ns)
        cycles = round(RESET_S * self.clock_hz)
        left = Signal(range(cycles + 1), init=cycles)
        m.d.sync += left.eq(left - (left != 0))
        m.submodules.rst = rst = io.FFBuffer("o", port.rst)
        m.d.comb += rst.o.eq(left != 0)
        return m
