"""Devices whose images and answers take several chunks, small enough to simulate a great many of them."""

# pyright: reportGeneralTypeIssues=false, reportAttributeAccessIssue=false, reportOperatorIssue=false

from collections.abc import Iterable
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.core import Core
from bnnhw.hw.link.phy.uart_port import UartPort
from bnnhw.hw.protocol import Decoder, ErrorCode, Frame, Kind
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.top import Top
from bnnhw.sim.batch.assemble import compile_netlist
from bnnhw.sim.batch.program import Program
from bnnhw.sim.batch.simulator import compile_design
from bnnhw.sim.board.byte_engine import ByteEngine
from bnnhw.sim.board.byte_ports import with_byte_ports
from bnnhw.sim.board.event_engine import EventEngine
from bnnhw.sim.board.uart_engine import UartEngine
from bnnhw.sim.netlist.netlist import convert_component, flatten

CLOCK_HZ = 1_000_000
CYCLES_PER_BIT = 4
TIMEOUT_BITS = 100
NETWORK_ID = b"net-0001"


class Transform(wiring.Component):
    """Turns images of `beats` bytes into answers of `out_beats` bytes, each of which depends on all bytes so far.

    digest[n] = 5 * digest[n - 1] + image[n]; where it answers `early`, byte n of the answer is the digest after
    (n + 1) * `every` bytes of the image (a power of two), given at once; those that are left, or otherwise all, come
    behind the last byte of the image: digest + 7 * n. Either side pauses in `pauses` of 8 cycles, as an LFSR says; for
    the first `hold` cycles nothing is taken.
    """

    def __init__(
        self,
        *,
        beats: int,
        out_beats: int,
        early: bool,
        vectors: int = 1,
        every: int = 1,
        pauses: int = 0,
        hold: int = 0,
    ):
        self.beats = beats
        self.out_beats = out_beats
        self.early = early
        self.vectors = vectors
        self.every = every
        self.pauses = pauses
        self.hold = hold
        super().__init__({"i": In(flat_stream(8 * vectors)), "o": Out(flat_stream(8 * vectors))})

    def answer(self, image: bytes) -> bytes:
        """The answer to an image."""
        digest, answer = 0, []
        for byte in image:
            digest = (5 * digest + byte) % 256
            answer.append(digest)
        answer = answer[self.every - 1 :: self.every][: self.out_beats] if self.early else []
        answer += [(digest + 7 * n) % 256 for n in range(len(answer), self.out_beats)]
        return bytes(answer)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        noise = Signal(16, init=0xACE1)
        taken, given = Signal(range(self.beats + 1)), Signal(range(self.out_beats + 1))
        digests = [Signal(8, name=f"digest{n}") for n in range(self.vectors)]
        offering, step = Signal(), Signal(8)
        held = Signal(range(self.hold + 1), init=self.hold)
        with m.If(held != 0):
            m.d.sync += held.eq(held - 1)
        go = (noise[:3] >= self.pauses) & (held == 0)
        whole, done = taken == self.beats, given == self.out_beats
        early = self.early & (given < taken >> self.every.bit_length() - 1)
        m.d.comb += [
            self.i.ready.eq(~whole & ~offering & ~(early & ~done) & go),
            self.o.valid.eq(offering),
            step.eq(Mux(given < self.beats // self.every, 0, 7 * given) if self.early else 7 * given),
            self.o.payload.eq(Cat((digest + step)[:8] for digest in digests)),
        ]
        with m.If((self.i.valid | (taken != 0)) & (self.pauses != 0)):  # an idle design stands still
            m.d.sync += noise.eq((noise >> 1) ^ Mux(noise[0], 0xB400, 0))
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += taken.eq(taken + 1)
            m.d.sync += [
                digest.eq((5 * digest + self.i.payload.word_select(n, 8))[:8]) for n, digest in enumerate(digests)
            ]
        with m.If(~offering & ~done & (early | whole) & go):
            m.d.sync += offering.eq(1)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [offering.eq(0), given.eq(given + 1)]
        with m.If(whole & done):
            m.d.sync += [taken.eq(0), given.eq(0)]
            m.d.sync += [digest.eq(0) for digest in digests]
        return m


class Device:
    """A top around a Transform, compiled once.

    Parameters
    ----------
    image_bytes, output_bytes : int
    max_chunk : int
        As Top's: chunks have a quarter of it.
    options
        As Transform's.
    """

    def __init__(self, *, image_bytes: int, output_bytes: int, max_chunk: int = 32, **options: Any):
        self.transform = Transform(beats=image_bytes, out_beats=output_bytes, **options)
        core = Core(
            units=[self.transform],
            input_lanes=1,
            input_width=8,
            output_lanes=1,
            output_width=8,
            vectors=self.transform.vectors,
        )
        self.top = Top(
            core=core,
            clock_hz=CLOCK_HZ,
            port=UartPort(clock_hz=CLOCK_HZ, baud=CLOCK_HZ // CYCLES_PER_BIT),
            network_id=NETWORK_ID,
            input_elements=image_bytes,
            output_elements=output_bytes,
            timeout_s=TIMEOUT_BITS * CYCLES_PER_BIT / CLOCK_HZ,
            max_chunk=max_chunk,
            target=PORTABLE,
        )
        self.info = self.top.info
        self._program: Program = compile_design(convert_component(self.top))

    def byte_engine(self) -> ByteEngine:
        """The device without its UART, out of its reset."""
        return byte_engine(self.top)

    def engine(self) -> UartEngine:
        """The device, out of its reset."""
        return UartEngine(self._program, rx="rx", tx="tx", clock_hz=CLOCK_HZ, baud=CLOCK_HZ // CYCLES_PER_BIT)

    def request(self, sequence: int, image: bytes) -> list[Frame]:
        """The chunks of an image."""
        size = self.info.input_chunk
        starts = range(0, len(image), size)
        return [Frame(Kind.INFER, sequence, image[start : start + size], number) for number, start in enumerate(starts)]


def byte_engine(top: Top) -> ByteEngine:
    """A top without its link's port, out of its reset."""
    netlist = flatten(convert_component(top), boxes=["top.port"])
    return ByteEngine(compile_netlist(with_byte_ports(netlist, top="top")))


def exchange(
    device: Device, writes: Iterable[bytes], *, runs: int = 20, engine: EventEngine | None = None
) -> list[Frame | ErrorCode]:
    """What comes back; after each write until nothing moves, or so many times nothing has come."""
    engine, decoder, received = engine or device.engine(), Decoder(), []
    for write in writes:
        queue, silent = bytearray(write), 0
        while queue or silent < runs:
            data, idle = engine.run(queue)
            received += decoder.feed(data)
            silent = 0 if data or queue else silent + 1
            if idle and not queue:
                break
    return received
