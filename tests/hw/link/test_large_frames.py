"""Images and answers of several chunks over the UART: in order, refused in their middle, forgotten, side by side."""

# pyright: reportAttributeAccessIssue=false

import random
from functools import cache
from typing import Any

import pytest

from bnnhw.hw.protocol import ErrorCode, Frame, Kind, encode

from .chunked_top import CYCLES_PER_BIT, Device, exchange

SIZE, OUTPUT_BYTES = 36, 12
CHUNK = 8


@cache
def device(**options: Any) -> Device:
    """Images and answers have chunks of 8 bytes."""
    return Device(**({"image_bytes": SIZE, "output_bytes": OUTPUT_BYTES, "early": True} | options))


def image(seed: int, size: int = SIZE) -> bytes:
    """Bytes of which none is escaped."""
    return bytes(random.Random(seed).choices(range(0x70), k=size))


def wires(frames: list[Frame]) -> list[bytes]:
    return [encode(frame) for frame in frames]


def info(sequence: int = 9) -> Frame:
    return Frame(Kind.INFO, sequence, b"")


Told = tuple[int, int, int, bytes]


def told(received: list[Frame | ErrorCode]) -> list[Told]:
    """(kind, sequence, number, payload) of each frame but TAKEN, without the cycles of answers in two chunks."""
    assert all(isinstance(frame, Frame) for frame in received), received
    frames = [frame for frame in received if frame.kind != Kind.TAKEN]
    ends = [-4 if (frame.kind, frame.number) == (Kind.INFER_ANSWER, 1) else None for frame in frames]
    return [(f.kind, f.sequence, f.number, f.payload[:end]) for f, end in zip(frames, ends, strict=True)]


def answer(sequence: int, outputs: bytes) -> list[Told]:
    """An answer of two chunks."""
    return [(Kind.INFER_ANSWER, sequence, n, outputs[n * CHUNK : (n + 1) * CHUNK]) for n in range(2)]


def error(sequence: int, code: ErrorCode) -> Told:
    return (Kind.ERROR, sequence, 0, bytes([code]))


SHAPES = [
    {"image_bytes": 30, "output_bytes": 21},
    {"image_bytes": 31, "output_bytes": 21, "early": False},
    {"image_bytes": 40, "output_bytes": 1, "early": False},
    {"image_bytes": 9, "output_bytes": 100, "early": False},
    {"image_bytes": 33, "output_bytes": 100},
    {"image_bytes": 100, "output_bytes": 9},
    {"image_bytes": 100, "output_bytes": 100, "pauses": 5},
    {"image_bytes": 40, "output_bytes": 19, "early": False, "vectors": 2},
    {"image_bytes": 40, "output_bytes": 19, "vectors": 3, "pauses": 3},
]


def outputs_of(received: list[Frame | ErrorCode], sequence: int) -> tuple[bytes, int]:
    """Outputs and cycles in the chunks of an answer, which stand in order."""
    chunks = [f for f in received if isinstance(f, Frame) and (f.kind, f.sequence) == (Kind.INFER_ANSWER, sequence)]
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    whole = b"".join(chunk.payload for chunk in chunks)
    return whole[:-4], int.from_bytes(whole[-4:], "little")


@pytest.mark.parametrize("options", SHAPES, ids=str)
def test_images_close_behind_each_other(options: dict[str, Any]):
    """Without a look at TAKEN: what the buffer holds."""
    top = device(**options)
    images = [image(seed, top.info.input_bytes) for seed in range(5)]
    requests = [top.request(n, each) for n, each in enumerate(images)]
    received = exchange(top, [b"".join(wires([info(), *(chunk for request in requests for chunk in request)]))])
    assert received[0] == Frame(Kind.INFO_ANSWER, 9, top.info.to_bytes())
    for n, each in enumerate(images):
        assert outputs_of(received, n)[0] == top.transform.answer(each)
        taken = [f.number for f in received if (f.kind, f.sequence) == (Kind.TAKEN, n)]
        assert taken == sorted(set(taken))
        assert len(requests[n]) == 1 or taken[-1] <= len(requests[n]) - 2


def flip(wire: bytes) -> bytes:
    return wire[:8] + bytes([wire[8] ^ 1]) + wire[9:]


IMAGE = image(2)
FIRST, SECOND, *_, LAST = (
    Frame(Kind.INFER, 2, IMAGE[start : start + CHUNK], number) for number, start in enumerate(range(0, SIZE, CHUNK))
)
BAD_CHUNKS: dict[str, tuple[bytes, ErrorCode]] = {
    "damaged": (flip(encode(SECOND)), ErrorCode.CRC),
    "a byte short": (encode(SECOND)[:-2] + b"~", ErrorCode.SHORT),
    "a header alone": (b"~\x21\x02~", ErrorCode.SHORT),
    "a byte long": (encode(SECOND)[:-1] + b"x~", ErrorCode.LONG),
    "without end": (encode(SECOND)[:-1] + bytes(3000) + b"~", ErrorCode.LONG),
    "aborted": (encode(SECOND)[:-1] + b"}~", ErrorCode.FRAMING),
    "cut off by silence": (encode(SECOND)[:-4], ErrorCode.SHORT),
    "of an unknown kind": (encode(Frame(0x22, 2, SECOND.payload, 1)), ErrorCode.KIND),
    "of the image before": (encode(Frame(Kind.INFER, 1, SECOND.payload, 1)), ErrorCode.REPEATED),
    "of another image": (encode(Frame(Kind.INFER, 3, SECOND.payload, 1)), ErrorCode.ORDER),
    "of a new image": (encode(Frame(Kind.INFER, 3, FIRST.payload, 0)), ErrorCode.ORDER),
    "the same again": (encode(FIRST), ErrorCode.ORDER),
    "the last one too early": (encode(LAST), ErrorCode.ORDER),
    "a number too great": (encode(Frame(Kind.INFER, 2, SECOND.payload, 0x8001)), ErrorCode.ORDER),
    "of another length": (encode(Frame(Kind.INFER, 2, SECOND.payload[1:], 1)), ErrorCode.LENGTH),
    "INFO with a payload": (encode(Frame(Kind.INFO, 2, b"x", 1)), ErrorCode.LENGTH),
}


