"""Link: the core's images and results as frames in a stream of bytes.

Tests: tests/hw/test_top.py
"""

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.stream.buffer import StreamBuffer, flat_stream
from bnnhw.hw.stream.fifo import Fifo

from .acknowledger import Acknowledger
from .crc_appender import CrcAppender
from .dealer import Collector, Dealer
from .framing import Deframer, Framer
from .meter import CycleMeter
from .pacer import Pacer
from .packer import BytePacker
from .receiver import VERDICT_BITS, FrameReceiver, end_pause
from .settings import CRC_STEP, VERDICT_QUEUE_DEPTH, LinkSettings
from .transmitter import FrameTransmitter

__all__ = ["Link"]

GROUPS_IN_CORE = 16


class Link(wiring.Component):
    """Serves docs/link-protocol.md: buffers requests, hands images to the core and answers with its results.

    While image n is computed, later ones are received and earlier answers are sent. An image of one chunk reaches the
    core in one go, only after its frame has proved right: one beat a cycle as the core takes them; of a larger one, so
    does each chunk. A core of several vectors takes as many images at once, as far as they are there. While nothing
    happens no register changes, so that a simulator may skip the time.

    Parameters
    ----------
    settings : LinkSettings

    Members
    -------
    received : In(stream of unsigned(8))
    damaged : In(1)
        A byte came damaged, for one cycle.
    sent : Out(stream of unsigned(8))
    images : Out(stream of unsigned(image.beat_bits))
    results : In(stream of unsigned(result.beat_bits))
    busy : Out(1)
        A frame is on its way in or out, or an image in the core.
    """

    received: stream.Interface
    damaged: Signal
    sent: stream.Interface
    images: stream.Interface
    results: stream.Interface
    busy: Signal

    def __init__(self, *, settings: LinkSettings):
        self.settings = settings
        super().__init__(
            {
                "received": In(flat_stream(8)),
                "damaged": In(1),
                "sent": Out(flat_stream(8)),
                "images": Out(flat_stream(settings.image.beat_bits)),
                "results": In(flat_stream(settings.result.beat_bits)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        target = self.settings.target
        m.submodules.meter = meter = CycleMeter(groups=GROUPS_IN_CORE, vectors=self.settings.image.vectors)
        m.submodules.verdicts = verdicts = Fifo(width=VERDICT_BITS, depth=VERDICT_QUEUE_DEPTH, target=target)
        m.submodules.transmitter = transmitter = FrameTransmitter(
            info=self.settings.info, chunks=self.settings.result_chunks
        )
        wiring.connect(m, verdicts.o, transmitter.verdict)
        self._receive(m, meter, verdicts, transmitter)
        self._transmit(m, meter, transmitter)
        return m

    def _receive(self, m: Module, meter: CycleMeter, verdicts: Fifo, transmitter: FrameTransmitter) -> None:
        """The line to the core's images and the queue of verdicts."""
        image, chunks, target = self.settings.image, self.settings.image_chunks, self.settings.target
        step = self.settings.step
        m.submodules.pacer = pacer = Pacer(pace=8 // step, pause=end_pause(step))
        m.submodules.deframer = deframer = Deframer(timeout_cycles=self.settings.timeout_cycles)
        m.submodules.receiver = receiver = FrameReceiver(beat_bits=image.vector_bits, chunks=chunks, step=step)
        depth = self.settings.image_buffer_depth
        m.submodules.buffer = buffer = Fifo(width=image.vector_bits, depth=depth, target=target)
        wiring.connect(m, wiring.flipped(self.received), pacer.i)
        wiring.connect(m, receiver.o, buffer.i)
        wiring.connect(m, receiver.verdict, verdicts.i)
        m.d.comb += [
            deframer.byte.eq(pacer.byte),
            deframer.byte_valid.eq(pacer.valid),
            deframer.framing_error.eq(self.damaged),
            receiver.data.eq(deframer.data),
            receiver.data_valid.eq(deframer.data_valid),
            receiver.end.eq(deframer.end),
            receiver.damaged.eq(deframer.damaged),
            buffer.commit.eq(receiver.commit),
            buffer.rollback.eq(receiver.rollback),
        ]
        if self.settings.queue_bytes:  # what finds no room waits there
            m.d.sync += pacer.hold.eq(buffer.level > depth - 2 - chunks.beats)
        if chunks.count > 1:
            m.submodules.acknowledger = acknowledger = Acknowledger(chunks=chunks, target=target)
            wiring.connect(m, acknowledger.o, transmitter.taken)
            m.d.comb += [
                acknowledger.opened.eq(receiver.opened),
                acknowledger.sequence.eq(receiver.verdict.payload[:8]),
                acknowledger.left.eq(buffer.o.valid & buffer.o.ready),
            ]

        groups, count = buffer.o, Const(1)
        if image.vectors > 1:
            m.submodules.dealer = dealer = Dealer(
                bits=image.vector_bits, beats=image.beats, vectors=image.vectors, target=target
            )
            wiring.connect(m, buffer.o, dealer.i)
            groups, count = dealer.o, dealer.images

        # Each group is admitted anew, which costs a cycle between groups and keeps the meter out of the stream's path.
        beat = Signal(range(image.beats))
        admitted, first = Signal(), Signal(init=1)
        m.d.comb += [
            self.images.valid.eq(groups.valid & admitted),
            self.images.payload.eq(groups.payload),
            groups.ready.eq(self.images.ready & admitted),
            meter.begin.eq(self.images.valid & self.images.ready & first),
            meter.images.eq(count),
        ]
        with m.If(~admitted):
            m.d.sync += admitted.eq(meter.ready)
        with m.If(self.images.valid & self.images.ready):
            m.d.sync += [beat.eq(beat + 1), first.eq(0)]
            with m.If(beat == image.beats - 1):
                m.d.sync += [beat.eq(0), first.eq(1), admitted.eq(0)]
        m.d.sync += self.busy.eq(deframer.inside | receiver.busy | buffer.o.valid | verdicts.o.valid)

    def _transmit(self, m: Module, meter: CycleMeter, transmitter: FrameTransmitter) -> None:
        """The core's results and the verdicts to the line."""
        result, chunks, target = self.settings.result, self.settings.result_chunks, self.settings.target
        if result.vectors == 1:
            results = Fifo(width=result.vector_bits, depth=self.settings.result_queue_depth, target=target)
        else:
            results = Collector(bits=result.vector_bits, beats=result.beats, vectors=result.vectors, target=target)
            m.submodules.counts = counts = Fifo(width=len(meter.images), depth=2 * GROUPS_IN_CORE, target=target)
            m.d.sync += [counts.i.valid.eq(meter.begin), counts.i.payload.eq(meter.images)]
            wiring.connect(m, counts.o, results.images)
        m.submodules.results = results
        m.submodules.packer = packer = BytePacker(frame=result, step=self.settings.answer_step)
        hurries = self.settings.hurries
        m.submodules.crc_appender = crc_appender = CrcAppender(step=CRC_STEP if hurries else 1)
        m.submodules.framer = framer = Framer()

        beat = Signal(range(result.beats))
        taken, chunk_ends = Signal(), Signal()
        last = beat == result.beats - 1
        m.d.comb += [
            results.i.valid.eq(self.results.valid),
            results.i.payload.eq(self.results.payload),
            self.results.ready.eq(results.i.ready),
            taken.eq(self.results.valid & self.results.ready),
            chunk_ends.eq(taken & (last | ((beat & chunks.beats - 1) == chunks.beats - 1))),
        ]
        with m.If(taken):
            m.d.sync += beat.eq(beat + 1)
            with m.If(last):
                m.d.comb += meter.end.eq(1)
                m.d.sync += beat.eq(0)

        # A chunk that stands still on the line would hold up what was taken, and so the host, and so itself.
        if chunks.count == 1 or result.vectors > 1:
            m.d.comb += transmitter.there.eq(meter.o.valid)
        else:
            waiting = Signal(range(self.settings.result_queue_depth // min(chunks.beats, chunks.last_beats) + 3))
            m.d.sync += waiting.eq(waiting + chunk_ends - transmitter.sent)
            m.d.comb += transmitter.there.eq(waiting != 0)

        wiring.connect(m, results.o, packer.i)
        wiring.connect(m, meter.o, transmitter.cycles)
        wiring.connect(m, packer.o, transmitter.output)
        for name, source, sink in (("told", transmitter.o, crc_appender.i), ("appended", crc_appender.o, framer.i)):
            if hurries:  # else the units wait for one another
                m.submodules[name] = buffer = StreamBuffer(width=9)
                wiring.connect(m, source, buffer.i)
                wiring.connect(m, buffer.o, sink)
            else:
                wiring.connect(m, source, sink)
        wiring.connect(m, framer.o, wiring.flipped(self.sent))
