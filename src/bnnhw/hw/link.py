"""Link: the core's images and results as frames on a UART."""

# pyright: reportGeneralTypeIssues=false
# (amaranth's `with m.If` is a decorated generator, which pyright takes for a plain one)

from dataclasses import dataclass

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .block_ram import BLOCK_RAM_SHAPES
from .fifo import LUT_FIFO_DEPTH, Fifo, fifo_block_rams
from .meter import CycleMeter
from .protocol import Info
from .receiver import VERDICT_BITS, FrameReceiver
from .stream import flat_stream
from .transmitter import FrameTransmitter
from .uart import BaudRate, UartReceiver, UartTransmitter
from .width import WidthConverter

__all__ = ["FrameShape", "Link", "image_buffer_depth", "link_window"]

IMAGES_IN_CORE = 16
MAX_WINDOW = 32


@dataclass(frozen=True)
class FrameShape:
    """One frame on a stream: `elements` elements of `width` bits in beats of `lanes`, for each of `vectors` vectors."""

    elements: int
    lanes: int
    width: int
    vectors: int = 1

    def __post_init__(self):
        for name in ("elements", "lanes", "width", "vectors"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if self.elements % self.lanes:
            raise ValueError(f"lanes={self.lanes} must divide elements={self.elements}, those of a frame")

    @property
    def beats(self) -> int:
        """Beats of a frame."""
        return self.elements // self.lanes

    @property
    def vector_bits(self) -> int:
        """Bits of one vector in a beat."""
        return self.lanes * self.width

    @property
    def beat_bits(self) -> int:
        """Bits of a beat."""
        return self.vectors * self.vector_bits

    @property
    def packed_bytes(self) -> int:
        """Bytes of a frame whose elements are packed without gaps."""
        return -(-self.elements * self.width // 8)

    @property
    def element_bytes(self) -> int:
        """Bytes of an element by itself: 1, 2 or 4.

        Raises
        ------
        ValueError
            When the element is wider.
        """
        for count in (1, 2, 4):
            if self.width <= 8 * count:
                return count
        raise ValueError(f"width={self.width} must be at most 32")


def image_buffer_depth(shape: FrameShape) -> int:
    """Beats that the buffer of received images holds: two images at least, and what fits into as many block RAMs."""
    depths = [depth for depth in BLOCK_RAM_SHAPES if depth > LUT_FIFO_DEPTH and depth >= 2 * shape.beats]
    if not depths:
        raise ValueError(
            f"a frame of {shape.beats} beats is too long for the link, which holds two of them in at most "
            f"{max(BLOCK_RAM_SHAPES)} beats; use more lanes"
        )
    rams = fifo_block_rams(width=shape.vector_bits, depth=depths[0])
    return max(depth for depth in depths if fifo_block_rams(width=shape.vector_bits, depth=depth) == rams)


def link_window(shape: FrameShape) -> int:
    """Requests that may be unanswered at any time."""
    return min(MAX_WINDOW, image_buffer_depth(shape) // shape.beats)


class Link(wiring.Component):
    """Serves docs/link-protocol.md: buffers requests, hands images to the core and answers with its results.

    While image n is computed, later ones are received and earlier answers are sent. An image reaches the core in one
    go, only after its frame has proved right: one beat a cycle as the core takes them, the same for all vectors.

    Parameters
    ----------
    image, result : FrameShape
        Of the core's input and output.
    result_signed : bool
        Whether the result's elements are two's complement.
    rate : BaudRate
    network_id : bytes
        8 bytes.
    timeout_cycles : int
        Silence inside a frame that ends it.
    technology : str
        "ecp5" or "portable".

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

    def __init__(
        self,
        *,
        image: FrameShape,
        result: FrameShape,
        result_signed: bool,
        rate: BaudRate,
        network_id: bytes,
        timeout_cycles: int,
        technology: str,
    ):
        self.image = image
        self.result = result
        self.result_signed = result_signed
        self.rate = rate
        self.timeout_cycles = timeout_cycles
        self.technology = technology
        self.info = Info(
            window=link_window(image),
            input_bytes=image.packed_bytes,
            output_bytes=result.elements * result.element_bytes,
            clock_hz=rate.clock_hz,
            network_id=network_id,
        )
        super().__init__(
            {
                "rx": In(1, init=1),
                "tx": Out(1, init=1),
                "images": Out(flat_stream(image.beat_bits)),
                "results": In(flat_stream(result.beat_bits)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.meter = meter = CycleMeter(images=IMAGES_IN_CORE)
        m.submodules.verdicts = verdicts = Fifo(width=VERDICT_BITS, depth=MAX_WINDOW, technology=self.technology)
        self._receive(m, meter, verdicts)
        self._transmit(m, meter, verdicts)
        return m

    def _receive(self, m: Module, meter: CycleMeter, verdicts: Fifo) -> None:
        """The line to the core's images and the queue of verdicts."""
        m.submodules.uart_receiver = uart = UartReceiver(rate=self.rate)
        m.submodules.receiver = receiver = FrameReceiver(
            beat_bits=self.image.vector_bits,
            frame_beats=self.image.beats,
            input_bytes=self.image.packed_bytes,
            timeout_cycles=self.timeout_cycles,
        )
        m.submodules.buffer = buffer = Fifo(
            width=self.image.vector_bits, depth=image_buffer_depth(self.image), technology=self.technology
        )
        wiring.connect(m, receiver.o, buffer.i)
        m.d.comb += [
            uart.rx.eq(self.rx),
            receiver.byte.eq(uart.data),
            receiver.byte_valid.eq(uart.valid),
            receiver.framing_error.eq(uart.framing_error),
            buffer.commit.eq(receiver.commit),
            buffer.rollback.eq(receiver.rollback),
            verdicts.i.valid.eq(receiver.verdict.valid),
            verdicts.i.payload.eq(receiver.verdict.payload),
            receiver.verdict.ready.eq(verdicts.i.ready),
        ]

        beat = Signal(range(self.image.beats))
        first = Signal(init=1)
        m.d.comb += [
            self.images.valid.eq(buffer.o.valid & (~first | meter.ready)),
            self.images.payload.eq(buffer.o.payload.replicate(self.image.vectors)),
            buffer.o.ready.eq(self.images.ready & (~first | meter.ready)),
            meter.begin.eq(self.images.valid & self.images.ready & first),
        ]
        with m.If(self.images.valid & self.images.ready):
            last = beat == self.image.beats - 1
            m.d.sync += [beat.eq(beat + 1), first.eq(last)]
            with m.If(last):
                m.d.sync += beat.eq(0)
        m.d.sync += self.busy.eq(receiver.receiving | buffer.o.valid | verdicts.o.valid)

    def _transmit(self, m: Module, meter: CycleMeter, verdicts: Fifo) -> None:
        """The core's results and the verdicts to the line."""
        depth = max(16, 1 << (self.result.beats - 1).bit_length())
        m.submodules.results = results = Fifo(
            width=self.result.vector_bits, depth=depth, technology=self.technology
        )
        m.submodules.elements = elements = WidthConverter(
            width=self.result.width, in_lanes=self.result.lanes, out_lanes=1
        )
        m.submodules.bytes = element_bytes = WidthConverter(
            width=8, in_lanes=self.result.element_bytes, out_lanes=1
        )
        m.submodules.transmitter = transmitter = FrameTransmitter(info=self.info)
        m.submodules.uart_transmitter = uart = UartTransmitter(rate=self.rate)

        beat = Signal(range(self.result.beats))
        taken = Signal()
        m.d.comb += [
            results.i.valid.eq(self.results.valid),
            results.i.payload.eq(self.results.payload[: self.result.vector_bits]),
            self.results.ready.eq(results.i.ready),
            taken.eq(self.results.valid & self.results.ready),
        ]
        with m.If(taken):
            m.d.sync += beat.eq(beat + 1)
            with m.If(beat == self.result.beats - 1):
                m.d.comb += meter.end.eq(1)
                m.d.sync += beat.eq(0)

        element = elements.o.payload.as_signed() if self.result_signed else elements.o.payload
        wiring.connect(m, results.o, elements.i)
        wiring.connect(m, meter.o, transmitter.cycles)
        wiring.connect(m, element_bytes.o, transmitter.output)
        wiring.connect(m, transmitter.o, uart.i)
        m.d.comb += [
            element_bytes.i.valid.eq(elements.o.valid),
            element_bytes.i.payload.eq(element),
            elements.o.ready.eq(element_bytes.i.ready),
            transmitter.verdict.valid.eq(verdicts.o.valid),
            transmitter.verdict.payload.eq(verdicts.o.payload),
            verdicts.o.ready.eq(transmitter.verdict.ready),
            self.tx.eq(uart.tx),
        ]
