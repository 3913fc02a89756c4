"""FrameTransmitter: verdicts and results to the bytes of answers."""

# pyright: reportGeneralTypeIssues=false
# (amaranth's `with m.If` is a decorated generator, which pyright takes for a plain one)

from enum import IntEnum

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .crc import Crc32
from .protocol import CRC_BYTES, ESCAPE, ESCAPE_FLIP, FLAG, HEADER_BYTES, MAX_PAYLOAD, Info, Kind
from .receiver import ACCEPTED, VERDICT_BITS
from .stream import flat_stream

__all__ = ["FrameTransmitter"]

CYCLES_BYTES = 4


class _Section(IntEnum):
    HEADER = 0
    PAYLOAD = 1
    CRC = 2


class FrameTransmitter(wiring.Component):
    """Answers each verdict with one frame (docs/link-protocol.md), in order.

    An INFER answer waits for its cycle count, and takes it and `output_bytes` bytes of output.

    Parameters
    ----------
    info : Info
        The payload of an INFO answer.

    Members
    -------
    verdict : In(stream of unsigned(VERDICT_BITS))
    cycles : In(stream of unsigned(32))
    output : In(stream of unsigned(8))
    o : Out(stream of unsigned(8))
        To UartTransmitter.
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
                "o": Out(flat_stream(8)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.crc = crc = Crc32()
        info_payload = self.info.to_bytes()
        sequence, code, info = Signal(8), Signal(4), Signal()
        m.d.comb += Cat(sequence, code, info).eq(self.verdict.payload)  # pyright: ignore[reportAttributeAccessIssue]

        # The answer's kind decides its length.
        is_infer, is_info = Signal(), Signal()
        kind = Signal(8)
        length = Signal(16)
        m.d.comb += [
            is_info.eq((code == ACCEPTED) & info),
            is_infer.eq((code == ACCEPTED) & ~info),
            kind.eq(Mux(is_infer, Kind.INFER_ANSWER, Mux(is_info, Kind.INFO_ANSWER, Kind.ERROR))),
            length.eq(Mux(is_infer, CYCLES_BYTES + self.info.output_bytes, Mux(is_info, len(info_payload), 1))),
        ]

        # The next byte, and whether it is there
        section = Signal(_Section)
        index = Signal(16)
        value = Signal(8)
        present = Signal(init=1)
        from_output = Signal()
        with m.Switch(section):
            with m.Case(_Section.HEADER):
                m.d.comb += value.eq(Array([kind, sequence, length[:8], length[8:]])[index[:2]])
            with m.Case(_Section.PAYLOAD):
                with m.If(is_infer):
                    m.d.comb += [
                        value.eq(self.cycles.payload.word_select(index[:2], 8)),
                        from_output.eq(index >= CYCLES_BYTES),
                    ]
                    with m.If(from_output):
                        m.d.comb += [value.eq(self.output.payload), present.eq(self.output.valid)]
                with m.Elif(is_info):
                    m.d.comb += value.eq(Array(Const(byte, 8) for byte in info_payload)[index[:5]])
                with m.Else():
                    m.d.comb += value.eq(code)
            with m.Case(_Section.CRC):
                m.d.comb += value.eq(~crc.crc)

        shifter = Signal(8)
        byte = Signal(8)
        bits_left = Signal(range(9))
        last = Signal()
        m.d.comb += [
            # The CRC register, fed with its own lowest bit, is a plain shift register.
            crc.bit.eq(Mux(section == _Section.CRC, crc.crc[0], shifter[0])),
            crc.enable.eq(bits_left != 0),
        ]
        with m.If(bits_left != 0):
            m.d.sync += [bits_left.eq(bits_left - 1), shifter.eq(shifter >> 1)]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += crc.clear.eq(1)
                m.d.sync += [section.eq(_Section.HEADER), index.eq(0)]
                with m.If(self.verdict.valid & (self.cycles.valid | ~is_infer)):
                    m.next = "OPEN"
            with m.State("OPEN"):
                m.d.comb += [self.o.payload.eq(FLAG), self.o.valid.eq(1)]
                with m.If(self.o.ready):
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += self.output.ready.eq(from_output)
                m.d.sync += [shifter.eq(value), byte.eq(value), last.eq(0)]
                with m.Switch(section):
                    with m.Case(_Section.HEADER):
                        m.d.sync += last.eq(index == HEADER_BYTES - 1)
                    with m.Case(_Section.PAYLOAD):
                        m.d.sync += last.eq(index + 1 == length)
                    with m.Case(_Section.CRC):
                        m.d.sync += last.eq(index == CRC_BYTES - 1)
                with m.If(present):
                    m.d.sync += bits_left.eq(8)
                    m.next = "EXAMINE"
            with m.State("EXAMINE"):
                m.d.sync += index.eq(Mux(last, 0, index + 1))
                m.next = "SEND"
                with m.If((byte == FLAG) | (byte == ESCAPE)):
                    m.d.sync += byte.eq(byte ^ ESCAPE_FLIP)
                    m.next = "ESCAPE"
            with m.State("ESCAPE"):
                m.d.comb += [self.o.payload.eq(ESCAPE), self.o.valid.eq(1)]
                with m.If(self.o.ready):
                    m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += [self.o.payload.eq(byte), self.o.valid.eq(bits_left == 0)]
                with m.If(self.o.ready & self.o.valid):
                    m.next = "FETCH"
                    with m.If(last):
                        m.d.sync += section.eq(section + 1)
                        with m.If(section == _Section.CRC):
                            m.next = "CLOSE"
            with m.State("CLOSE"):
                m.d.comb += [self.o.payload.eq(FLAG), self.o.valid.eq(1)]
                with m.If(self.o.ready):
                    m.d.comb += [self.verdict.ready.eq(1), self.cycles.ready.eq(is_infer)]
                    m.next = "IDLE"
        return m
