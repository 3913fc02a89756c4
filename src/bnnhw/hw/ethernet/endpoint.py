"""UdpEndpoint: a station that answers ARP and pings, and carries the link's bytes in datagrams."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.datagrams import DATAGRAM_HEADER_BYTES
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import Target, check_target

from .arbiter import FrameArbiter
from .datagram_packer import DatagramPacker
from .datagram_receiver import DatagramReceiver
from .datagram_sender import DatagramSender
from .mac import MacReceiver, MacTransmitter
from .packet_store import PacketStore
from .responder import Responder
from .sorter import PacketSorter

__all__ = ["UdpEndpoint"]

ROOM = 1472 - DATAGRAM_HEADER_BYTES
ANSWERS_DEPTH = 4096  # bytes: two datagrams and more
REQUESTS_DEPTH = 2048  # one ping of the longest


class UdpEndpoint(wiring.Component):
    """Everything between the bytes of a PHY and those of the link, in the PHY's clock domain of 125 MHz.

    Nothing that the link does holds up ARP and pings: datagrams have queues of their own, and answers to requests go
    before them.

    Parameters
    ----------
    mac, ip : bytes
        Of this station.
    port : int
        Of UDP.
    depth : int
        Bytes from the host that wait for the link, a power of two: what finds no room is lost.
    patience : int
        Cycles that an answer waits for others, to share a datagram.
    target : Target

    Members
    -------
    rx_data, rx_valid, rx_error : In(8), In(1), In(1)
        From the PHY: a byte in each cycle of a frame.
    tx_data, tx_valid : Out(8), Out(1)
        To the PHY, likewise.
    o : Out(stream of unsigned(8))
        To the link.
    i : In(stream of unsigned(8))
        From the link, flags included.
    """

    rx_data: Signal
    rx_valid: Signal
    rx_error: Signal
    tx_data: Signal
    tx_valid: Signal
    o: stream.Interface
    i: stream.Interface

    def __init__(self, *, mac: bytes, ip: bytes, port: int, depth: int, patience: int = 500, target: Target):
        check_target(target)
        self.mac_receiver = MacReceiver(mac=mac)
        self.sorter = PacketSorter(ip=ip, port=port)
        self.requests = PacketStore(depth=REQUESTS_DEPTH, target=target)
        self.responder = Responder(mac=mac, ip=ip)
        self.receiver = DatagramReceiver(depth=depth, target=target)
        self.packer = DatagramPacker(room=ROOM, patience=patience, depth=ANSWERS_DEPTH, target=target)
        self.sender = DatagramSender(mac=mac, ip=ip, port=port)
        super().__init__(
            {
                "rx_data": In(8),
                "rx_valid": In(1),
                "rx_error": In(1),
                "tx_data": Out(8),
                "tx_valid": Out(1),
                "o": Out(flat_stream(8)),
                "i": In(flat_stream(8)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.mac_receiver = mac_receiver = self.mac_receiver
        m.submodules.sorter = sorter = self.sorter
        m.submodules.requests = requests = self.requests
        m.submodules.responder = responder = self.responder
        m.submodules.receiver = receiver = self.receiver
        m.submodules.packer = packer = self.packer
        m.submodules.sender = sender = self.sender
        m.submodules.arbiter = arbiter = FrameArbiter()
        m.submodules.mac_transmitter = mac_transmitter = MacTransmitter()
        m.d.comb += [
            mac_receiver.data.eq(self.rx_data),
            mac_receiver.valid.eq(self.rx_valid),
            mac_receiver.error.eq(self.rx_error),
            receiver.sender.eq(sorter.sender),
            self.tx_data.eq(mac_transmitter.data),
            self.tx_valid.eq(mac_transmitter.valid),
        ]
        wiring.connect(m, mac_receiver.o, sorter.i)
        wiring.connect(m, sorter.requests, requests.i)
        wiring.connect(m, requests.o, responder.i)
        wiring.connect(m, responder.o, arbiter.first)
        wiring.connect(m, sorter.datagrams, receiver.i)
        wiring.connect(m, receiver.o, wiring.flipped(self.o))
        wiring.connect(m, wiring.flipped(self.i), packer.i)
        wiring.connect(m, packer.o, sender.i)
        wiring.connect(m, packer.lengths, sender.lengths)
        wiring.connect(m, receiver.conversation, sender.conversation)
        wiring.connect(m, sender.o, arbiter.second)
        wiring.connect(m, arbiter.o, mac_transmitter.i)
        return m
