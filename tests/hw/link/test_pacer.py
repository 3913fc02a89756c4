"""A port that brings a byte a cycle: the link takes as many bits of each as its beats allow, frames stay whole."""

import random

import numpy as np
import pytest

from bnnhw.hw.core import Core
from bnnhw.hw.link.pacer import Pacer
from bnnhw.hw.link.receiver import end_pause
from bnnhw.hw.link.settings import answer_cycles
from bnnhw.hw.protocol import CYCLES_BYTES, HEADER_BYTES, Decoder, ErrorCode, Frame, Kind, encode
from bnnhw.hw.stream.buffer import StreamBuffer
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.top import Top
from bnnhw.sim.board import event_engine

from .chunked_top import byte_engine
from .fast_port import FastPort
from .test_link_load import FirstByte

CLOCK_HZ = 1_000_000


def fast_top(*, lanes: int, width: int, elements: int) -> Top:
    """A core whose answers are its images."""
    core = Core(
        units=[StreamBuffer(width=lanes * width)],
        input_lanes=lanes,
        input_width=width,
        output_lanes=lanes,
        output_width=width,
    )
    return Top(
        core=core,
        port=FastPort(),
        clock_hz=CLOCK_HZ,
        network_id=bytes(8),
        input_elements=elements,
        output_elements=elements,
        timeout_s=0.01,
        target=PORTABLE,
    )


def run(top: Top, wire: bytes) -> tuple[list[Frame | ErrorCode], int]:
    """What comes back, and the cycles until all bytes were in."""
    engine = byte_engine(top)
    queue, decoder, received, idle = bytearray(wire), Decoder(), [], False
    engine.run(bytearray())
    begin, taken = engine.cycle, 0
    while not idle or queue:
        data, idle = engine.run(queue)
        received += decoder.feed(data)
        taken = taken or (0 if queue else engine.cycle - begin)
    return received, taken


@pytest.mark.parametrize(
    ("lanes", "width", "step"),
    [(1, 1, 1), (5, 1, 1), (3, 3, 1), (2, 1, 2), (3, 2, 2), (4, 1, 4), (4, 3, 4), (1, 8, 8), (3, 8, 8), (16, 1, 8)],
)
def test_images_as_they_were(lanes: int, width: int, step: int):
    """Flags and escapes in them; every fourth one damaged, shortened or lengthened."""
    rng = random.Random(lanes * width)
    top = fast_top(lanes=lanes, width=width, elements=8 * lanes)
    assert top.settings.step == step
    wire, expected = b"", []
    for number in range(24):
        values = np.array([rng.choice([0x7E7D7E, rng.getrandbits(24)]) % (1 << width) for _ in range(8 * lanes)])
        bits = (values[:, None] >> np.arange(width) & 1).ravel()
        image = np.packbits(bits, bitorder="little").tobytes()
        frame = encode(Frame(Kind.INFER, number, image))
        if number % 4 == 3:
            place = rng.randrange(len(frame) - 3, len(frame) - 1)
            frame = rng.choice([frame[:place] + b"\x01" + frame[place:], frame[:3] + frame[4:]])
            expected.append(None)
        else:
            expected.append(image)
        wire += frame
    received, _ = run(top, wire)
    answers = [each for each in received if isinstance(each, Frame) and each.kind == Kind.INFER_ANSWER]
    assert [each.payload[:-CYCLES_BYTES] for each in answers] == [image for image in expected if image is not None]
    assert len(received) == len(expected)


def test_a_byte_each_cycle(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(event_engine, "_EVENTS", 1)  # a cycle of each call
    top = fast_top(lanes=1, width=8, elements=1000)
    wire = encode(Frame(Kind.INFER, 1, bytes(1000)))
    received, taken = run(top, wire)
    assert len(received) == 1
    assert len(wire) <= taken <= len(wire) + 3 * end_pause(8)


@pytest.mark.parametrize(
    ("lanes", "width", "cycles"), [(1, 8, 6), (3, 8, 6), (1, 4, 6), (2, 3, 6), (3, 1, 9), (5, 1, 9)]
)
def test_an_answers_bytes_are_as_far_apart_as_it_is_told(
    lanes: int, width: int, cycles: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(event_engine, "_EVENTS", 1)  # a cycle of each call
    top = fast_top(lanes=lanes, width=width, elements=120 * lanes)
    settings = top.settings
    assert answer_cycles(lanes * width, byte_cycles=settings.byte_cycles) == cycles
    size = settings.result.packed_bytes
    engine, came = byte_engine(top), []
    queue, idle = bytearray(encode(Frame(Kind.INFER, 1, bytes(size)))), False
    while not idle or queue:
        data, idle = engine.run(queue)
        came += len(data) * [engine.cycle]
    ends = HEADER_BYTES + 1, HEADER_BYTES + size - 1
    assert came[ends[1]] - came[ends[0]] <= cycles * (ends[1] - ends[0])


@pytest.mark.parametrize(("image_bytes", "beats", "max_chunk"), [(4096, 4096, 4096), (5, 5, 4096), (200, 200, 64)])
def test_what_finds_no_room_waits_in_the_port(image_bytes: int, beats: int, max_chunk: int):
    """A core slower than the link, and a queue that holds more images than the link's own buffer: none is refused."""
    count, rng = 40, random.Random(image_bytes)
    core = Core(
        units=[FirstByte(beats=beats, width=8, work=3 * image_bytes)],
        input_lanes=1,
        input_width=8,
        output_lanes=1,
        output_width=8,
    )
    top = Top(
        core=core,
        port=FastPort(queue_bytes=32768),
        clock_hz=CLOCK_HZ,
        network_id=bytes(8),
        input_elements=image_bytes,
        output_elements=1,
        timeout_s=1,
        max_chunk=max_chunk,
        target=PORTABLE,
    )
    images = [rng.randbytes(image_bytes) for _ in range(count)]
    size = top.info.input_chunk
    most = max(2, top.info.window // -(-image_bytes // size))
    engine, decoder, queue = byte_engine(top), Decoder(), bytearray()
    sent, received, idle = 0, [], False
    while sent < count or queue or not idle:
        while sent < min(count, len(received) + most):
            for number, start in enumerate(range(0, image_bytes, size)):
                queue += encode(Frame(Kind.INFER, sent, images[sent][start : start + size], number))
            sent += 1
        data, idle = engine.run(queue)
        received += [frame for frame in decoder.feed(data) if not isinstance(frame, Frame) or frame.kind != Kind.TAKEN]
    assert [(frame.kind, frame.payload[0]) for frame in received] == [(Kind.INFER_ANSWER, i[0]) for i in images]


def test_what_a_pacer_may_not_be():
    with pytest.raises(ValueError, match=r"^pace=8 must be positive, and at most pause=7$"):
        Pacer(pace=8, pause=7)
