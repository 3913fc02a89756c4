"""PacketSorter: what of the frames that arrive is to be answered here, and what is a datagram."""

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .arrivals import arrivals
from .checksum import InternetChecksum
from .mac import MAC_BYTES

__all__ = ["IP_BYTES", "SENDER_BITS", "PacketSorter", "check_ip"]

IP_BYTES = 4
SENDER_BITS = 8 * (MAC_BYTES + IP_BYTES + 2)
"""MAC, IP address and port of a datagram's sender: their bytes as they are sent, the first one lowest."""
TYPE, IP_HEADER = 12, 14  # places in a frame
LENGTH, FRAGMENT, PROTOCOL, SENDER_IP, RECEIVER_IP, IP_PAYLOAD = 16, 20, 23, 26, 30, 34
SENDER_PORT, RECEIVER_PORT, UDP_LENGTH, UDP_PAYLOAD = 34, 36, 38, 42
ARP_RECEIVER, ARP_END = 32, 42
ARP_REQUEST = bytes.fromhex("0806 0001 0800 06 04 0001")
IPV4, DO_NOT_FRAGMENT = 0x0800, 0x40
ICMP, ECHO_REQUEST, UDP = 1, 8, 17


def check_ip(ip: bytes) -> bytes:
    """`ip`, if it may be a station's. Raises ValueError."""
    if len(ip) != IP_BYTES or not 0 < ip[0] < 224:
        raise ValueError(f"ip={ip!r} must have {IP_BYTES} bytes and be a single station's")
    return ip


