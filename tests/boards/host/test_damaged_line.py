"""Images of several chunks through the driver and a simulated device, over a line that damages frames both ways."""

import random
from functools import cache
from typing import Any

import pytest

from tests.hw.link.chunked_top import NETWORK_ID, Device

from .damaged_line import DamagedLine

DEVICES: dict[str, dict[str, Any]] = {
    "image and answer of one chunk": {"image_bytes": 5, "output_bytes": 3, "early": False},
    "large image": {"image_bytes": 40, "output_bytes": 1, "early": False},
    "large answer": {"image_bytes": 9, "output_bytes": 60, "early": False},
    "both, the answer while the image comes": {"image_bytes": 50, "output_bytes": 50, "early": True, "pauses": 4},
    "both, the answer behind the image": {"image_bytes": 34, "output_bytes": 19, "early": False},
    "the answer before the image has come": {"image_bytes": 70, "output_bytes": 9, "early": True},
    "a chunk of the answer from more than a window": {
        "image_bytes": 300,
        "output_bytes": 18,
        "early": True,
        "every": 16,
    },
    "side by side": {"image_bytes": 40, "output_bytes": 19, "early": False, "vectors": 3},
}


@cache
def device(name: str) -> Device:
    """Chunks have 8 bytes."""
    return Device(**DEVICES[name])


def soak(line: DamagedLine, device: Device, *, images: int, seed: int) -> None:
    """Infers random images; every answer must be right, and come."""
    rng = random.Random(seed)
    sent = [rng.randbytes(device.info.input_bytes) for _ in range(images)]
    with line.open(network_id=NETWORK_ID) as link:
        for image, answer in zip(sent, link.infer_many(sent), strict=True):
            line.progress()
            assert answer.outputs == device.transform.answer(image), f"seed={seed}"


@pytest.mark.parametrize("name", DEVICES)
def test_nothing_is_sent_twice_over_a_sound_line(name: str, monkeypatch: pytest.MonkeyPatch):
    info = device(name).info
    images = min(50, 5000 // info.input_bytes)
    line = DamagedLine(device(name), seed=0, rate=0).install(monkeypatch)
    soak(line, device(name), images=images, seed=0)
    assert line.requests.frames == 1 + images * -(-info.input_bytes // info.input_chunk)
    assert line.answers.frames <= line.requests.frames + images * -(-info.output_bytes // info.output_chunk)


@pytest.mark.parametrize("name", DEVICES)
def test_answers_are_right_and_come_over_a_damaged_line(name: str, monkeypatch: pytest.MonkeyPatch):
    line = DamagedLine(device(name), seed=1, rate=0.05).install(monkeypatch)
    soak(line, device(name), images=25, seed=1)
    assert sum(line.requests.counts.values()) + sum(line.answers.counts.values()) > 1


@pytest.mark.slow
@pytest.mark.parametrize("name", DEVICES)
def test_answers_are_right_and_come_a_hundred_thousand_times(name: str, monkeypatch: pytest.MonkeyPatch):
    """In all; with a little, some and much damage in turn."""
    chunks = seed = 0
    while chunks < 100_000 / len(DEVICES):
        line = DamagedLine(device(name), seed=seed, rate=(0.002, 0.02, 0.1)[seed % 3]).install(monkeypatch)
        soak(line, device(name), images=100, seed=seed)
        chunks += line.chunks
        seed += 1
    print(f"{name}: {chunks} chunks in {seed} runs")
