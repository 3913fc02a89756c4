"""The engine's end of the conversation: packets in, writes and runs, packets out.

Tests: tests/hw/engine/test_engine.py
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import BLOCK_RAM_LATENCY

from .engine_shape import WORD, EngineShape
from .pixel_words import word_latency
from .program.packets import DATA_WORDS, HEADER_WORDS, PACKET_WORDS, Memory, Request, Status

__all__ = ["CommandPort"]


def result_latency(shape: EngineShape) -> int:
    """Cycles from the address of what the host reads to its word."""
    sums = BLOCK_RAM_LATENCY + 1
    return max(sums, word_latency(shape.array)) if shape.values else sums


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
    run : Out(1)
        A program begins.
    done : In(1)
        It has ended; of a run from the cycle after `run` on.
    stop : Out(1)
        It is to end at once: until the engine is idle.
    idle : In(1)
    external_start : Out(1), external_reads : Out(1), external_bursts : Out(8), place : Out(WORD)
        Of an engine with external memory: a run of so many bursts to `place` begins, or from there.
    base : Out(WORD)
        The first burst of the external memory that the program has.
    external : Out(stream of WORD bits), from_external : In(stream of WORD bits)
        The words of such runs.
    result_address : Out, reads_values : Out(1)
    result : In(WORD)
        A sum of the results, or a word of values, `result_latency(shape)` cycles later.
    """

    i: stream.Interface
    o: stream.Interface
    write: Signal
    address: Signal
    data: Signal
    run: Signal
    done: Signal
    stop: Signal
    idle: Signal
    result_address: Signal
    reads_values: Signal
    result: Signal
    external: stream.Interface
    from_external: stream.Interface
    external_start: Signal
    external_reads: Signal
    external_bursts: Signal
    base: Signal
    place: Signal

    def __init__(self, shape: EngineShape):
        self.shape = shape
        external = (
            {}
            if shape.external is None
            else {
                "external": Out(flat_stream(WORD)),
                "from_external": In(flat_stream(WORD)),
                "external_start": Out(1),
                "external_reads": Out(1),
                "external_bursts": Out(8),
                "base": Out(WORD),
                "place": Out(WORD),
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
                "done": In(1),
                "stop": Out(1),
                "idle": In(1),
                "result_address": Out(shape.result_address_bits),
                "reads_values": Out(1),
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
        latency = result_latency(self.shape)
        pause = Signal(range(latency + 1))
        tag, last_tag, limit = Signal(WORD), Signal(WORD), Signal(WORD)
        is_known, goes_out, was_stopped = Signal(), Signal(), Signal()
        is_write, is_run = kind == Request.WRITE, kind == Request.RUN
        is_read, is_written = kind == Request.READ, memory < Memory.TRANSFERS
        is_readable = memory == 0
        if self.shape.values:
            is_written |= (memory == Memory.FACTORS) | (memory == Memory.VALUES)
            is_readable |= memory == Memory.VALUES
            m.d.comb += self.reads_values.eq(memory == Memory.VALUES)
        is_read &= is_readable
        m.d.sync += [self.write.eq(0), self.run.eq(0), self.address.eq(place), self.data.eq(self.i.payload)]
        if self.shape.external is not None:
            m.d.comb += self.place.eq(place)
            m.d.sync += self.external_start.eq(0)
        with m.FSM():
            with m.State("TAKE"):
                m.d.comb += self.i.ready.eq(1)
                if self.shape.external is not None:
                    begins = (beat >= HEADER_WORDS) & goes_out & (count != 0)
                    m.d.comb += [
                        self.external.valid.eq(self.i.valid & begins),
                        self.external.payload.eq(self.i.payload),
                        self.i.ready.eq(~begins | self.external.ready),
                    ]
                with m.If(self.i.valid & self.i.ready):
                    m.d.sync += beat.eq(beat + 1)
                    with m.If(beat == 0):
                        header = self.i.payload
                        m.d.sync += [kind.eq(header[:4]), memory.eq(header[4:8]), count.eq(header[8:16])]
                    with m.Elif(beat == 1):
                        m.d.sync += [
                            place.eq(self.i.payload),
                            is_known.eq(Mux(is_write, is_written, is_run | is_read)),
                        ]
                        if self.shape.external is not None:
                            self._begin_external(m, kind, memory, count, is_known, goes_out)
                    with m.Elif(is_run & (beat == HEADER_WORDS)):
                        m.d.sync += tag.eq(self.i.payload)
                    with m.Elif(is_run & (beat == HEADER_WORDS + 1)):
                        m.d.sync += limit.eq(self.i.payload)
                    with m.Elif(is_run & (beat == HEADER_WORDS + 2)):
                        if self.shape.external is not None:
                            m.d.sync += self.base.eq(self.i.payload)
                    with m.Elif(is_write & (count != 0)):
                        m.d.sync += [
                            self.write.eq((1 << memory)[: len(Memory)]),
                            place.eq(place + 1),
                            count.eq(count - 1),
                        ]
                    with m.If(beat == PACKET_WORDS - 1):
                        m.next = "ACT"
            with m.State("ACT"):
                known = Mux(is_run & was_stopped, Status.STOPPED, Status.DONE)
                m.d.sync += [beat.eq(0), status.eq(Mux(is_known, known, Status.UNKNOWN))]
                m.d.sync += self.result_address.eq(Mux(is_read, place, 0))
                m.next = "ANSWER"
                with m.If(is_run & (tag != last_tag)):
                    m.d.sync += [self.run.eq(1), cycles.eq(0), last_tag.eq(tag), was_stopped.eq(0)]
                    m.d.sync += status.eq(Status.DONE)
                    m.next = "RUN"
            with m.State("RUN"):
                m.d.sync += cycles.eq(cycles + 1)
                with m.If(self.done & ~self.run):
                    m.next = "ANSWER"
                with m.Elif(cycles == limit):
                    m.d.sync += [status.eq(Status.STOPPED), was_stopped.eq(1)]
                    m.next = "STOP"
            with m.State("STOP"):
                m.d.comb += self.stop.eq(1)
                with m.If(self.idle):
                    m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += [
                    self.o.valid.eq(pause == 0),
                    self.o.payload.eq(Mux(beat == 0, status, Mux(beat == 1, cycles, self.result))),
                ]
                if self.shape.external is not None:
                    self._answer_external(m, beat, pause)
                with m.If(pause != 0):
                    m.d.sync += pause.eq(pause - 1)
                with m.Elif(self.o.valid & self.o.ready):
                    m.d.sync += [beat.eq(beat + 1), pause.eq(Mux(is_write, 0, latency))]
                    with m.If(beat >= HEADER_WORDS):
                        m.d.sync += self.result_address.eq(self.result_address + 1)
                    with m.If(beat == PACKET_WORDS - 1):
                        m.d.sync += [beat.eq(0), pause.eq(0)]
                        m.next = "TAKE"
        return m

    def _begin_external(
        self, m: Module, kind: Signal, memory: Signal, count: Signal, is_known: Signal, goes_out: Signal
    ) -> None:
        """A run of whole bursts into the external memory or out of it; others are not known."""
        burst = self.shape.burst_words
        is_write, is_read = kind == Request.WRITE, kind == Request.READ
        is_external = (memory == Memory.EXTERNAL) & (is_write | is_read)
        is_whole = (self.i.payload % burst == 0) & (is_read | (count % burst == 0) & (count <= DATA_WORDS))
        m.d.sync += [
            goes_out.eq(is_external & is_whole & is_write),
            self.external_reads.eq(is_external & is_whole & is_read),
            self.external_start.eq(is_external & is_whole),
            self.external_bursts.eq(Mux(is_read, DATA_WORDS, count) // burst),
        ]
        with m.If(is_external):
            m.d.sync += is_known.eq(is_whole)
        with m.Elif(is_write & (memory == Memory.TRANSFERS)):
            m.d.sync += is_known.eq(1)

    def _answer_external(self, m: Module, beat: Signal, pause: Signal) -> None:
        """The words of a run out of the external memory, as they come."""
        words = self.from_external
        with m.If(self.external_reads & (beat >= HEADER_WORDS)):
            m.d.comb += [
                self.o.valid.eq((pause == 0) & words.valid),
                self.o.payload.eq(words.payload),
                words.ready.eq((pause == 0) & self.o.ready),
            ]