class PacketSorter(wiring.Component):
    """Looks for ARP requests, ICMP echo requests and UDP datagrams to this station, while they pass.

    IPv4 packets must be without options, whole (no fragments), as long as they say, and have a header whose checksum is
    right. UDP's and ICMP's own checksums are not looked at: the frame's was right. An echo has 8 bytes at least.

    Parameters
    ----------
    ip : bytes
        Four, of this station.
    port : int
        Of UDP.

    Members
    -------
    i : In(arrivals())
        Frames from their destination on, without the FCS. What is behind a packet in its frame is left out.
    requests : Out(arrivals())
        For Responder: of an ARP request the sender's MAC, and the bytes from the type to the sender's IP address. Of an
        echo request all from the sender's MAC on but the receiver's IP address.
    datagrams : Out(arrivals())
        What UDP carries.
    sender : Out(SENDER_BITS)
        Of a datagram, from its first byte to its end.
    """

    i: Any
    requests: Any
    datagrams: Any
    sender: Signal

    def __init__(self, *, ip: bytes, port: int):
        self.ip = check_ip(ip)
        self.port = port
        if not 0 < port < 1 << 16:
            raise ValueError(f"port={port} must be from 1 to 65535")
        super().__init__(
            {
                "i": In(arrivals()),
                "requests": Out(arrivals()),
                "datagrams": Out(arrivals()),
                "sender": Out(SENDER_BITS),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        i, at = self.i, Signal(6)  # the place in the frame, up to 63
        with m.If(i.valid & ~at.all()):
            m.d.sync += at.eq(at + 1)
        with m.If(i.end):
            m.d.sync += at.eq(0)

        to_me = {RECEIVER_IP: self.ip}
        is_arp = self._match(m, at, {TYPE: ARP_REQUEST, ARP_END - IP_BYTES: self.ip})
        is_ip = self._match(m, at, {TYPE: IPV4.to_bytes(2, "big") + b"\x45", FRAGMENT + 1: b"\0", **to_me})
        is_echo = self._match(m, at, {PROTOCOL: bytes([ICMP]), IP_PAYLOAD: bytes([ECHO_REQUEST, 0])})
        is_udp = self._match(m, at, {PROTOCOL: bytes([UDP]), RECEIVER_PORT: self.port.to_bytes(2, "big")})
        inside, is_whole, udp_fits = self._follow_lengths(m, at)
        is_right = self._sum_up(m, at)

        def between(first: int, end: int) -> Value:
            return (at >= first) & (at < end)

        before_ip = between(MAC_BYTES, RECEIVER_IP)
        of_request = before_ip | Mux(is_arp, between(RECEIVER_IP, ARP_RECEIVER), inside & (at >= IP_PAYLOAD))
        packet = is_ip & is_whole & is_right
        for port, taken, good in (
            (self.requests, of_request, is_arp | (packet & is_echo)),
            (self.datagrams, inside & (at >= UDP_PAYLOAD), packet & is_udp & udp_fits),
        ):
            m.d.sync += [
                port.data.eq(i.data),
                port.valid.eq(i.valid & taken),
                port.end.eq(i.end),
                port.good.eq(i.end & i.good & good),
            ]
        of_sender = (
            between(MAC_BYTES, 2 * MAC_BYTES) | between(SENDER_IP, RECEIVER_IP) | between(SENDER_PORT, RECEIVER_PORT)
        )
        with m.If(i.valid & of_sender):
            m.d.sync += self.sender.eq(Cat(self.sender[8:], i.data))
        return m

    def _match(self, m: Module, at: Signal, pattern: Mapping[int, bytes]) -> Signal:
        """Whether the bytes from each place of `pattern` on were those."""
        matches, expected, known = Signal(init=1), Signal(8), Signal()
        with m.Switch(at):
            for place, values in pattern.items():
                for offset, value in enumerate(values):
                    with m.Case(place + offset):
                        m.d.comb += [expected.eq(value), known.eq(1)]
        with m.If(self.i.valid & known & (self.i.data != expected)):
            m.d.sync += matches.eq(0)
        with m.If(self.i.end):
            m.d.sync += matches.eq(1)
        return matches

    def _follow_lengths(self, m: Module, at: Signal) -> tuple[Value, Value, Signal]:
        """Whether this byte is of the IP packet; in the end, whether that was whole, and whether UDP's length is it."""
        i, failed, udp_fits = self.i, Signal(), Signal(init=1)
        high, left, of_udp = Signal(3), Signal(11), Signal(11)  # bytes: of packets in frames of 1518
        inside = left != 0
        with m.If(i.valid & inside):
            m.d.sync += left.eq(left - 1)
        with m.If(i.valid), m.Switch(at):
            with m.Case(LENGTH):
                m.d.sync += [high.eq(i.data[:3]), failed.eq(i.data[3:] != 0)]
            with m.Case(LENGTH + 1):
                m.d.sync += left.eq(Cat(i.data, high) - (LENGTH + 2 - IP_HEADER))
            with m.Case(FRAGMENT), m.If((i.data & ~DO_NOT_FRAGMENT) != 0):
                m.d.sync += failed.eq(1)
            with m.Case(IP_PAYLOAD):
                m.d.sync += of_udp.eq(left)
            with m.Case(UDP_LENGTH), m.If(i.data != of_udp[8:]):
                m.d.sync += udp_fits.eq(0)
            with m.Case(UDP_LENGTH + 1), m.If(i.data != of_udp[:8]):
                m.d.sync += udp_fits.eq(0)
            with m.Case(UDP_PAYLOAD - 1), m.If(~inside):
                m.d.sync += failed.eq(1)
        with m.If(i.end):
            m.d.sync += [left.eq(0), failed.eq(0), udp_fits.eq(1)]
        return inside, ~inside & ~failed, udp_fits

    def _sum_up(self, m: Module, at: Signal) -> Value:
        """In the end, whether the IP header's checksum was right."""
        m.submodules.checksum = checksum = InternetChecksum()
        m.d.comb += [
            checksum.clear.eq(self.i.end),
            checksum.enable.eq(self.i.valid & (at >= IP_HEADER) & (at < IP_PAYLOAD + 2)),
            checksum.byte.eq(Mux(at < IP_PAYLOAD, self.i.data, 0)),
        ]
        return checksum.sum.all()
