"""DatagramSender: frames around the link's bytes, from Ethernet's header to the datagram's (docs/link-protocol.md)."""

import struct
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.datagrams import DATAGRAM_HEADER_BYTES, MARK_AND_VERSION
from bnnhw.hw.logic.crc import Crc32
from bnnhw.hw.stream.buffer import flat_stream

from .checksum import InternetChecksum
from .conversation import conversation
from .datagram_packer import LENGTH_BITS
from .mac import MAC_BYTES, check_mac
from .sorter import DO_NOT_FRAGMENT, IP_BYTES, IP_HEADER, IP_PAYLOAD, IPV4, UDP, UDP_PAYLOAD, check_ip

__all__ = ["DatagramSender"]

TIME_TO_LIVE = 64
IP_CHECKSUM = 24  # its place in a frame, as CRC
CRC = UDP_PAYLOAD + DATAGRAM_HEADER_BYTES - 4
PAYLOAD = UDP_PAYLOAD + DATAGRAM_HEADER_BYTES
PEER_IP, PEER_PORT = 8 * MAC_BYTES, 8 * (MAC_BYTES + IP_BYTES)  # bits


@dataclass(frozen=True)
class _Told:
    """What a datagram says of its conversation."""

    peer: Signal
    opening: Signal
    session: Signal
    number: Signal


class DatagramSender(wiring.Component):
    """A board's end of the stream of answers, as `bnnhw.hw.datagrams.BoardEnd.wrap`: to the host that began.

    A datagram is of the conversation at its begin. UDP's checksum is left out (0).

    Parameters
    ----------
    mac, ip : bytes
        Of this station.
    port : int
        Of UDP.

    Members
    -------
    lengths : In(stream of unsigned(LENGTH_BITS))
    i : In(stream of unsigned(8))
        Payloads, as from DatagramPacker: one byte a cycle once their length is there.
    conversation : In(conversation())
    o : Out(stream of unsigned(9))
        Cat(byte, whether it is the last one of its frame), from its destination on; one a cycle once one is offered.
    """

    lengths: stream.Interface
    i: stream.Interface
    conversation: Any
    o: stream.Interface

    def __init__(self, *, mac: bytes, ip: bytes, port: int):
        self.mac, self.ip, self.port = check_mac(mac), check_ip(ip), port
        super().__init__(
            {
                "lengths": In(flat_stream(LENGTH_BITS)),
                "i": In(flat_stream(8)),
                "conversation": In(conversation()),
                "o": Out(flat_stream(9)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.checksum = checksum = InternetChecksum()
        m.submodules.crc = crc = Crc32(width=8)
        at, left = Signal(range(PAYLOAD + 1)), Signal(LENGTH_BITS)
        begins = Signal()
        header = self._choose_byte(m, at, self._keep_conversation(m, begins), checksum.sum)
        # Two steps: `byte` is chosen, then summed and told.
        byte, valid, last, summed, of_crc, of_header = (Signal(width) for width in (8, 1, 1, 1, 1, 1))
        advance = ~self.o.valid | self.o.ready
        m.d.comb += [
            checksum.byte.eq(byte),
            checksum.enable.eq(advance & summed),
            crc.bits.eq(Mux(of_crc, crc.crc[:8], byte)),
            crc.enable.eq(advance & (of_crc | of_header)),
        ]
        with m.If(advance):
            m.d.sync += [
                self.o.valid.eq(valid),
                self.o.payload.eq(Cat(Mux(of_crc, ~crc.crc[:8], byte), last)),
                *(flag.eq(0) for flag in (valid, last, summed, of_crc, of_header)),
            ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [checksum.clear.eq(1), crc.clear.eq(1)]
                m.d.sync += [at.eq(IP_HEADER), left.eq(self.lengths.payload)]
                with m.If(self.lengths.valid):
                    m.d.comb += begins.eq(1)
                    m.next = "SUM"
            with m.State("SUM"), m.If(advance):
                counts = (at < IP_PAYLOAD) & (at[1:] != IP_CHECKSUM // 2)  # else 0
                m.d.sync += [byte.eq(Mux(counts, header, 0)), summed.eq(1), at.eq(at + 1)]
                with m.If(at == IP_PAYLOAD + 1):
                    m.d.sync += at.eq(0)
                    m.next = "HEADER"
            with m.State("HEADER"), m.If(advance):
                m.d.sync += [
                    byte.eq(header),
                    valid.eq(1),
                    of_header.eq((at >= UDP_PAYLOAD) & (at < CRC)),
                    of_crc.eq(at >= CRC),
                    at.eq(at + 1),
                ]
                with m.If(at == PAYLOAD - 1):
                    m.next = "PAYLOAD"
            with m.State("PAYLOAD"), m.If(advance):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [byte.eq(self.i.payload), valid.eq(1), last.eq(left == 1), left.eq(left - 1)]
                with m.If(left == 1):
                    m.d.comb += self.lengths.ready.eq(1)
                    m.next = "IDLE"
        return m

    def _keep_conversation(self, m: Module, begins: Signal) -> _Told:
        """What a datagram says of its conversation, as that is where it begins. An opening sets the numbers to 0."""
        talk, number, current = self.conversation, Signal(32), Signal(32)
        told = _Told(Signal.like(talk.peer), Signal.like(talk.opening), Signal.like(talk.session), Signal.like(number))
        m.d.comb += current.eq(Mux(talk.opened, 0, number))
        m.d.sync += number.eq(current + begins)
        with m.If(begins):
            m.d.sync += [
                told.peer.eq(talk.peer),
                told.opening.eq(talk.opening),
                told.session.eq(talk.session),
                told.number.eq(current),
            ]
        return told

    def _choose_byte(self, m: Module, at: Signal, told: _Told, checksum: Value) -> Signal:
        """The byte at a place of the headers, but the CRC's."""
        ip_length, udp_length = Signal(16), Signal(16)
        m.d.comb += [
            ip_length.eq(self.lengths.payload + (PAYLOAD - IP_HEADER)),
            udp_length.eq(self.lengths.payload + (PAYLOAD - IP_PAYLOAD)),
        ]
        own_mac, own_ip, own_port = (_constant(part) for part in (self.mac, self.ip, self.port.to_bytes(2, "big")))
        peer_mac, peer_ip, peer_port = told.peer[:PEER_IP], told.peer[PEER_IP:PEER_PORT], told.peer[PEER_PORT:]
        first = _constant(struct.pack(">HBB", IPV4, 0x45, 0))
        between = _constant(struct.pack(">HHBB", 0, DO_NOT_FRAGMENT << 8, TIME_TO_LIVE, UDP))
        ethernet_and_ip = [peer_mac, own_mac, first, _swapped(ip_length), between, _swapped(~checksum)]
        udp = [own_ip, peer_ip, own_port, peer_port, _swapped(udp_length), Const(0, 16)]
        datagram = [Const(MARK_AND_VERSION, 16), told.opening, told.session, told.number]
        header, byte = Cat(ethernet_and_ip, udp, datagram), Signal(8)
        m.d.comb += byte.eq(header.word_select(at, 8))
        return byte


def _constant(data: bytes) -> Const:
    return Const(int.from_bytes(data, "little"), 8 * len(data))


def _swapped(word: Value) -> Value:
    """Of 16 bits, its high byte first."""
    return Cat(word[8:], word[:8])
