"""FrameReceiver: the bytes of requests to images, whose frames have proved right, and verdicts.

Tests: tests/hw/test_top.py
"""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.logic.crc import Crc32
from bnnhw.hw.protocol import CRC_BYTES, HEADER_BYTES, MAX_PAYLOAD, ErrorCode, Kind
from bnnhw.hw.stream.buffer import flat_stream

from .chunks import Chunks
from .image_tracker import ImageTracker

__all__ = ["ACCEPTED", "OPENED", "STEPS", "VERDICT_BITS", "FrameReceiver", "end_pause"]

STEPS = (1, 2, 4, 8)
"""Bits that a receiver may take in a cycle."""

ACCEPTED = 0  # in the place of an ErrorCode
OPENED = 15
VERDICT_BITS = 13
"""A verdict says what is to be answered: Cat(sequence (8 bits), code (4 bits), info (1 bit)). An ERROR with `code`; or
where that is ACCEPTED, an INFO answer with `info` and an INFER answer without. OPENED says that the first of an image's
several chunks is there; the next verdict ends that image, with its answer, its ERROR, or an INFO which forgets it."""


def end_pause(step: int) -> int:
    """Cycles between a frame's last byte and its end, or its end and the next byte: its CRC and what is judged rest."""
    return 8 // step + 3


@dataclass(frozen=True)
class _Frame:
    """A request so far: its bytes, those of its header, and the bits of the one that came last, the
    next ones to be taken lowest."""

    count: Signal
    kind: Signal
    sequence: Signal
    number: Value
    length: Value
    in_header: Signal
    shifter: Signal
    shifting: Signal
    in_payload: Signal