@pytest.mark.parametrize("name", BAD_CHUNKS)
@pytest.mark.parametrize("options", [{}, {"early": False}, {"vectors": 2, "early": False}], ids=str)
def test_a_bad_chunk_fails_its_image_alone(options: dict[str, Any], name: str):
    """One ERROR, with the number of its image; what comes of that image besides is refused by itself."""
    top, (wire, code) = device(**options), BAD_CHUNKS[name]
    before = [info(), *top.request(1, image(1)), FIRST]
    after = [LAST, *top.request(4, image(4))]
    received = told(exchange(top, [b"".join(wires(before)) + wire, b"".join(wires(after))], runs=1))
    early = answer(2, top.transform.answer(IMAGE))[0]  # perhaps: what had come of it before
    assert [each for each in received[1:] if each != early] == [
        *answer(1, top.transform.answer(image(1))),
        error(2, code),
        error(2, ErrorCode.ORDER),
        *answer(4, top.transform.answer(image(4))),
    ]


@pytest.mark.parametrize("chunks", [1, 2])
@pytest.mark.parametrize("options", [{}, {"early": False}, {"vectors": 2, "early": False}], ids=str)
def test_info_forgets_an_image(options: dict[str, Any], chunks: int):
    """And its number may be used again."""
    top = device(**options)
    begun = [*top.request(1, image(1)), *top.request(2, IMAGE)[:chunks]]
    received = told(exchange(top, [b"".join(wires([*begun, info(7), *top.request(2, image(4))]))]))
    early = answer(2, top.transform.answer(IMAGE))[:1] if top.transform.early else []
    assert received == [
        *answer(1, top.transform.answer(image(1))),
        *early,
        (Kind.INFO_ANSWER, 7, 0, top.info.to_bytes()),
        *answer(2, top.transform.answer(image(4))),
    ]


@pytest.mark.parametrize("failing", ["the buffer is full", "another image is made up"])
def test_overrun(failing: str):
    """While the core takes nothing."""
    size = 2500
    top = device(image_bytes=size, output_bytes=1, early=False, hold=250_000)
    first, other, again = (top.request(n, image(n, size)) for n in (1, 2, 3))
    full = failing == "the buffer is full"
    received = exchange(
        top, [b"".join(wires(first if full else [first[0], first[0], other[0]])), b"".join(wires(again))]
    )
    errors = [(f.sequence, f.payload[0]) for f in received if isinstance(f, Frame) and f.kind == Kind.ERROR]
    expected = [(1, ErrorCode.OVERRUN)] if full else [(1, ErrorCode.ORDER), (2, ErrorCode.OVERRUN)]
    assert errors[: len(expected)] == expected
    assert set(errors[len(expected) :]) <= {(1, ErrorCode.ORDER)}
    assert outputs_of(received, 3)[0] == top.transform.answer(image(3, size))


def test_a_damaged_first_chunk_is_refused_with_what_follows():
    top = device()
    first, *rest = wires(top.request(1, image(1)))
    received = told(exchange(top, [b"".join([flip(first), *rest, *wires(top.request(2, IMAGE))])]))
    assert received == [
        error(1, ErrorCode.CRC),
        *[error(1, ErrorCode.ORDER)] * len(rest),
        *answer(2, top.transform.answer(IMAGE)),
    ]


def test_cycles_contain_the_wait_for_the_link():
    top = device(early=False)
    chunks = wires(top.request(1, IMAGE))
    received = exchange(top, [b"".join(chunks)])
    wait = sum(map(len, chunks[1:])) * 10 * CYCLES_PER_BIT
    assert outputs_of(received, 1)[1] == pytest.approx(wait, abs=10 * CYCLES_PER_BIT)


def test_taken_comes_between_the_chunks_of_a_long_answer():
    """The first image's answer is long; the second image is taken while it is sent."""
    top = device(output_bytes=200, early=False)
    received = exchange(top, [b"".join(wires([*top.request(1, image(1)), *top.request(2, IMAGE)]))])
    kinds = [(f.kind, f.sequence) for f in received if isinstance(f, Frame)]
    taken, end = kinds.index((Kind.TAKEN, 2)), len(kinds) - 1 - kinds[::-1].index((Kind.INFER_ANSWER, 1))
    assert taken < end
    assert outputs_of(received, 2)[0] == top.transform.answer(IMAGE)
