"""EthernetPort: a link's bytes on gigabit Ethernet.

Tests: tests/boards/test_rgmii_pads.py
"""

from amaranth.hdl import DomainRenamer, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import AsyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import Target

from .endpoint import UdpEndpoint

__all__ = ["ETHERNET", "EthernetPort", "phy_bytes"]

ETHERNET = "ethernet"
"""The clock domain of the PHY, of 125 MHz, in which everything but the link's bytes is."""
CROSSING_DEPTH = 16


def phy_bytes() -> wiring.Signature:
    """A gigabit PHY as the FPGA sees it, in the domain ETHERNET: a byte in each cycle of a frame.

    rx_data : In(8), rx_valid : In(1), rx_error : In(1)
    tx_data : Out(8), tx_valid : Out(1)
    """
    return wiring.Signature(
        {"rx_data": In(8), "rx_valid": In(1), "rx_error": In(1), "tx_data": Out(8), "tx_valid": Out(1)}
    )


class EthernetPort(wiring.Component):
    """A `bnnhw.hw.top.LinkPort`: a UdpEndpoint in the clock of its PHY, and queues from one clock to the other.

    Parameters
    ----------
    mac, ip : bytes
    udp_port : int
        As UdpEndpoint's.
    queue_bytes : int
        Of requests that wait for the link, a power of two.
    target : Target

    Members
    -------
    phy : Out(phy_bytes())
    received : Out(stream of unsigned(8))
    damaged : Out(1)
        Never: datagrams are whole.
    sent : In(stream of unsigned(8))
    """

    phy: wiring.PureInterface
    received: stream.Interface
    damaged: Signal
    sent: stream.Interface
    byte_cycles = 1.0

    def __init__(self, *, mac: bytes, ip: bytes, udp_port: int, queue_bytes: int, target: Target):
        self.endpoint = UdpEndpoint(mac=mac, ip=ip, port=udp_port, depth=queue_bytes, target=target)
        self.queue_bytes = queue_bytes
        super().__init__(
            {
                "phy": Out(phy_bytes()),
                "received": Out(flat_stream(8)),
                "damaged": Out(1),
                "sent": In(flat_stream(8)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.endpoint = DomainRenamer(ETHERNET)(self.endpoint)
        endpoint, phy = self.endpoint, self.phy
        m.d.comb += [
            endpoint.rx_data.eq(phy.rx_data),
            endpoint.rx_valid.eq(phy.rx_valid),
            endpoint.rx_error.eq(phy.rx_error),
            phy.tx_data.eq(endpoint.tx_data),
            phy.tx_valid.eq(endpoint.tx_valid),
        ]
        _cross(m, "requests", endpoint.o, ETHERNET, self.received, "sync")
        _cross(m, "answers", self.sent, "sync", endpoint.i, ETHERNET)
        return m


def _cross(m: Module, name: str, i: stream.Interface, i_domain: str, o: stream.Interface, o_domain: str) -> None:
    """From one clock's stream to another's."""
    fifo = AsyncFIFOBuffered(width=8, depth=CROSSING_DEPTH, w_domain=i_domain, r_domain=o_domain)
    m.submodules[name] = fifo
    m.d.comb += [
        fifo.w_data.eq(i.payload),
        fifo.w_en.eq(i.valid),
        i.ready.eq(fifo.w_rdy),
        o.payload.eq(fifo.r_data),
        o.valid.eq(fifo.r_rdy),
        fifo.r_en.eq(o.ready),
    ]
