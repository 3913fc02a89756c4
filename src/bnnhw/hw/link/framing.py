"""Frames between flags on a byte link (docs/link-protocol.md, after RFC 1662): Deframer and Framer.

Tests: tests/hw/test_top.py
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.protocol import ESCAPE, ESCAPE_FLIP, FLAG
from bnnhw.hw.stream.buffer import flat_stream

__all__ = ["Deframer", "Framer"]


class Deframer(wiring.Component):
    """Finds frames and undoes the escapes. Bytes outside of frames and empty frames vanish.

    Parameters
    ----------
    timeout_cycles : int
        Silence after which a frame ends, and what follows is ignored up to the next flag.

    Members
    -------
    byte, byte_valid, framing_error : In(8), In(1), In(1)
        As from Pacer; and whether a byte was damaged, for one cycle.
    data, data_valid : Out(8), Out(1)
        A byte of a frame, for one cycle.
    end : Out(1)
        The frame is over; high for one cycle.
    damaged : Out(1)
        With `end`: the frame was aborted or a byte had a framing error.
    inside : Out(1)
        A frame has begun.
    """

    byte: Signal
    byte_valid: Signal
    framing_error: Signal
    data: Signal
    data_valid: Signal
    end: Signal
    damaged: Signal
    inside: Signal

    def __init__(self, *, timeout_cycles: int):
        if timeout_cycles < 1:
            raise ValueError(f"timeout_cycles={timeout_cycles} must be at least 1")
        self.timeout_cycles = timeout_cycles
        super().__init__(
            {
                "byte": In(8),
                "byte_valid": In(1),
                "framing_error": In(1),
                "data": Out(8),
                "data_valid": Out(1),
                "end": Out(1),
                "damaged": Out(1),
                "inside": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        # The byte is classified in a cycle of its own.
        byte, flag, escape, valid = Signal(8), Signal(), Signal(), Signal()
        m.d.sync += [
            byte.eq(self.byte),
            flag.eq(self.byte == FLAG),
            escape.eq(self.byte == ESCAPE),
            valid.eq(self.byte_valid),
        ]

        silence = Signal(range(self.timeout_cycles + 1))
        silent = Signal()
        m.d.sync += [silence.eq(silence - 1), silent.eq((silence == 1) & self.inside)]
        with m.If(self.byte_valid | self.framing_error | ~self.inside):
            m.d.sync += silence.eq(self.timeout_cycles)

        listening = Signal()  # since a flag
        escaped, failed = Signal(), Signal()
        ends = Signal()
        m.d.comb += ends.eq(self.inside & ((valid & flag) | silent))
        m.d.sync += [
            self.data.eq(byte ^ Mux(escaped, ESCAPE_FLIP, 0)),
            self.data_valid.eq(0),
            self.end.eq(ends),
            self.damaged.eq(failed | escaped),
        ]
        with m.If(valid & listening & ~flag):
            m.d.sync += [
                self.inside.eq(1),
                escaped.eq(escape & ~escaped),
                self.data_valid.eq((~escape | escaped) & ~ends),
            ]
        with m.If(self.framing_error & listening):
            m.d.sync += [self.inside.eq(1), failed.eq(1)]
        with m.If(valid & flag):
            m.d.sync += listening.eq(1)
        with m.Elif(ends):
            m.d.sync += listening.eq(0)
        with m.If(ends):
            m.d.sync += [self.inside.eq(0), escaped.eq(0), failed.eq(0)]
        return m


class Framer(wiring.Component):
    """Puts frames between flags and escapes flags and escapes in them.

    Members
    -------
    i : In(stream of unsigned(9))
        Cat(byte, whether it is the last one of its frame).
    o : Out(stream of unsigned(8))
        To the port.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self):
        super().__init__({"i": In(flat_stream(9)), "o": Out(flat_stream(8))})

    def elaborate(self, platform) -> Module:
        m = Module()
        byte = Signal(8)
        last, special = Signal(), Signal()
        m.d.comb += Cat(byte, last).eq(self.i.payload)  # pyright: ignore[reportAttributeAccessIssue]
        m.d.sync += special.eq((byte == FLAG) | (byte == ESCAPE))

        def send(value, following: str) -> None:
            m.d.comb += [self.o.payload.eq(value), self.o.valid.eq(1)]
            with m.If(self.o.ready):
                m.next = following

        with m.FSM():
            with m.State("IDLE"), m.If(self.i.valid):
                m.next = "OPEN"
            with m.State("OPEN"):
                send(FLAG, "CLASSIFY")
            with m.State("CLASSIFY"), m.If(self.i.valid):
                m.next = "CHOOSE"
            with m.State("CHOOSE"):
                m.next = "PLAIN"
                with m.If(special):
                    m.next = "ESCAPE"
            with m.State("ESCAPE"):
                send(ESCAPE, "FLIPPED")
            with m.State("FLIPPED"):
                send(byte ^ ESCAPE_FLIP, "NEXT")
            with m.State("PLAIN"):
                send(byte, "NEXT")
            with m.State("NEXT"):
                m.d.comb += self.i.ready.eq(1)
                m.next = "CLASSIFY"
                with m.If(last):
                    m.next = "CLOSE"
            with m.State("CLOSE"):
                send(FLAG, "IDLE")
        return m
