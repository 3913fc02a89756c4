"""Link: the core's images and results as frames on a UART.

Tests: tests/hw/test_top.py
"""

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.link.phy.uart import UartReceiver, UartTransmitter
from bnnhw.hw.stream.buffer import StreamBuffer, flat_stream
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.stream.width import WidthConverter

from .dealer import Collector, Dealer, lane_depth
from .framing import Deframer, Framer
from .meter import CycleMeter
from .receiver import VERDICT_BITS, FrameReceiver
from .settings import MAX_WINDOW, LinkSettings
from .transmitter import FrameTransmitter

__all__ = ["Link"]

GROUPS_IN_CORE = 16


class Link(wiring.Component):
    """Serves docs/link-protocol.md: buffers requests, hands images to the core and answers with its results.

    While image n is computed, later ones are received and earlier answers are sent. An image reaches the core in one
    go, only after its frame has proved right: one beat a cycle as the core takes them. A core of several vectors takes
    as many images at once, as far as they are there. While nothing happens no register changes, so that a simulator may
    skip the time.

    Parameters
    ----------
    settings : LinkSettings

    Members
    -------
    rx : In(1)
    tx : Out(1)
    images : Out(stream of unsigned(image.beat_bits))
    results : In(stream of unsigned(result.beat_bits))
    busy : Out(1)
        A frame is on its way in or out, or an image in the core.
    """

    rx: Signal
    tx: Signal
    images: stream.Interface
    results: stream.Interface
    busy: Signal

    def __init__(self, *, settings: LinkSettings):
        self.settings = settings
        super().__init__(
            {
                "rx": In(1, init=1),
                "tx": Out(1, init=1),
                "images": Out(flat_stream(settings.image.beat_bits)),
                "results": In(flat_stream(settings.result.beat_bits)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.meter = meter = CycleMeter(groups=GROUPS_IN_CORE, vectors=self.settings.image.vectors)
        m.submodules.verdicts = verdicts = Fifo(width=VERDICT_BITS, depth=MAX_WINDOW, target=self.settings.target)
        self._receive(m, meter, verdicts)
        self._transmit(m, meter, verdicts)
        return m

    def _receive(self, m: Module, meter: CycleMeter, verdicts: Fifo) -> None:
        """The line to the core's images and the queue of verdicts."""
        image = self.settings.image
        m.submodules.uart_receiver = uart = UartReceiver(rate=self.settings.rate)
        m.submodules.deframer = deframer = Deframer(timeout_cycles=self.settings.timeout_cycles)
        m.submodules.receiver = receiver = FrameReceiver(beat_bits=image.vector_bits, frame_beats=image.beats)
        depth = self.settings.image_buffer_depth
        m.submodules.buffer = buffer = Fifo(width=image.vector_bits, depth=depth, target=self.settings.target)
        wiring.connect(m, receiver.o, buffer.i)
        wiring.connect(m, receiver.verdict, verdicts.i)
        m.d.comb += [
            uart.rx.eq(self.rx),
            deframer.byte.eq(uart.data),
            deframer.byte_valid.eq(uart.valid),
            deframer.framing_error.eq(uart.framing_error),
            receiver.data.eq(deframer.data),
            receiver.data_valid.eq(deframer.data_valid),
            receiver.end.eq(deframer.end),
            receiver.damaged.eq(deframer.damaged),
            buffer.commit.eq(receiver.commit),
            buffer.rollback.eq(receiver.rollback),
        ]

        groups, count = buffer.o, Const(1)
        if image.vectors > 1:
            m.submodules.dealer = dealer = Dealer(
                bits=image.vector_bits, beats=image.beats, vectors=image.vectors, target=self.settings.target
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
        m.d.sync += self.busy.eq(deframer.inside | buffer.o.valid | verdicts.o.valid)

    def _transmit(self, m: Module, meter: CycleMeter, verdicts: Fifo) -> None:
        """The core's results and the verdicts to the line."""
        result = self.settings.result
        if result.vectors == 1:
            depth = lane_depth(self.settings.target.fabric, result.beats)
            results = Fifo(width=result.vector_bits, depth=depth, target=self.settings.target)
        else:
            results = Collector(
                bits=result.vector_bits, beats=result.beats, vectors=result.vectors, target=self.settings.target
            )
            m.submodules.counts = counts = Fifo(
                width=len(meter.images), depth=2 * GROUPS_IN_CORE, target=self.settings.target
            )
            m.d.sync += [counts.i.valid.eq(meter.begin), counts.i.payload.eq(meter.images)]
            wiring.connect(m, counts.o, results.images)
        m.submodules.results = results
        m.submodules.elements = elements = WidthConverter(width=result.width, in_lanes=result.lanes, out_lanes=1)
        m.submodules.bytes = element_bytes = WidthConverter(width=8, in_lanes=result.element_bytes, out_lanes=1)
        m.submodules.output = output = StreamBuffer(width=8)  # cuts the chain of readies
        m.submodules.transmitter = transmitter = FrameTransmitter(info=self.settings.info)
        m.submodules.framer = framer = Framer()
        m.submodules.uart_transmitter = uart = UartTransmitter(rate=self.settings.rate)

        beat = Signal(range(result.beats))
        taken = Signal()
        m.d.comb += [
            results.i.valid.eq(self.results.valid),
            results.i.payload.eq(self.results.payload),
            self.results.ready.eq(results.i.ready),
            taken.eq(self.results.valid & self.results.ready),
        ]
        with m.If(taken):
            m.d.sync += beat.eq(beat + 1)
            with m.If(beat == result.beats - 1):
                m.d.comb += meter.end.eq(1)
                m.d.sync += beat.eq(0)

        element = elements.o.payload.as_signed() if self.settings.result_signed else elements.o.payload
        wiring.connect(m, verdicts.o, transmitter.verdict)
        wiring.connect(m, results.o, elements.i)
        wiring.connect(m, meter.o, transmitter.cycles)
        wiring.connect(m, element_bytes.o, output.i)
        wiring.connect(m, output.o, transmitter.output)
        wiring.connect(m, transmitter.o, framer.i)
        wiring.connect(m, framer.o, uart.i)
        m.d.comb += [
            element_bytes.i.valid.eq(elements.o.valid),
            element_bytes.i.payload.eq(element),
            elements.o.ready.eq(element_bytes.i.ready),
            self.tx.eq(uart.tx),
        ]
