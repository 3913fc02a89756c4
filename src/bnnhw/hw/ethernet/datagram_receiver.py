"""DatagramReceiver: the link's bytes from datagrams (docs/link-protocol.md)."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.datagrams import DATAGRAM_HEADER_BYTES, MARK_AND_VERSION
from bnnhw.hw.logic.crc import Crc32
from bnnhw.hw.protocol import FLAG
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.targets import Target

from .arrivals import arrivals
from .conversation import conversation
from .sorter import SENDER_BITS

__all__ = ["DatagramReceiver"]

FIELDS_BITS = 96  # of a header without its CRC
LAST_OPENING = 0xFFFF


@dataclass(frozen=True)
class _Header:
    """The fields of a datagram, and what they say; known before its payload comes."""

    opening: Value
    session: Value
    number: Value
    sound: Signal
    begins: Signal
    of_conversation: Signal
    skipped: Signal
    next: Signal


class DatagramReceiver(wiring.Component):
    """A board's end of the stream of requests, as `bnnhw.hw.datagrams.BoardEnd.unwrap`: in order, with gaps.

    Parameters
    ----------
    depth : int
        Bytes of the queue behind it, a power of two. A datagram that finds no room there is lost.
    target : Target

    Members
    -------
    i : In(arrivals())
        Datagrams.
    sender : In(SENDER_BITS)
        Of a datagram, with its end.
    o : Out(stream of unsigned(8))
        The link's bytes.
    conversation : Out(conversation())
    """

    i: Any
    sender: Signal
    o: stream.Interface
    conversation: Any

    def __init__(self, *, depth: int, target: Target):
        self.fifo = Fifo(width=8, depth=depth, target=target)
        super().__init__(
            {
                "i": In(arrivals()),
                "sender": In(SENDER_BITS),
                "o": Out(flat_stream(8)),
                "conversation": Out(conversation()),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.fifo = fifo = self.fifo
        m.submodules.crc = crc = Crc32(width=8)
        wiring.connect(m, fifo.o, wiring.flipped(self.o))
        i, talk = self.i, self.conversation
        at = Signal(range(DATAGRAM_HEADER_BYTES + 1))
        in_payload = at == DATAGRAM_HEADER_BYTES
        m.d.comb += [crc.bits.eq(i.data), crc.enable.eq(i.valid & ~in_payload), crc.clear.eq(i.end)]
        with m.If(i.valid & ~in_payload):
            m.d.sync += at.eq(at + 1)
        header = self._read_header(m, at)

        in_step, follows, started, overrun = Signal(), Signal(), Signal(), Signal()  # started: at this payload's flag
        m.d.sync += follows.eq(~header.begins & in_step & (header.skipped == 0))
        counts = follows | started | (i.data == FLAG)
        # What is made of the header goes far: it is judged in steps that have a register each.
        fits, ended, whole, judged, taken, stepped = (Signal() for _ in range(6))
        m.d.sync += [
            fits.eq(crc.good & header.sound & (header.begins | (header.of_conversation & ~header.skipped[-1]))),
            ended.eq(i.end),
            whole.eq(i.good & in_payload & ~overrun),
            judged.eq(ended),
            taken.eq(ended & whole & fits),
        ]
        with m.If(i.end):
            m.d.sync += stepped.eq(follows | started)
        m.d.comb += [
            fifo.i.payload.eq(i.data),
            fifo.i.valid.eq(i.valid & in_payload & counts),
            fifo.commit.eq(taken),
            fifo.rollback.eq(judged & ~taken),
        ]
        with m.If(fifo.i.valid):
            m.d.sync += started.eq(1)
        with m.If(fifo.i.valid & ~fifo.i.ready):
            m.d.sync += overrun.eq(1)
        m.d.sync += talk.opened.eq(0)
        with m.If(i.end):
            m.d.sync += [at.eq(0), started.eq(0), overrun.eq(0)]
        with m.If(taken):
            m.d.sync += [header.next.eq(header.number + 1), in_step.eq(stepped)]
            with m.If(header.begins):
                m.d.sync += [
                    talk.opening.eq(Mux(talk.opening == LAST_OPENING, 1, talk.opening + 1)),
                    talk.session.eq(header.session),
                    talk.peer.eq(self.sender),
                    talk.opened.eq(1),
                ]
        return m

    def _read_header(self, m: Module, at: Signal) -> _Header:
        """The fields rest while the CRC's four bytes come, so that each comparison has a register."""
        talk = self.conversation
        fields = Signal(FIELDS_BITS)
        mark, opening, session, number = fields[:16], fields[16:32], fields[32:64], fields[64:]
        with m.If(self.i.valid & (at < FIELDS_BITS // 8)):
            m.d.sync += fields.eq(Cat(fields[8:], self.i.data))
        same_session, same_opening, asks, sound, begins, of_conversation = (Signal() for _ in range(6))
        following, skipped = Signal(32), Signal(32)
        m.d.sync += [
            sound.eq(mark == MARK_AND_VERSION),
            same_session.eq((session == talk.session) & (talk.opening != 0)),
            same_opening.eq(opening == talk.opening),
            asks.eq(opening == 0),
            skipped.eq(number - following),
            begins.eq(asks & ~same_session),
            of_conversation.eq(same_session & (asks | same_opening)),
        ]
        return _Header(opening, session, number, sound, begins, of_conversation, skipped, following)
