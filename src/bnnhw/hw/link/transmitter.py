"""FrameTransmitter: verdicts and results to the bytes of answers.

Tests: tests/hw/test_top.py
"""

from dataclasses import dataclass
from enum import IntEnum

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.protocol import CRC_BYTES, HEADER_BYTES, MAX_PAYLOAD, Info, Kind
from bnnhw.hw.stream.buffer import flat_stream

from .crc import Crc32
from .receiver import ACCEPTED, VERDICT_BITS

__all__ = ["FrameTransmitter"]

CYCLES_BYTES = 4


class _Section(IntEnum):
    HEADER = 0
    PAYLOAD = 1
    CRC = 2


@dataclass(frozen=True)
class _Answer:
    """What is answered to the verdict at hand."""

    sequence: Signal
    code: Signal
    kind: Signal
    length: Signal
    is_infer: Signal
    is_info: Signal


@dataclass(frozen=True)
class _Place:
    """The byte at hand: where in the answer it stands, whether it is the section's last, and what it is."""

    section: Signal
    index: Signal
    last: Signal
    from_output: Signal
    value: Signal


class FrameTransmitter(wiring.Component):
    """Answers each verdict with one frame (docs/link-protocol.md), in order.

    An INFER answer waits for its cycle count, and takes it and `output_bytes` bytes of output. A byte takes at least
    16 cycles.

    Parameters
    ----------
    info : Info
        The payload of an INFO answer.

    Members
    -------
    verdict : In(stream of unsigned(VERDICT_BITS))
    cycles : In(stream of unsigned(32))
    output : In(stream of unsigned(8))
    o : Out(stream of unsigned(9))
        To Framer.
    """

    verdict: stream.Interface
    cycles: stream.Interface
    output: stream.Interface
    o: stream.Interface

    def __init__(self, *, info: Info):
        if info.output_bytes + CYCLES_BYTES > MAX_PAYLOAD:
            raise ValueError(f"output_bytes={info.output_bytes} must be at most {MAX_PAYLOAD - CYCLES_BYTES}")
        self.info = info
        super().__init__(
            {
                "verdict": In(flat_stream(VERDICT_BITS)),
                "cycles": In(flat_stream(32)),
                "output": In(flat_stream(8)),
                "o": Out(flat_stream(9)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.crc = crc = Crc32()
        answer = self._choose_answer(m)
        place = self._choose_byte(m, answer, crc)
        self._send(m, answer, place, crc)
        return m

    @property
    def _info_payload(self) -> bytes:
        return self.info.to_bytes()

    @property
    def _infer_length(self) -> int:
        return CYCLES_BYTES + self.info.output_bytes

    def _choose_answer(self, m: Module) -> _Answer:
        """The answer's kind decides its length."""
        sequence, code, info = Signal(8), Signal(4), Signal()
        is_infer, is_info = Signal(), Signal()
        kind = Signal(8)
        length = Signal(16)
        m.d.comb += Cat(sequence, code, info).eq(self.verdict.payload)  # pyright: ignore[reportAttributeAccessIssue]
        m.d.sync += [
            is_info.eq((code == ACCEPTED) & info),
            is_infer.eq((code == ACCEPTED) & ~info),
            kind.eq(Mux(is_infer, Kind.INFER_ANSWER, Mux(is_info, Kind.INFO_ANSWER, Kind.ERROR))),
            length.eq(Mux(is_infer, self._infer_length, Mux(is_info, len(self._info_payload), 1))),
        ]
        return _Answer(sequence, code, kind, length, is_infer, is_info)

    def _choose_byte(self, m: Module, answer: _Answer, crc: Crc32) -> _Place:
        """The byte at `index` of `section`, chosen in steps that have a register each: SETTLE waits for them."""
        info_payload, length = self._info_payload, answer.length
        section = Signal(_Section)
        index = Signal(range(max(self._infer_length, len(info_payload))))
        last_index = Signal.like(index)
        last, from_output = Signal(), Signal()
        header, cycles, info_low, info_high, payload, value = (Signal(8) for _ in range(6))
        info_byte = Mux(index[4], info_high, info_low)
        m.d.sync += [
            header.eq(Array([answer.kind, answer.sequence, length[:8], length[8:]])[index[:2]]),
            from_output.eq((section == _Section.PAYLOAD) & answer.is_infer & (index >= CYCLES_BYTES)),
            last.eq(index == last_index),
            cycles.eq(self.cycles.payload.word_select(index[:2], 8)),
            info_low.eq(Array(Const(byte, 8) for byte in info_payload[:16])[index[:4]]),
            info_high.eq(Array(Const(byte, 8) for byte in info_payload[16:])[index[0]]),
            payload.eq(Mux(answer.is_infer, cycles, Mux(answer.is_info, info_byte, answer.code))),
        ]
        with m.Switch(section):
            with m.Case(_Section.HEADER):
                m.d.comb += value.eq(header)
                m.d.sync += last_index.eq(HEADER_BYTES - 1)
            with m.Case(_Section.PAYLOAD):
                m.d.comb += value.eq(Mux(from_output, self.output.payload, payload))
                m.d.sync += last_index.eq(length - 1)
            with m.Case(_Section.CRC):
                m.d.comb += value.eq(~crc.crc)
                m.d.sync += last_index.eq(CRC_BYTES - 1)
        return _Place(section, index, last, from_output, value)

    def _send(self, m: Module, answer: _Answer, place: _Place, crc: Crc32) -> None:
        """Byte after byte: waits until it is chosen, shifts it through the CRC and offers it."""
        byte, shifter = Signal(8), Signal(8)
        shifting, final = Signal(), Signal()
        bits_left = Signal(3)  # but one
        settling = Signal(2)
        section, from_output = place.section, place.from_output
        m.d.comb += [
            # The CRC register, fed with its own lowest bit, is a plain shift register.
            crc.bit.eq(Mux(section == _Section.CRC, crc.crc[0], shifter[0])),
            crc.enable.eq(shifting),
            self.o.payload.eq(Cat(byte, final)),
        ]
        m.d.sync += final.eq((section == _Section.CRC) & place.last)
        with m.If(shifting):
            m.d.sync += [shifter.eq(shifter >> 1), bits_left.eq(bits_left - 1), shifting.eq(bits_left != 0)]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += crc.clear.eq(1)
                m.d.sync += [section.eq(_Section.HEADER), place.index.eq(0), settling.eq(0)]
                with m.If(self.verdict.valid):
                    m.next = "SETTLE"
            with m.State("SETTLE"):
                m.d.sync += settling.eq(settling + 1)
                with m.If(settling.all() & (self.cycles.valid | ~answer.is_infer)):
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += self.output.ready.eq(from_output)
                m.d.sync += [byte.eq(place.value), shifter.eq(place.value)]
                with m.If(self.output.valid | ~from_output):
                    m.d.sync += [bits_left.eq(7), shifting.eq(1)]
                    m.next = "CRC"
            with m.State("CRC"), m.If(~shifting):
                m.next = "OFFER"
            with m.State("OFFER"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "ADVANCE"
            with m.State("ADVANCE"):
                m.d.sync += place.index.eq(place.index + 1)
                m.next = "SETTLE"
                with m.If(place.last):
                    m.d.sync += [place.index.eq(0), section.eq(section + 1)]
                with m.If(final):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += [self.verdict.ready.eq(1), self.cycles.ready.eq(answer.is_infer)]
                m.next = "IDLE"
