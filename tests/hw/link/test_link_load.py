"""The link kept full: throughput, the window, and what happens beyond it."""

# pyright: reportGeneralTypeIssues=false, reportAttributeAccessIssue=false, reportArgumentType=false

from itertools import accumulate, pairwise

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.core import Core
from bnnhw.hw.link.link import GROUPS_IN_CORE
from bnnhw.hw.link.phy.uart_port import UartPort
from bnnhw.hw.protocol import Frame, Kind, encode
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import PORTABLE, Target
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.hw.top import Top
from tests.hw.link.phy.uart_host import CYCLES_PER_BIT, UartHost

CLOCK_HZ = 1_000_000
BYTE_CYCLES = 10 * CYCLES_PER_BIT


class FirstByte(wiring.Component):
    """Takes a frame of `beats` beats in each vector and gives the lowest byte of its first one, its two highest bits
    inverted where the vector's number has them, `work` cycles after the last one.
    """

    def __init__(self, *, beats: int, width: int, work: int, vectors: int = 1):
        self.beats = beats
        self.width = width
        self.work = work
        self.vectors = vectors
        super().__init__({"i": In(flat_stream(vectors * width)), "o": Out(flat_stream(8 * vectors))})

    def elaborate(self, platform):
        m = Module()
        beat = Signal(range(self.beats))
        countdown = Signal(range(self.work + 1))
        busy = Signal()
        m.d.comb += [self.i.ready.eq(~busy), self.o.valid.eq(busy & (countdown == 0))]
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += beat.eq(beat + 1)
            with m.If(beat == 0):
                for vector in range(self.vectors):
                    byte = self.i.payload[vector * self.width :][:8]
                    m.d.sync += self.o.payload.word_select(vector, 8).eq(byte ^ vector << 6)
            with m.If(beat == self.beats - 1):
                m.d.sync += [beat.eq(0), busy.eq(1), countdown.eq(self.work - 1)]
        with m.If(countdown != 0):
            m.d.sync += countdown.eq(countdown - 1)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += busy.eq(0)
        return m


def make_host(
    folder, *, image_bytes: int, beats: int, work: int, vectors: int = 1, target: Target = PORTABLE
) -> tuple[Top, UartHost]:
    width = 8 * image_bytes // beats
    core = Core(
        units=[FirstByte(beats=beats, width=width, work=work, vectors=vectors)],
        input_lanes=width,
        input_width=1,
        output_lanes=1,
        output_width=8,
        vectors=vectors,
    )
    top = Top(
        core=core,
        clock_hz=CLOCK_HZ,
        port=UartPort(clock_hz=CLOCK_HZ, baud=CLOCK_HZ // CYCLES_PER_BIT),
        network_id=bytes(8),
        input_elements=8 * image_bytes,
        output_elements=1,
        timeout_s=1e-3,
        target=target,
    )
    return top, UartHost(top, folder)


def images(count: int, image_bytes: int) -> list[bytes]:
    return [bytes([1 + number] * image_bytes) for number in range(count)]


def wire(frames: list[bytes]) -> list[bytes]:
    return [encode(Frame(Kind.INFER, sequence, image)) for sequence, image in enumerate(frames)]


def cycles_of(frame: Frame) -> int:
    return int.from_bytes(frame.payload[-4:], "little")


@pytest.mark.parametrize("target", [PORTABLE, ECP5])
def test_requests_bound_the_throughput(target, tmp_path):
    """Image n + 1 is received while image n is computed and the answer to image n - 1 is sent."""
    work = 40 * BYTE_CYCLES
    _, host = make_host(tmp_path, image_bytes=40, beats=10, work=work, target=target)
    sent = images(6, 40)
    requests = wire(sent)
    received = host.timed_exchange(requests)
    frames, ends = zip(*received, strict=True)
    assert [(frame.sequence, frame.payload[:-4]) for frame in frames] == [
        (n, image[:1]) for n, image in enumerate(sent)
    ]
    assert {cycles_of(frame) for frame in frames} == {10 - 1 + work}
    # An answer comes as late after its request as any other, but for the bytes escaped in its own frame.
    arrivals = accumulate(len(request) * BYTE_CYCLES for request in requests)
    delays = [
        end - arrival - len(encode(frame)) * BYTE_CYCLES
        for arrival, end, frame in zip(arrivals, ends, frames, strict=True)
    ]
    assert max(delays) - min(delays) <= CYCLES_PER_BIT


def test_answers_bound_the_throughput(tmp_path):
    """Where the answers are longer, they follow each other without a gap."""
    _, host = make_host(tmp_path, image_bytes=1, beats=1, work=1)
    received = host.timed_exchange(wire(images(8, 1)))
    assert [frame.payload[0] for frame, _ in received] == [1 + number for number in range(8)]
    for (_, before), (frame, after) in pairwise(received):
        assert 0 <= after - before - len(encode(frame)) * BYTE_CYCLES <= CYCLES_PER_BIT


def test_window(tmp_path):
    """With a core that is slower than the link, a whole window is answered, and frames beyond it are dropped."""
    work = 2500
    top, host = make_host(tmp_path, image_bytes=2, beats=1, work=work)
    window = top.info.window
    assert window == 31
    received = host.exchange(wire(images(window, 2)), silence=work)
    assert [(frame.sequence, frame.payload[0]) for frame in received] == [(n, 1 + n) for n in range(window)]
    assert {cycles_of(frame) for frame in received} == {work}  # the wait in front of the core is not counted

    count = 2 * window
    frames = host.exchange(wire(images(count, 2)), silence=work)
    assert window <= len(frames) < count
    assert all(frame.payload[0] == 1 + frame.sequence for frame in frames)
    assert [frame.sequence for frame in frames] == sorted(frame.sequence for frame in frames)


def test_more_images_than_the_core_may_hold(tmp_path):
    """The meter's limit delays images, but none is lost, nor the cycles of one that waits for the line."""
    count = 6 * GROUPS_IN_CORE
    _, host = make_host(tmp_path, image_bytes=1, beats=1, work=1)
    received = host.exchange(wire(images(count, 1)))
    assert [frame.payload[0] for frame in received] == [1 + number for number in range(count)]
    assert {cycles_of(frame) for frame in received} == {1}


@pytest.mark.parametrize("target", [PORTABLE, ECP5])
def test_images_that_wait_go_side_by_side(target, tmp_path):
    """The first image finds the core idle, the next two its queues; those that come meanwhile go in groups."""
    work = 200 * BYTE_CYCLES
    _, host = make_host(tmp_path, image_bytes=4, beats=2, work=work, vectors=3, target=target)
    received = host.exchange(wire(images(6, 4)), silence=work)
    assert [frame.sequence for frame in received] == list(range(6))
    turns = [0, 0, 0, 1, 2, 0]
    assert [frame.payload[0] for frame in received] == [1 + n | turn << 6 for n, turn in enumerate(turns)]
    assert {cycles_of(frame) for frame in received} == {1 + work}
