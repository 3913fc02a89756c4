"""FrameTransmitter: verdicts, results and chunks that were taken to the bytes of answers.

Tests: tests/hw/test_top.py
"""

from dataclasses import dataclass, fields
from enum import IntEnum

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.protocol import CYCLES_BYTES, HEADER_BYTES, Info, Kind
from bnnhw.hw.stream.buffer import flat_stream

from .acknowledger import TAKEN_BITS
from .chunks import Chunks
from .receiver import ACCEPTED, OPENED, VERDICT_BITS

__all__ = ["TRANSMITTER_CYCLES", "FrameTransmitter"]

TRANSMITTER_CYCLES = 6
"""Of a byte, at least."""


class _Section(IntEnum):
    HEADER = 0
    OUTPUTS = 1
    REST = 2


@dataclass(frozen=True)
class _Answer:
    """The frame at hand. Its kind is one of the first three, or else ERROR; `dropped`: it is not sent."""

    infer: Signal
    info: Signal
    taken: Signal
    dropped: Signal
    sequence: Value
    code: Value
    number: Signal  # of the answer's next chunk
    last: Signal  # that chunk is the answer's last one
    header: list[Value]


@dataclass(frozen=True)
class _Place:
    """The byte at hand: where in the answer it stands, whether it is its section's or the answer's last."""

    section: Signal
    index: Signal
    last: Signal
    final: Signal


@dataclass(frozen=True)
class _Due:
    """What is to be sent next: an image opens, a chunk of an answer is ready, or an INFO answer or ERROR is due."""

    opening: Signal
    chunk: Signal
    other: Signal
    info: Signal


