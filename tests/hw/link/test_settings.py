"""How images and answers are cut, and what holds them."""

from typing import Any

import pytest

from bnnhw.hw.link.chunks import Chunks, FrameShape
from bnnhw.hw.link.settings import LinkSettings
from bnnhw.hw.targets.ecp5 import ECP5

LABEL = FrameShape(1, 1, 4)


def settings(
    image: FrameShape, result: FrameShape = LABEL, *, byte_cycles: float = 1000 / 3, queue_bytes: int = 0
) -> LinkSettings:
    return LinkSettings(
        image=image,
        result=result,
        clock_hz=100_000_000,
        byte_cycles=byte_cycles,
        queue_bytes=queue_bytes,
        network_id=bytes(8),
        timeout_cycles=5_000_000,
        target=ECP5,
    )


@pytest.mark.parametrize(
    ("image", "chunks", "depth", "window"),
    [
        (FrameShape(784, 49, 1), Chunks(1, 16, 98, 16, 98), 512, 31),
        (FrameShape(3072, 3, 8), Chunks(1, 1024, 3072, 1024, 3072), 2048, 2),
        (FrameShape(4096, 1, 8), Chunks(1, 4096, 4096, 4096, 4096), 8192, 2),
        (FrameShape(4097, 1, 8), Chunks(5, 1024, 1024, 1, 1), 4096, 4),
        (FrameShape(1 << 20, 1, 8), Chunks(1024, 1024, 1024, 1024, 1024), 4096, 4),
        (FrameShape(3 * 4096, 3, 8), Chunks(16, 256, 768, 256, 768), 1024, 4),
        (FrameShape(9000, 1, 1), Chunks(3, 4096, 512, 808, 101), 16384, 4),
        (FrameShape(3003, 1, 13), Chunks(6, 512, 832, 443, 720), 2048, 4),
        (FrameShape(9 * 4096, 4096, 1), Chunks(5, 2, 1024, 1, 512), 512, 7),
    ],
)
def test_an_image_and_its_buffer(image: FrameShape, chunks: Chunks, depth: int, window: int):
    link = settings(image)
    assert (link.image_chunks, link.image_buffer_depth, link.info.window) == (chunks, depth, window)
    assert (link.info.input_bytes, link.info.input_chunk) == (image.packed_bytes, chunks.bytes)


@pytest.mark.parametrize(
    ("image", "window"),
    [
        (FrameShape(3072, 3, 8), 2 + 5),
        (FrameShape(784, 49, 1), 31),
        (FrameShape(1 << 20, 1, 8), 7),  # the queue of answers is what limits
    ],
)
def test_what_waits_in_the_port_counts(image: FrameShape, window: int):
    """Whatever bytes there are, the window fits: each may be escaped."""
    link = settings(image, queue_bytes=32768)
    assert link.info.window == window
    queued = window - link.image_buffer_depth // link.image_chunks.beats
    assert queued * (2 * (link.image_chunks.bytes + 10) + 2) + 22 <= 32768


@pytest.mark.parametrize(("bits", "step"), [(1, 1), (3, 1), (6, 2), (12, 4), (8, 8), (24, 8), (49, 1)])
def test_a_fast_port_is_read_in_steps(bits: int, step: int):
    image = FrameShape(8 * bits, bits, 1)
    assert settings(image, byte_cycles=1).step == step
    assert settings(image, byte_cycles=40).step == 1


@pytest.mark.parametrize(
    ("result", "chunks", "depth"),
    [
        (FrameShape(1, 1, 4), Chunks(1, 1, 1, 1, 1), 16),
        (FrameShape(10, 1, 8), Chunks(1, 10, 10, 10, 10), 16),
        (FrameShape(1024, 1, 8), Chunks(1, 1024, 1024, 1024, 1024), 2048),
        (FrameShape(4096, 1, 8), Chunks(4, 1024, 1024, 1024, 1024), 2048),
        (FrameShape(4096, 64, 9), Chunks(8, 8, 576, 8, 576), 16),
    ],
)
def test_an_answer_and_its_queue(result: FrameShape, chunks: Chunks, depth: int):
    link = settings(FrameShape(8, 1, 1), result)
    assert (link.result_chunks, link.result_queue_depth) == (chunks, depth)
    assert (link.info.output_bytes, link.info.output_chunk) == (result.packed_bytes, chunks.bytes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"image": FrameShape(40990, 4099, 1)},
            r"^beats of 4099 bits are too wide for the link, whose chunks have 4096 bytes",
        ),
        ({"image": FrameShape(1 << 27, 1, 8)}, r"^a frame of 134217728 bytes is too long for 65536 chunks of 1024"),
        (
            {"image": FrameShape(1 << 15, 1, 8, vectors=2), "result": FrameShape(1, 1, 4, vectors=2)},
            r"^vectors=2 need queues of 16384 beats at most, where the image's 32768 beats must fit; use vectors=1$",
        ),
        (
            {"image": FrameShape(8, 1, 8, vectors=3), "result": FrameShape(1 << 14, 1, 4, vectors=3)},
            r"^vectors=3 need queues of 16384 beats at most, where the result's 16384 beats must fit; use vectors=1$",
        ),
    ],
)
def test_says_what_does_not_fit(options: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        settings(**options)
