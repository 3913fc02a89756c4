"""Responder: answers to ARP requests and to pings."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream

from .mac import MAC_BYTES, check_mac
from .sorter import IP_PAYLOAD, SENDER_IP, TYPE, check_ip

__all__ = ["Responder"]

ARP_OPERATION, ARP_SENDER, ARP_SENDER_IP = 21, 22, 28  # places in a frame
ARP_REPLY = 2
ICMP_CHECKSUM = 36


class Responder(wiring.Component):
    """Makes answers of requests, byte by byte: its own addresses in their places, and what tells an answer.

    An echo's checksum grows by what its type has become less; a wrong one stays wrong.

    Parameters
    ----------
    mac, ip : bytes
        Of this station.

    Members
    -------
    i : In(stream of unsigned(9))
        Cat(byte, whether it is the last one): requests as PacketSorter gives them, one byte a cycle once they begin.
    o : Out(stream of unsigned(9))
        Frames from their destination on, likewise.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, *, mac: bytes, ip: bytes):
        self.mac, self.ip = check_mac(mac), check_ip(ip)
        super().__init__({"i": In(flat_stream(9)), "o": Out(flat_stream(9))})

    def elaborate(self, platform) -> Module:
        m = Module()
        asked, last = self.i.payload[:8], self.i.payload[8]
        at, is_arp = Signal(6), Signal()  # the place in the frame, up to 63
        own, own_byte = self._find_own(m, at, is_arp)
        told = Signal(8)
        held, held_last, held_valid, is_high = Signal(8), Signal(), Signal(), Signal()
        grown = held + 8  # the checksum's high byte, which waits for the low one
        m.d.comb += told.eq(asked)
        with m.Switch(at):
            with m.Case(ARP_OPERATION), m.If(is_arp):
                m.d.comb += told.eq(ARP_REPLY)
            with m.Case(IP_PAYLOAD), m.If(~is_arp):
                m.d.comb += told.eq(0)
            with m.Case(ICMP_CHECKSUM + 1), m.If(~is_arp):
                m.d.comb += told.eq(asked + grown[8])
        raised = grown[:8] + (grown[8] & (asked == 0xFF))
        m.d.comb += [
            self.o.payload.eq(Cat(Mux(is_high, raised[:8], held), held_last)),
            self.o.valid.eq(held_valid),
        ]

        advance = ~held_valid | self.o.ready
        with m.If(advance):
            m.d.comb += self.i.ready.eq(~own)
            m.d.sync += held_valid.eq(0)
            with m.If(self.i.valid):
                m.d.sync += [
                    held.eq(Mux(own, own_byte, told)),
                    held_last.eq(~own & last),
                    held_valid.eq(1),
                    is_high.eq((at == ICMP_CHECKSUM) & ~is_arp),
                    at.eq(Mux(~own & last, 0, at + ~at.all())),
                ]
                with m.If(at == TYPE + 1):
                    m.d.sync += is_arp.eq(asked != 0)
        return m

    def _find_own(self, m: Module, at: Signal, is_arp: Signal) -> tuple[Signal, Signal]:
        """Whether this station's address comes here, and its byte."""
        own, byte = Signal(), Signal(8)
        places = [(MAC_BYTES, self.mac, 1), (SENDER_IP, self.ip, ~is_arp)]
        places += [(ARP_SENDER, self.mac, is_arp), (ARP_SENDER_IP, self.ip, is_arp)]
        for first, address, here in places:
            with m.If(here), m.Switch(at):
                for offset, value in enumerate(address):
                    with m.Case(first + offset):
                        m.d.comb += [own.eq(1), byte.eq(value)]
        return own, byte
