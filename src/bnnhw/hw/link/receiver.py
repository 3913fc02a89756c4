"""FrameReceiver: the bytes of requests to images, whose frames have proved right, and verdicts.

Tests: tests/hw/test_top.py
"""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.protocol import CRC_BYTES, HEADER_BYTES, MAX_PAYLOAD, ErrorCode, Kind
from bnnhw.hw.stream.buffer import flat_stream

from .crc import Crc32

__all__ = ["ACCEPTED", "VERDICT_BITS", "FrameReceiver"]

ACCEPTED = 0  # in the place of an ErrorCode
VERDICT_BITS = 13
"""A verdict says what is to be answered to a frame: Cat(sequence (8 bits), code (4 bits), info (1 bit)). An ERROR with
`code`; or where that is ACCEPTED, an INFO answer with `info` and an INFER answer without."""


@dataclass(frozen=True)
class _Frame:
    """A request so far: its bytes, those of its header, and the bits of the one that came last."""

    count: Signal
    kind: Signal
    sequence: Signal
    length: Signal
    shifter: Signal
    shifting: Signal
    in_payload: Signal


class FrameReceiver(wiring.Component):
    """Takes requests apart (docs/link-protocol.md) and judges each with the frame's end.

    The payload goes out as beats while it arrives; `commit` or `rollback` follows with the verdict. Each byte takes 8
    cycles, bit by bit, so that the CRC and any width of a beat cost a shift register only: bytes and ends must come at
    least 16 cycles apart.

    Parameters
    ----------
    beat_bits : int
        Bits of a beat of `o`.
    frame_beats : int
        Beats of an image, whose bits are packed without gaps.

    Members
    -------
    data, data_valid, end, damaged : In(8), In(1), In(1), In(1)
        As from Deframer.
    o : Out(stream of unsigned(beat_bits))
        A beat is offered for one cycle; where `o` is not ready it is lost, and the frame refused with OVERRUN.
    commit, rollback : Out(1)
        The beats since the last of these are an image, or never were; after the last beat.
    verdict : Out(stream of unsigned(VERDICT_BITS))
        One for each frame, offered for one cycle, that before `commit` or `rollback`. Where it is not ready, the frame
        is dropped.
    """

    data: Signal
    data_valid: Signal
    end: Signal
    damaged: Signal
    o: stream.Interface
    commit: Signal
    rollback: Signal
    verdict: stream.Interface

    def __init__(self, *, beat_bits: int, frame_beats: int):
        self.beat_bits = beat_bits
        self.frame_beats = frame_beats
        super().__init__(
            {
                "data": In(8),
                "data_valid": In(1),
                "end": In(1),
                "damaged": In(1),
                "o": Out(flat_stream(beat_bits)),
                "commit": Out(1),
                "rollback": Out(1),
                "verdict": Out(flat_stream(VERDICT_BITS)),
            }
        )

    @property
    def input_bytes(self) -> int:
        """Bytes of an image."""
        return -(-self.beat_bits * self.frame_beats // 8)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.crc = crc = Crc32()
        frame = self._take_bytes(m)
        m.d.comb += [crc.bit.eq(frame.shifter[0]), crc.enable.eq(frame.shifting)]
        overrun, *image = self._offer_beats(m, frame)
        self._tell_verdict(m, frame, crc.good, overrun)
        m.d.comb += crc.clear.eq(self.end)
        with m.If(self.end):
            m.d.sync += [state.eq(state.init) for state in (overrun, frame.count, frame.sequence, *image)]
        return m

    def _take_bytes(self, m: Module) -> _Frame:
        """Counts the bytes, keeps those of the header, and shifts out the bits of each."""
        count = Signal(range(2 * MAX_PAYLOAD + 2))  # of bytes, saturating
        kind, sequence, length_low, length_high = header = [Signal(8) for _ in range(HEADER_BYTES)]
        length = Signal(16)
        m.d.comb += length.eq(Cat(length_low, length_high))
        saturated, in_header, in_payload = Signal(), Signal(), Signal()
        shifter = Signal(8)
        shifting = Signal()
        bits_left = Signal(3)  # but one
        m.d.sync += [saturated.eq(count.all()), in_header.eq(count < HEADER_BYTES)]  # long before the next byte
        with m.If(shifting):
            m.d.sync += [shifter.eq(shifter >> 1), bits_left.eq(bits_left - 1), shifting.eq(bits_left != 0)]
        with m.If(self.data_valid):
            m.d.sync += [shifter.eq(self.data), bits_left.eq(7), shifting.eq(1), in_payload.eq(~in_header)]
            with m.If(~saturated):
                m.d.sync += count.eq(count + 1)
            with m.If(in_header), m.Switch(count[:2]):
                for offset, field in enumerate(header):
                    with m.Case(offset):
                        m.d.sync += field.eq(self.data)
        return _Frame(count, kind, sequence, length, shifter, shifting, in_payload)

    def _offer_beats(self, m: Module, frame: _Frame) -> tuple[Signal, ...]:
        """Offers the payload's beats. Returns whether one was lost, and what else counts from the image's begin.

        `word` takes the bits of the header too, which are gone when the first beat is complete.
        """
        overrun = Signal()
        word = Signal(self.beat_bits, reset_less=True)
        word_bits_left = Signal(range(self.beat_bits + 1), init=self.beat_bits)
        beats_left = Signal(range(self.frame_beats + 1), init=self.frame_beats)
        wanted = Signal(init=1)  # beats_left != 0
        m.d.comb += self.o.payload.eq(word)
        m.d.sync += self.o.valid.eq(0)
        with m.If(frame.shifting):
            m.d.sync += word.eq(Cat(word[1:], frame.shifter[0]))
        with m.If(frame.shifting & frame.in_payload & wanted):
            m.d.sync += word_bits_left.eq(word_bits_left - 1)
            with m.If(word_bits_left == 1):
                m.d.sync += [
                    word_bits_left.eq(self.beat_bits),
                    beats_left.eq(beats_left - 1),
                    wanted.eq(beats_left != 1),
                    self.o.valid.eq(1),
                ]
        with m.If(self.o.valid & ~self.o.ready):
            m.d.sync += overrun.eq(1)
        return overrun, word_bits_left, beats_left, wanted

    def _tell_verdict(self, m: Module, frame: _Frame, sums_up: Value, overrun: Signal) -> None:
        """The verdict in the cycle after `end`, then `commit` or `rollback`."""
        last_sequence = Signal(9, init=0x1FF)  # above 255: none
        is_info, code = self._judge(m, frame, last_sequence, sums_up, overrun)
        judged_sequence, judged_code, judged_info, good = Signal(8), Signal(4), Signal(), Signal()
        m.d.sync += [
            judged_sequence.eq(frame.sequence),
            judged_code.eq(code),
            judged_info.eq(is_info),
            good.eq(code == ACCEPTED),
            self.verdict.valid.eq(self.end),
        ]
        accepted, kept = Signal(), Signal()
        m.d.comb += [
            self.verdict.payload.eq(Cat(judged_sequence, judged_code, judged_info)),
            accepted.eq(self.verdict.valid & self.verdict.ready & good),
            kept.eq(accepted & ~judged_info),
        ]
        m.d.sync += [self.commit.eq(kept), self.rollback.eq(self.verdict.valid & ~kept)]
        with m.If(accepted):
            m.d.sync += last_sequence.eq(Mux(judged_info, 0x1FF, judged_sequence))

    def _judge(
        self, m: Module, frame: _Frame, last_sequence: Signal, sums_up: Value, overrun: Signal
    ) -> tuple[Signal, Signal]:
        """Whether the frame is an INFO request, and its ErrorCode or ACCEPTED.

        What is judged rests for cycles before the frame ends, so each comparison has a register.
        """
        expected = Signal(range(2 * MAX_PAYLOAD + 2))
        excess = Signal(signed(len(expected) + 1))
        short, long, crc_good, is_info, is_infer, length_fits, repeated = (Signal() for _ in range(7))
        m.d.sync += [
            expected.eq(frame.length + (HEADER_BYTES + CRC_BYTES)),
            excess.eq(frame.count - expected),
            short.eq(excess < 0),
            long.eq(excess > 0),
            crc_good.eq(sums_up),
            is_info.eq(frame.kind == Kind.INFO),
            is_infer.eq(frame.kind == Kind.INFER),
            length_fits.eq(frame.length == Mux(is_infer, self.input_bytes, 0)),
            repeated.eq(frame.sequence == last_sequence),
        ]
        code = Signal(4, init=ACCEPTED)
        faults = {
            ErrorCode.SHORT: short,
            ErrorCode.LONG: long,
            ErrorCode.CRC: ~crc_good,
            ErrorCode.KIND: ~is_info & ~is_infer,
            ErrorCode.LENGTH: ~length_fits,
            ErrorCode.REPEATED: is_infer & repeated,
            ErrorCode.OVERRUN: is_infer & overrun,
        }
        with m.If(self.damaged):
            m.d.comb += code.eq(ErrorCode.FRAMING)
        for fault, is_met in faults.items():
            with m.Elif(is_met):
                m.d.comb += code.eq(fault)
        return is_info, code