class FrameReceiver(wiring.Component):
    """Takes requests apart (docs/link-protocol.md) and judges each with the frame's end.

    The payload goes out as beats while it arrives; `commit` or `rollback` follows with the verdict. Beats of any width
    are made by a shift register, so each byte takes 8 / step cycles: bytes must come as far apart at least, and an end
    `end_pause(step)` cycles behind the last byte and before the next one.

    Of an image in several chunks the first are committed before the last ones are there. Where such an image fails,
    its missing beats are made up, so that the core gets whole images only.

    Parameters
    ----------
    beat_bits : int
        Bits of a beat of `o`.
    chunks : Chunks
        Of an image, whose bits are packed without gaps.
    step : int
        Bits a cycle, 1, 2, 4 or 8; of a beat they are a divisor.

    Members
    -------
    data, data_valid, end, damaged : In(8), In(1), In(1), In(1)
        As from Deframer.
    o : Out(stream of unsigned(beat_bits))
        A received beat is offered for one cycle; where `o` is not ready it is lost, and the frame refused with OVERRUN.
    commit, rollback : Out(1)
        The beats since the last of these are an image's, or never were; after the last beat.
    verdict : Out(stream of unsigned(VERDICT_BITS))
        One for each frame but an image's inner chunks, offered for one cycle, that before `commit` or `rollback`. Where
        it is not ready, the frame is dropped. The verdict on a failed image waits.
    opened : Out(1)
        An image of several chunks begins, whose number is in `verdict`.
    busy : Out(1)
        An image waits for its next chunk, or is made up.
    """

    data: Signal
    data_valid: Signal
    end: Signal
    damaged: Signal
    o: stream.Interface
    commit: Signal
    rollback: Signal
    verdict: stream.Interface
    opened: Signal
    busy: Signal

    def __init__(self, *, beat_bits: int, chunks: Chunks, step: int):
        if step not in STEPS or beat_bits % step:
            raise ValueError(f"step={step} must be one of {STEPS} and a divisor of beat_bits={beat_bits}")
        self.beat_bits = beat_bits
        self.chunks = chunks
        self.step = step
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
                "opened": Out(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.crc = crc = Crc32(width=self.step)
        m.submodules.image = image = ImageTracker(chunks=self.chunks)
        closing = Signal()  # the verdict on a failed image waits
        frame = self._take_bytes(m)
        m.d.comb += [crc.bits.eq(frame.shifter[: self.step]), crc.enable.eq(frame.shifting), crc.clear.eq(self.end)]
        overrun, word_steps_left = self._offer_beats(m, frame, image, closing)
        self._tell_verdict(m, frame, image, closing, self._judge(m, frame, image, crc.good, overrun))
        m.d.comb += self.busy.eq(image.open | image.filling | closing)
        with m.If(self.end):
            states = (overrun, frame.count, frame.in_header, frame.sequence, word_steps_left)
            m.d.sync += [state.eq(state.init) for state in states]
        return m

    def _take_bytes(self, m: Module) -> _Frame:
        """Counts the bytes, keeps those of the header, and shifts out the bits of each."""
        count = Signal(range(2 * MAX_PAYLOAD + 2))  # of bytes, saturating
        kind, sequence, *words = header = [Signal(8) for _ in range(HEADER_BYTES)]
        in_header, in_payload = Signal(init=1), Signal()
        shifter = Signal(8)
        shifting = Signal()
        steps = 8 // self.step
        steps_left = Signal(range(steps))  # but one
        with m.If(shifting):
            m.d.sync += [shifter.eq(shifter >> self.step), steps_left.eq(steps_left - 1), shifting.eq(steps_left != 0)]
        with m.If(self.data_valid):
            m.d.sync += [shifter.eq(self.data), steps_left.eq(steps - 1), shifting.eq(1), in_payload.eq(~in_header)]
            with m.If(~count.all()):
                m.d.sync += count.eq(count + 1)
            with m.If(count[:3] == HEADER_BYTES - 1):
                m.d.sync += in_header.eq(0)
            with m.If(in_header), m.Switch(count[:3]):
                for offset, field in enumerate(header):
                    with m.Case(offset):
                        m.d.sync += field.eq(self.data)
        number, length = Cat(words[:2]), Cat(words[2:])
        return _Frame(count, kind, sequence, number, length, in_header, shifter, shifting, in_payload)

    def _offer_beats(self, m: Module, frame: _Frame, image: ImageTracker, closing: Signal) -> tuple[Signal, Signal]:
        """Offers the payload's beats, or made up ones. Returns whether a beat was lost, and the steps left of one.

        `word` takes the bits of the header too, which are gone when the first beat is complete.
        """
        overrun, offered, blocked = Signal(), Signal(), Signal()
        word = Signal(self.beat_bits, reset_less=True)
        steps = self.beat_bits // self.step
        word_steps_left = Signal(range(steps + 1), init=steps)
        chunk = self.chunks
        beats_left = Signal(range(chunk.beats + 1))
        wanted = Signal()  # beats_left != 0
        m.d.comb += [
            blocked.eq(image.filling | closing),
            self.o.payload.eq(word),
            self.o.valid.eq(Mux(blocked, image.filling & ~self.rollback, offered)),
            image.written.eq(self.o.valid & self.o.ready),
        ]
        m.d.sync += offered.eq(0)
        with m.If(frame.in_header):
            m.d.sync += [beats_left.eq(Mux(image.last, chunk.last_beats, chunk.beats)), wanted.eq(1)]
        with m.If(frame.shifting):
            m.d.sync += word.eq(Cat(word, frame.shifter[: self.step])[self.step :])
        with m.If(frame.shifting & frame.in_payload & wanted):
            m.d.sync += word_steps_left.eq(word_steps_left - 1)
            with m.If(word_steps_left == 1):
                m.d.sync += [
                    word_steps_left.eq(steps),
                    beats_left.eq(beats_left - 1),
                    wanted.eq(beats_left != 1),
                    offered.eq(1),
                ]
        with m.If(offered & (~self.o.ready | blocked)):
            m.d.sync += overrun.eq(1)
        return overrun, word_steps_left

    def _tell_verdict(
        self, m: Module, frame: _Frame, image: ImageTracker, closing: Signal, judgement: tuple[Signal, Signal, Signal]
    ) -> None:
        """The verdict in the cycle after `end`, then `commit` or `rollback`."""
        is_info, code, last_sequence = judgement
        judged, sequence, told, info, good, inner = Signal(), Signal(8), Signal(4), Signal(), Signal(), Signal()
        accepted = Signal()  # as if by itself, whatever the queue of verdicts says
        m.d.comb += accepted.eq(code == ACCEPTED)
        m.d.sync += judged.eq(self.end & ~closing)
        with m.If(self.end & ~closing):
            m.d.sync += [
                sequence.eq(Mux(image.open & ~(accepted & is_info), image.open_sequence, frame.sequence)),
                told.eq(Mux(accepted & ~is_info & ~image.last, OPENED, code)),
                info.eq(accepted & is_info),
                good.eq(accepted & ~is_info),
                inner.eq(accepted & ~is_info & image.open & ~image.last),
            ]
        kept, whole, failed, rolled_back = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            self.verdict.payload.eq(Cat(sequence, told, info)),
            self.verdict.valid.eq((judged & ~inner) | closing),
            kept.eq(judged & good & (inner | self.verdict.ready)),
            whole.eq(kept & image.last),
            failed.eq(judged & image.open & ~good),
            rolled_back.eq(judged & ~kept & ~image.filling),
            image.sequence.eq(sequence),
            image.kept.eq(kept),
            image.failed.eq(failed),
            self.opened.eq(kept & ~image.open & ~image.last),
        ]
        committed = Signal()
        m.d.sync += [
            committed.eq(kept),
            self.rollback.eq(rolled_back),
            closing.eq((failed | closing) & ~self.verdict.ready),
        ]
        m.d.comb += self.commit.eq(committed | image.filling)
        with m.If(whole | (judged & info & (self.verdict.ready | image.open))):
            m.d.sync += last_sequence.eq(Mux(info, 0x1FF, sequence))

    def _judge(
        self, m: Module, frame: _Frame, image: ImageTracker, sums_up: Value, overrun: Signal
    ) -> tuple[Signal, Signal, Signal]:
        """Whether the frame is an INFO request, its ErrorCode or ACCEPTED, and the last accepted number.

        What is judged rests for cycles before the frame ends, so each comparison has a register.
        """
        last_sequence = Signal(9, init=0x1FF)  # above 255: none
        expected = Signal(17)
        excess = Signal(signed(len(expected) + 1))
        short, long, crc_good, is_info, is_infer = (Signal() for _ in range(5))
        length_fits, repeated, in_order = (Signal() for _ in range(3))
        infer_bytes = Mux(image.last, self.chunks.last_bytes, self.chunks.bytes)
        m.d.sync += [
            expected.eq(frame.length + (HEADER_BYTES + CRC_BYTES)),
            excess.eq(frame.count - expected),
            short.eq(excess < 0),
            long.eq(excess > 0),
            crc_good.eq(sums_up),
            is_info.eq(frame.kind == Kind.INFO),
            is_infer.eq(frame.kind == Kind.INFER),
            length_fits.eq(frame.length == Mux(is_infer, infer_bytes, 0)),
            repeated.eq(frame.sequence == last_sequence),
            in_order.eq((frame.number == image.number) & (~image.open | (frame.sequence == image.open_sequence))),
        ]
        code = Signal(4, init=ACCEPTED)
        faults = {
            ErrorCode.SHORT: short,
            ErrorCode.LONG: long,
            ErrorCode.CRC: ~crc_good,
            ErrorCode.KIND: ~is_info & ~is_infer,
            ErrorCode.REPEATED: is_infer & repeated,
            ErrorCode.ORDER: is_infer & ~in_order,
            ErrorCode.LENGTH: ~length_fits,
            ErrorCode.OVERRUN: is_infer & overrun,
        }
        with m.If(self.damaged):
            m.d.comb += code.eq(ErrorCode.FRAMING)
        for fault, is_met in faults.items():
            with m.Elif(is_met):
                m.d.comb += code.eq(fault)
        return is_info, code, last_sequence
