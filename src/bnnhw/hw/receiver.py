"""FrameReceiver: the bytes of requests to images, whose frames have proved right, and verdicts."""

# pyright: reportGeneralTypeIssues=false
# (amaranth's `with m.If` is a decorated generator, which pyright takes for a plain one)

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .crc import Crc32
from .protocol import CRC_BYTES, ESCAPE, ESCAPE_FLIP, FLAG, HEADER_BYTES, MAX_PAYLOAD, ErrorCode, Kind
from .stream import flat_stream

__all__ = ["ACCEPTED", "VERDICT_BITS", "FrameReceiver"]

ACCEPTED = 0  # in the place of an ErrorCode
VERDICT_BITS = 13
"""A verdict says what is to be answered to a frame: Cat(sequence (8 bits), code (4 bits), info (1 bit)). An ERROR with
`code`; or where that is ACCEPTED, an INFO answer with `info` and an INFER answer without."""


class FrameReceiver(wiring.Component):
    """Takes requests apart (docs/link-protocol.md) and judges each with the frame's end.

    The payload goes out as beats while it arrives; `commit` or `rollback` follows with the verdict. Each byte takes 8
    cycles, bit by bit, so that the CRC and any width of a beat cost a shift register only: bytes must come at least 16
    cycles apart.

    Parameters
    ----------
    beat_bits : int
        Bits of a beat of `o`.
    frame_beats : int
        Beats of an image, whose bits are packed without gaps into at most 65535 bytes.
    timeout_cycles : int
        Silence after which a frame ends.

    Members
    -------
    byte, byte_valid, framing_error : In(8), In(1), In(1)
        As from UartReceiver.
    o : Out(stream of unsigned(beat_bits))
        Beats are lost where `o` is not ready, and the frame refused with OVERRUN.
    commit, rollback : Out(1)
        The beats since the last of these are an image, or never were; at least one cycle after the last beat.
    verdict : Out(stream of unsigned(VERDICT_BITS))
        One for each frame, in the cycle of `commit` or `rollback`. Where it is not ready, the frame is dropped.
    receiving : Out(1)
        Inside a frame.
    """

    o: stream.Interface
    verdict: stream.Interface
    byte: Signal
    byte_valid: Signal
    framing_error: Signal
    commit: Signal
    rollback: Signal
    receiving: Signal

    def __init__(self, *, beat_bits: int, frame_beats: int, timeout_cycles: int):
        self.beat_bits = beat_bits
        self.frame_beats = frame_beats
        self.input_bytes = -(-beat_bits * frame_beats // 8)
        self.timeout_cycles = timeout_cycles
        super().__init__(
            {
                "byte": In(8),
                "byte_valid": In(1),
                "framing_error": In(1),
                "o": Out(flat_stream(beat_bits)),
                "commit": Out(1),
                "rollback": Out(1),
                "verdict": Out(flat_stream(VERDICT_BITS)),
                "receiving": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.crc = crc = Crc32()

        # The frame so far
        inside = Signal()  # after a flag
        escaped = Signal()
        damaged = Signal()
        overrun = Signal()
        count = Signal(range(2 * MAX_PAYLOAD + 2))  # of bytes, saturating
        kind, sequence, length_low, length_high = header = [Signal(8) for _ in range(HEADER_BYTES)]
        length = Signal(16)
        m.d.comb += length.eq(Cat(length_low, length_high))
        begun = Signal()  # the frame is not empty
        m.d.comb += [begun.eq((count != 0) | escaped | damaged), self.receiving.eq(begun)]

        silence = Signal(range(self.timeout_cycles + 1), init=self.timeout_cycles)
        silent = Signal()
        m.d.sync += [silence.eq(silence - 1), silent.eq(silence == 1)]
        with m.If(self.byte_valid | self.framing_error | ~begun):
            m.d.sync += [silence.eq(self.timeout_cycles), silent.eq(0)]

        is_flag = Signal()
        end = Signal()
        m.d.comb += [
            is_flag.eq(self.byte_valid & (self.byte == FLAG)),
            end.eq(begun & (is_flag | silent)),
        ]

        bits_left = Signal(range(9))
        shifter = Signal(8)
        in_payload = Signal()
        with m.If(self.byte_valid & inside & ~is_flag):
            with m.If((self.byte == ESCAPE) & ~escaped):
                m.d.sync += escaped.eq(1)
            with m.Else():
                value = Signal(8)
                m.d.comb += value.eq(self.byte ^ Mux(escaped, ESCAPE_FLIP, 0))
                m.d.sync += [escaped.eq(0), shifter.eq(value), bits_left.eq(8), in_payload.eq(count >= HEADER_BYTES)]
                with m.If(~count.all()):
                    m.d.sync += count.eq(count + 1)
                with m.Switch(count):
                    for offset, field in enumerate(header):
                        with m.Case(offset):
                            m.d.sync += field.eq(value)
        with m.If(self.framing_error & inside):
            m.d.sync += damaged.eq(1)

        # Bit by bit
        word = Signal(self.beat_bits, reset_less=True)
        word_bits_left = Signal(range(self.beat_bits + 1), init=self.beat_bits)
        beats_left = Signal(range(self.frame_beats + 1), init=self.frame_beats)
        m.d.comb += [crc.bit.eq(shifter[0]), crc.enable.eq(bits_left != 0), self.o.payload.eq(word)]
        m.d.sync += self.o.valid.eq(0)
        with m.If(bits_left != 0):
            m.d.sync += [bits_left.eq(bits_left - 1), shifter.eq(shifter >> 1)]
            with m.If(in_payload & (beats_left != 0)):
                m.d.sync += [word.eq(Cat(word[1:], shifter[0])), word_bits_left.eq(word_bits_left - 1)]
                with m.If(word_bits_left == 1):
                    m.d.sync += [
                        word_bits_left.eq(self.beat_bits),
                        beats_left.eq(beats_left - 1),
                        self.o.valid.eq(1),
                    ]
        with m.If(self.o.valid & ~self.o.ready):
            m.d.sync += overrun.eq(1)

        # Judgement. What is judged rests for cycles before the frame ends, so each comparison has a register.
        last_sequence = Signal(9, init=0x1FF)  # above 255: none
        expected = Signal(range(2 * MAX_PAYLOAD + 2))
        short, long, crc_good, is_info, is_infer, length_fits, repeated = (Signal() for _ in range(7))
        m.d.sync += [
            expected.eq(length + (HEADER_BYTES + CRC_BYTES)),
            short.eq(count < expected),
            long.eq(count > expected),
            crc_good.eq(crc.good),
            is_info.eq(kind == Kind.INFO),
            is_infer.eq(kind == Kind.INFER),
            length_fits.eq(length == Mux(is_infer, self.input_bytes, 0)),
            repeated.eq(sequence == last_sequence),
        ]
        code = Signal(4, init=ACCEPTED)
        with m.If(damaged | escaped):
            m.d.comb += code.eq(ErrorCode.FRAMING)
        with m.Elif(short):
            m.d.comb += code.eq(ErrorCode.SHORT)
        with m.Elif(long):
            m.d.comb += code.eq(ErrorCode.LONG)
        with m.Elif(~crc_good):
            m.d.comb += code.eq(ErrorCode.CRC)
        with m.Elif(~is_info & ~is_infer):
            m.d.comb += code.eq(ErrorCode.KIND)
        with m.Elif(~length_fits):
            m.d.comb += code.eq(ErrorCode.LENGTH)
        with m.Elif(is_infer & repeated):
            m.d.comb += code.eq(ErrorCode.REPEATED)
        with m.Elif(is_infer & overrun):
            m.d.comb += code.eq(ErrorCode.OVERRUN)

        judged_sequence, judged_info, accept = Signal(8), Signal(), Signal()
        m.d.sync += self.verdict.valid.eq(end)
        with m.If(end):
            m.d.sync += [
                self.verdict.payload.eq(Cat(sequence, code, is_info)),
                judged_sequence.eq(sequence),
                judged_info.eq(is_info),
                accept.eq(code == ACCEPTED),
            ]
        m.d.comb += [
            self.commit.eq(self.verdict.valid & self.verdict.ready & accept & ~judged_info),
            self.rollback.eq(self.verdict.valid & ~self.commit),
        ]
        with m.If(self.verdict.valid & self.verdict.ready & accept):
            m.d.sync += last_sequence.eq(Mux(judged_info, 0x1FF, judged_sequence))

        with m.If(is_flag | end):
            m.d.sync += [
                inside.eq(is_flag),
                escaped.eq(0),
                damaged.eq(0),
                overrun.eq(0),
                count.eq(0),
                sequence.eq(0),
                word_bits_left.eq(self.beat_bits),
                beats_left.eq(self.frame_beats),
            ]
            m.d.comb += crc.clear.eq(1)
        return m