class FrameTransmitter(wiring.Component):
    """Answers each verdict (docs/link-protocol.md), in order, and says between frames what was taken.

    The answer to an image goes out in chunks, each when all of it is there; the last one, with the cycle count, when
    the image has been accepted whole. Where it has failed, what is left of its results is dropped. A byte takes at
    least TRANSMITTER_CYCLES.

    Parameters
    ----------
    info : Info
        The payload of an INFO answer.
    chunks : Chunks
        Of the outputs.

    Members
    -------
    verdict : In(stream of unsigned(VERDICT_BITS))
    taken : In(stream of unsigned(TAKEN_BITS))
        As from Acknowledger.
    cycles : In(stream of unsigned(32))
        There once all results of an image are.
    output : In(stream of unsigned(8))
    there : In(1)
        All outputs of the next chunk are there.
    sent : Out(1)
        A chunk has been sent, or dropped.
    o : Out(stream of unsigned(9))
        To CrcAppender.
    """

    verdict: stream.Interface
    taken: stream.Interface
    cycles: stream.Interface
    output: stream.Interface
    there: Signal
    sent: Signal
    o: stream.Interface

    def __init__(self, *, info: Info, chunks: Chunks):
        self.info = info
        self.chunks = chunks
        super().__init__(
            {
                "verdict": In(flat_stream(VERDICT_BITS)),
                "taken": In(flat_stream(TAKEN_BITS)),
                "cycles": In(flat_stream(32)),
                "output": In(flat_stream(8)),
                "there": In(1),
                "sent": Out(1),
                "o": Out(flat_stream(9)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        begun = Signal()  # the next answer is to an image whose first chunk is there
        answer = self._describe_answer(m, begun)
        place = self._choose_byte(m, answer)
        due = self._find_due(m, answer, begun)
        with m.FSM():
            self._begin(m, answer, place, due, begun)
            self._send(m, answer, place)
            self._end(m, answer, begun)
        return m

    def _describe_answer(self, m: Module, begun: Signal) -> _Answer:
        sequence, code = self.verdict.payload[:8], self.verdict.payload[8:12]
        infer, info, taken, dropped = Signal(), Signal(), Signal(), Signal()
        last = Signal(init=self.chunks.count == 1)
        number = Signal(range(self.chunks.count))
        begun_sequence, taken_sequence, taken_number = Signal(8), Signal(8), Signal(16)
        with m.If(self.verdict.ready & ~begun):
            m.d.sync += begun_sequence.eq(sequence)
        with m.If(self.taken.ready):
            m.d.sync += Cat(taken_sequence, taken_number).eq(self.taken.payload)
        kind, told_sequence, told_number, length = Signal(8), Signal(8), Signal(16), Signal(16)
        whole, rest = self.chunks.bytes, self.chunks.last_bytes + CYCLES_BYTES
        m.d.sync += [
            last.eq(number == self.chunks.count - 1),
            kind.eq(Mux(infer, Kind.INFER_ANSWER, Mux(info, Kind.INFO_ANSWER, Mux(taken, Kind.TAKEN, Kind.ERROR)))),
            length.eq(Mux(infer, Mux(last, rest, whole), Mux(info, len(self._info_payload), ~taken))),
        ]
        m.d.comb += [
            told_sequence.eq(Mux(taken, taken_sequence, Mux(begun, begun_sequence, sequence))),
            told_number.eq(Mux(taken, taken_number, Mux(infer, number, 0))),
        ]
        header = [kind, told_sequence, *(word[low : low + 8] for word in (told_number, length) for low in (0, 8))]
        return _Answer(infer, info, taken, dropped, told_sequence, code, number, last, header)

    @property
    def _info_payload(self) -> bytes:
        return self.info.to_bytes()

    def _choose_byte(self, m: Module, answer: _Answer) -> _Place:
        """The byte at `index` of `section`, chosen in steps that have a register each: SETTLE waits for them."""
        info_payload = self._info_payload
        section = Signal(_Section)
        index = Signal(range(max(self.chunks.bytes, len(info_payload))))
        last_index = Signal.like(index)
        last = Signal()
        header, cycles, info_low, info_high, rest, value = (Signal(8) for _ in range(6))
        info_byte = Mux(index[4], info_high, info_low)
        m.d.sync += [
            header.eq(Array(answer.header)[index[:3]]),
            last.eq(index == last_index),
            cycles.eq(self.cycles.payload.word_select(index[:2], 8)),
            info_low.eq(Array(Const(byte, 8) for byte in info_payload[:16])[index[:4]]),
            info_high.eq(Array(Const(byte, 8) for byte in info_payload[16:])[index[:4]]),
            rest.eq(Mux(answer.infer, cycles, Mux(answer.info, info_byte, answer.code))),
        ]
        with m.Switch(section):
            with m.Case(_Section.HEADER):
                m.d.comb += value.eq(header)
                m.d.sync += last_index.eq(HEADER_BYTES - 1)
            with m.Case(_Section.OUTPUTS):
                m.d.comb += value.eq(self.output.payload)
                m.d.sync += last_index.eq(Mux(answer.last, self.chunks.last_bytes, self.chunks.bytes) - 1)
            with m.Case(_Section.REST):
                m.d.comb += value.eq(rest)
                m.d.sync += last_index.eq(Mux(answer.infer, CYCLES_BYTES, Mux(answer.info, len(info_payload), 1)) - 1)
        final = Signal()
        ends = Mux(answer.infer, Mux(answer.last, _Section.REST, _Section.OUTPUTS), Mux(answer.taken, 0, _Section.REST))
        m.d.sync += final.eq((section == ends) & (index == last_index))
        m.d.comb += self.o.payload.eq(Cat(value, final))
        return _Place(section, index, last, final)

    def _find_due(self, m: Module, answer: _Answer, begun: Signal) -> _Due:
        """What is to be sent next. A verdict that changes shows two cycles later."""
        due = _Due(*(Signal(name=field.name) for field in fields(_Due)))
        code, info = self.verdict.payload[8:12], self.verdict.payload[12]
        infers = self.verdict.valid & (code == ACCEPTED) & ~info
        last = answer.number == self.chunks.count - 1
        m.d.sync += [
            due.opening.eq(self.verdict.valid & (code == OPENED)),
            due.chunk.eq(self.there & (infers & (~last | self.cycles.valid) | begun & ~last & ~self.verdict.valid)),
            due.other.eq(self.verdict.valid & (code != OPENED) & ~infers),
            due.info.eq((code == ACCEPTED) & info),
        ]
        return due

    def _begin(self, m: Module, answer: _Answer, place: _Place, due: _Due, begun: Signal) -> None:
        with m.State("IDLE"):
            m.d.sync += [place.section.eq(_Section.HEADER), place.index.eq(0)]
            m.d.sync += [flag.eq(0) for flag in (answer.infer, answer.info, answer.taken, answer.dropped)]
            with m.If(self.taken.valid):
                m.d.comb += self.taken.ready.eq(1)
                m.d.sync += answer.taken.eq(1)
                m.next = "SETTLE"
            with m.Elif(due.opening):
                m.d.comb += self.verdict.ready.eq(1)
                m.d.sync += begun.eq(1)
                m.next = "PAUSE"
            with m.Elif(due.chunk):
                m.d.sync += answer.infer.eq(1)
                m.next = "SETTLE"
            with m.Elif(due.other & begun):
                m.d.sync += [answer.infer.eq(1), answer.dropped.eq(1), place.section.eq(_Section.OUTPUTS)]
                m.next = "SETTLE"
            with m.Elif(due.other):
                m.d.sync += answer.info.eq(due.info)
                m.next = "SETTLE"

    def _send(self, m: Module, answer: _Answer, place: _Place) -> None:
        """Byte after byte: waits until it is chosen and offers it."""
        section, settling = place.section, Signal(2)
        with m.State("SETTLE"):
            m.d.sync += settling.eq(settling + 1)
            with m.If(settling.all()):
                m.next = "OFFER"
        with m.State("OFFER"):
            from_output = section == _Section.OUTPUTS
            done = (self.o.ready & self.o.valid) | (answer.dropped & self.output.valid)
            m.d.comb += [
                self.o.valid.eq(~answer.dropped & (self.output.valid | ~from_output)),
                self.output.ready.eq(from_output & done),
            ]
            with m.If(done):
                m.next = "ADVANCE"
        with m.State("ADVANCE"):
            m.d.sync += place.index.eq(place.index + 1)
            m.next = "SETTLE"
            with m.If(place.last):
                m.d.sync += [place.index.eq(0), section.eq(Mux(answer.infer, section + 1, _Section.REST))]
            with m.If(place.final | (answer.dropped & place.last)):
                m.next = "END"

    def _end(self, m: Module, answer: _Answer, begun: Signal) -> None:
        """Takes what has been answered. A dropped image still has to get its verdict."""
        with m.State("END"), m.If(~answer.infer | ~answer.last | self.cycles.valid):
            m.d.comb += self.sent.eq(answer.infer)
            m.next = "PAUSE"
            with m.If(answer.infer):
                m.d.sync += answer.number.eq(answer.number + 1)
                with m.If(answer.last):
                    m.d.sync += [answer.number.eq(0), begun.eq(0)]
                    m.d.comb += [self.cycles.ready.eq(1), self.verdict.ready.eq(~answer.dropped)]
            with m.Elif(~answer.taken):
                m.d.comb += self.verdict.ready.eq(1)
        with m.State("PAUSE"):
            m.next = "IDLE"
