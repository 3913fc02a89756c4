"""FlashLoader: programs out of the flash into the external memory, before the host speaks.

Tests: tests/hw/engine/boot/test_loader.py
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.engine.engine_shape import NOTED_WORDS, WORD
from bnnhw.hw.engine.program import packets
from bnnhw.hw.engine.program.packets import PACKET_WORDS, Memory, Request
from bnnhw.hw.logic.crc import Crc32
from bnnhw.hw.stream.buffer import flat_stream

from .flash_reader import FlashReader, flash_pins
from .image import HEADER_WORDS, MAGIC, MOST_PACKETS, identity_words

__all__ = ["FlashLoader"]

_KIND_BITS = 8
_WRITE = Request.WRITE | Memory.EXTERNAL << 4
_NOTE = _WRITE | NOTED_WORDS << _KIND_BITS
"""The first word of the packet that writes the note; its address is 0."""


class FlashLoader(wiring.Component):
    """Between the link and the engine: sends the packets of a `boot_image` and swallows their answers; then it connects
    both for ever.

    Whatever the flash holds, the packets write to the external memory and do nothing else. A host believes what lies
    there by the note alone, and that comes last, where the CRC of note and packets is right: the flash is read once
    more from the begin to get at it. Where the header is no image's for this engine, both are connected at once.

    Parameters
    ----------
    identity : bytes
        The engine's.
    offset, clock_hz : int
        As the FlashReader's.

    Members
    -------
    i, o : streams of WORD bits
        The link's side.
    to_engine, from_engine : streams of WORD bits
    busy : Out(1)
        It has not connected them yet.
    flash : Out(flash_pins())
    """

    i: stream.Interface
    o: stream.Interface
    to_engine: stream.Interface
    from_engine: stream.Interface
    busy: Signal
    flash: wiring.PureInterface

    def __init__(self, *, identity: bytes, offset: int, clock_hz: int):
        self.identity = identity
        self.reader = FlashReader(offset=offset, clock_hz=clock_hz)
        super().__init__(
            {
                "i": In(flat_stream(WORD)),
                "o": Out(flat_stream(WORD)),
                "to_engine": Out(flat_stream(WORD)),
                "from_engine": In(flat_stream(WORD)),
                "busy": Out(1, init=1),
                "flash": Out(flash_pins()),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.reader = reader = self.reader
        m.submodules.crc = crc = Crc32(width=1)
        wiring.connect(m, reader.pins, wiring.flipped(self.flash))
        word, engine = reader.o, self.to_engine
        m.d.comb += [crc.enable.eq(reader.taken), crc.bits.eq(reader.bit)]
        at, left = Signal(range(PACKET_WORDS)), Signal(range(MOST_PACKETS + 1))
        taken, sent, proven = Signal(), Signal(), Signal()
        m.d.comb += [taken.eq(word.valid & word.ready), sent.eq(engine.valid & engine.ready)]
        with m.If(taken | sent):
            m.d.sync += at.eq(at + 1)
        unanswered = self._connect(m, sent)
        with m.FSM():
            with m.State("header"):
                m.d.comb += word.ready.eq(1)
                with m.If(taken):
                    self._check_header(m, at, left, crc)
                    with m.If(at == HEADER_WORDS - 1):
                        m.d.comb += crc.clear.eq(1)
                        m.d.sync += at.eq(0)
                        m.next = "pass by the note"
                        with m.If(proven):
                            m.next = "note"
                    with m.If(reader.stop):
                        m.next = "connect"
            with m.State("pass by the note"):
                m.d.comb += word.ready.eq(1)
                with m.If(taken & (at == NOTED_WORDS - 1)):
                    m.d.sync += at.eq(0)
                    m.next = "packets"
            with m.State("packets"):
                kept = Cat(Const(_WRITE, _KIND_BITS), word.payload[_KIND_BITS:])
                m.d.comb += [
                    engine.valid.eq(word.valid),
                    engine.payload.eq(Mux(at == 0, kept, word.payload)),
                    word.ready.eq(engine.ready),
                ]
                with m.If(sent & (at == PACKET_WORDS - 1)):
                    m.d.sync += [at.eq(0), left.eq(left - 1)]
                    with m.If(left == 1):
                        m.next = "judge"
            with m.State("judge"):
                m.d.comb += [word.ready.eq(1), reader.again.eq(crc.good), reader.stop.eq(~crc.good)]
                with m.If(taken):
                    m.d.comb += crc.clear.eq(1)
                    m.d.sync += [at.eq(0), proven.eq(1)]
                    m.next = "header"
                    with m.If(~crc.good):
                        m.next = "connect"
            with m.State("note"):
                of_packet = at < packets.HEADER_WORDS
                m.d.comb += [
                    engine.valid.eq(of_packet | word.valid),
                    engine.payload.eq(Mux(of_packet, Mux(at == 0, _NOTE, 0), word.payload)),
                    word.ready.eq(engine.ready & ~of_packet),
                    reader.stop.eq(at == PACKET_WORDS - 1),
                ]
                with m.If(sent & (at == PACKET_WORDS - 1)):
                    m.next = "connect"
            with m.State("connect"), m.If(unanswered == 0):
                m.d.sync += self.busy.eq(0)
        return m

    def _connect(self, m: Module, sent: Signal) -> Signal:
        """The streams of both sides where it does not send itself; how many words of answers are to come."""
        unanswered = Signal(range(2 * PACKET_WORDS))
        answered = self.from_engine.valid & self.from_engine.ready
        m.d.comb += [
            self.o.payload.eq(self.from_engine.payload),
            self.o.valid.eq(self.from_engine.valid & ~self.busy),
            self.from_engine.ready.eq(self.o.ready | self.busy),
        ]
        with m.If(~self.busy):
            m.d.comb += [
                self.to_engine.payload.eq(self.i.payload),
                self.to_engine.valid.eq(self.i.valid),
                self.i.ready.eq(self.to_engine.ready),
            ]
        with m.Else():
            m.d.sync += unanswered.eq(unanswered + sent - answered)
        return unanswered

    def _check_header(self, m: Module, at: Signal, left: Signal, crc: Crc32) -> None:
        """A word of the header: one that is wrong stops the reader, the one with the number of packets is kept."""
        word, stop = self.reader.o.payload, self.reader.stop
        with m.Switch(at):
            for number, wanted in enumerate((MAGIC, *identity_words(self.identity))):
                with m.Case(number):
                    m.d.comb += stop.eq(word != wanted)
            with m.Case(HEADER_WORDS - 2):
                m.d.sync += left.eq(word)
                m.d.comb += stop.eq(word > MOST_PACKETS)
            with m.Case(HEADER_WORDS - 1):
                m.d.comb += stop.eq(~crc.good)
