"""The engine's end of the conversation: packets in, writes and runs, packets out.

Tests: tests/hw/engine/test_engine.py
"""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import BLOCK_RAM_LATENCY

from .engine_shape import WORD, EngineShape
from .packets import HEADER_WORDS, PACKET_WORDS, Memory, Request, Status

__all__ = ["CommandPort"]

_RESULT_LATENCY = BLOCK_RAM_LATENCY + 1


class CommandPort(wiring.Component):
    """Takes a packet, does what it says, answers, and takes the next one.

    A RUN with the tag of the one before it runs nothing: it is that request sent again, whose answer got lost.

    Members
    -------
    i, o : streams of WORD bits
        Packets of PACKET_WORDS beats.
    write : Out(number of memories)
        One-hot: a word is written.
    address, data : Out(WORD)
        Where, counted in words of the bus, and what.
    run : Out(1), first : Out(WORD)
        A program begins, at this instruction.
    done : In(1)
        It has ended.
    external : Out(stream of WORD bits), external_start : Out(1), external_bursts : Out(8)
        Of an engine with external memory: a run of so many bursts to `address` begins, and its words.
    result_address : Out
    result : In(WORD)
        A sum of the results, BLOCK_RAM_LATENCY + 1 cycles later.
    """

    i: stream.Interface
    o: stream.Interface
    write: Signal
    address: Signal
    data: Signal
    run: Signal
    first: Signal
    done: Signal
    result_address: Signal
    result: Signal
    external: stream.Interface
    external_start: Signal
    external_bursts: Signal

    def __init__(self, shape: EngineShape):
        self.shape = shape
        bits = (shape.results * shape.array.group_rows - 1).bit_length()
        external = (
            {}
            if shape.external is None
            else {
                "external": Out(flat_stream(WORD)),
                "external_start": Out(1),
                "external_bursts": Out(8),
            }
        )
        super().__init__(
            {
                "i": In(flat_stream(WORD)),
                "o": Out(flat_stream(WORD)),
                "write": Out(len(Memory)),
                "address": Out(WORD),
                "data": Out(WORD),
                "run": Out(1),
                "first": Out(WORD),
                "done": In(1),
                "result_address": Out(bits),
                "result": In(WORD),
            }
            | external
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        beat = Signal(range(PACKET_WORDS + 1))
        kind, memory, count = Signal(4), Signal(4), Signal(8)
        place = Signal(WORD)
        status = Signal(WORD)
        cycles = Signal(WORD)
        pause = Signal(range(_RESULT_LATENCY + 1))
        tag, last_tag = Signal(WORD), Signal(WORD)
        m.d.sync += [self.write.eq(0), self.run.eq(0), self.address.eq(place), self.data.eq(self.i.payload)]
        m.d.comb += self.first.eq(place)
        if self.shape.external is not None:
            m.d.sync += self.external_start.eq(0)
        with m.FSM():
            with m.State("TAKE"):
                goes_out = Const(0)
                m.d.comb += self.i.ready.eq(1)
                if self.shape.external is not None:
                    goes_out = (beat >= HEADER_WORDS) & (kind == Request.WRITE) & (memory == Memory.EXTERNAL)
                    goes_out = goes_out & (count != 0)
                    m.d.comb += [
                        self.external.valid.eq(self.i.valid & goes_out),
                        self.external.payload.eq(self.i.payload),
                        self.i.ready.eq(~goes_out | self.external.ready),
                    ]
                with m.If(self.i.valid & self.i.ready):
                    m.d.sync += beat.eq(beat + 1)
                    with m.If(beat == 0):
                        header = self.i.payload
                        m.d.sync += [kind.eq(header[:4]), memory.eq(header[4:8]), count.eq(header[8:16])]
                    with m.Elif(beat == 1):
                        m.d.sync += place.eq(self.i.payload)
                        if self.shape.external is not None:
                            m.d.sync += [
                                self.external_start.eq((kind == Request.WRITE) & (memory == Memory.EXTERNAL)),
                                self.external_bursts.eq(count // self.shape.burst_words),
                            ]
                    with m.Elif((kind == Request.RUN) & (beat == HEADER_WORDS)):
                        m.d.sync += tag.eq(self.i.payload)
                    with m.Elif((kind == Request.WRITE) & (count != 0)):
                        m.d.sync += [
                            self.write.eq((1 << memory)[: len(Memory)]),
                            place.eq(place + 1),
                            count.eq(count - 1),
                        ]
                    with m.If(beat == PACKET_WORDS - 1):
                        m.next = "ACT"
            with m.State("ACT"):
                known_memories = Memory.EXTERNAL + (self.shape.external is not None)
                known = Mux(
                    kind == Request.WRITE, memory < known_memories, (kind == Request.RUN) | (kind == Request.READ)
                )
                m.d.sync += [beat.eq(0), status.eq(Mux(known, Status.DONE, Status.UNKNOWN))]
                m.d.sync += self.result_address.eq(Mux(kind == Request.READ, place, 0))
                m.next = "ANSWER"
                with m.If((kind == Request.RUN) & (tag != last_tag)):
                    m.d.sync += [self.run.eq(1), cycles.eq(0), last_tag.eq(tag)]
                    m.next = "RUN"
            with m.State("RUN"):
                m.d.sync += cycles.eq(cycles + 1)
                with m.If(self.done):
                    m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += [
                    self.o.valid.eq(pause == 0),
                    self.o.payload.eq(Mux(beat == 0, status, Mux(beat == 1, cycles, self.result))),
                ]
                with m.If(pause != 0):
                    m.d.sync += pause.eq(pause - 1)
                with m.Elif(self.o.ready):
                    m.d.sync += [beat.eq(beat + 1), pause.eq(Mux(kind == Request.WRITE, 0, _RESULT_LATENCY))]
                    with m.If(beat >= HEADER_WORDS):
                        m.d.sync += self.result_address.eq(self.result_address + 1)
                    with m.If(beat == PACKET_WORDS - 1):
                        m.d.sync += [beat.eq(0), pause.eq(0)]
                        m.next = "TAKE"
        return m
