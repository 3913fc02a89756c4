"""Top: every kind of frame, whole and damaged, over the UART, with a core that hands its image through."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnhw.hw.core import Core
from bnnhw.hw.link.phy.uart_port import UartPort
from bnnhw.hw.protocol import FLAG, ErrorCode, Frame, Info, Kind, encode
from bnnhw.hw.stream.buffer import StreamBuffer
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.top import Top
from tests.hw.link.phy.uart_host import CYCLES_PER_BIT, UartHost

CLOCK_HZ = 1_000_000
TIMEOUT_BITS = 100
ELEMENTS, LANES, WIDTH, VECTORS = 12, 4, 3, 2
IMAGE_BYTES = 5
LATENCY = 2  # of the two stream buffers
CYCLES = LATENCY + ELEMENTS // LANES - 1


def make_top(*, lanes: int = LANES, width: int = WIDTH) -> Top:
    buffers = [StreamBuffer(width=VECTORS * lanes * width) for _ in range(LATENCY)]
    core = Core(
        units=buffers,
        input_lanes=lanes,
        input_width=width,
        output_lanes=lanes,
        output_width=width,
        vectors=VECTORS,
    )
    return Top(
        core=core,
        clock_hz=CLOCK_HZ,
        port=UartPort(clock_hz=CLOCK_HZ, baud=CLOCK_HZ // CYCLES_PER_BIT),
        network_id=bytes(range(8)),
        input_elements=ELEMENTS,
        output_elements=ELEMENTS,
        timeout_s=TIMEOUT_BITS * CYCLES_PER_BIT / CLOCK_HZ,
        target=PORTABLE,
    )


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    return UartHost(make_top(), tmp_path_factory.mktemp("top"))


def packed(image: list[int], width: int = WIDTH) -> bytes:
    bits = [value >> bit & 1 for value in image for bit in range(width)]
    return np.packbits(bits, bitorder="little").tobytes()


def infer(sequence: int, image: list[int]) -> Frame:
    return Frame(Kind.INFER, sequence, packed(image))


def answer(sequence: int, image: list[int]) -> Frame:
    return Frame(Kind.INFER_ANSWER, sequence, packed(image) + CYCLES.to_bytes(4, "little"))


def error(sequence: int, code: ErrorCode) -> Frame:
    return Frame(Kind.ERROR, sequence, bytes([code]))


def random_image(seed: int, width: int = WIDTH) -> list[int]:
    return [random.Random(seed * ELEMENTS + index).getrandbits(width) for index in range(ELEMENTS)]


GOOD, OTHER, THIRD = random_image(1), random_image(2), random_image(3)
WIRE = encode(infer(9, OTHER))
BODY = WIRE[1:-1]
assert len(BODY) == 10 + IMAGE_BYTES  # no byte of it is escaped


def test_info(host):
    info = Info(
        window=31,
        input_chunk=IMAGE_BYTES,
        output_chunk=IMAGE_BYTES,
        input_bytes=IMAGE_BYTES,
        output_bytes=IMAGE_BYTES,
        clock_hz=CLOCK_HZ,
        network_id=bytes(range(8)),
    )
    assert make_top().info == info
    received = host.exchange([encode(Frame(Kind.INFO, 77, b""))])
    assert received == [Frame(Kind.INFO_ANSWER, 77, info.to_bytes())]


def test_escaped_bytes(tmp_path):
    """Flags and escapes as sequence numbers and elements, in both directions."""
    image = [0x7E, 0x7D, 0x5E, 0x5D, 0x20, 0xFF, 0, 0x7E, 0x7E, 0x7D, 0x7D, 1]
    top = make_top(lanes=3, width=8)
    frames = [Frame(Kind.INFER, sequence, bytes(image)) for sequence in (0x7E, 0x7D)]
    received = UartHost(top, tmp_path).exchange([encode(frame) for frame in frames])
    cycles = (LATENCY + ELEMENTS // 3 - 1).to_bytes(4, "little")
    assert received == [Frame(Kind.INFER_ANSWER, frame.sequence, bytes(image) + cycles) for frame in frames]


@pytest.mark.parametrize(("width", "lanes"), [(3, 2), (8, 12), (11, 3), (17, 1)])
def test_output_elements_are_packed_as_the_image_is(width, lanes, tmp_path):
    image = packed(random_image(4, width), width)
    top = make_top(lanes=lanes, width=width)
    [received] = UartHost(top, tmp_path).exchange([encode(Frame(Kind.INFER, 0, image))])
    assert isinstance(received, Frame)
    assert received.payload[:-4] == image


def flip(position: int) -> bytes:
    """WIRE with one damaged byte of the body, which stays an ordinary byte."""
    byte = next(BODY[position] ^ 1 << bit for bit in range(8) if BODY[position] ^ 1 << bit not in (0x7E, 0x7D))
    return WIRE[: 1 + position] + bytes([byte]) + WIRE[2 + position :]


FLIPPED = [*[ErrorCode.CRC] * 4, ErrorCode.LONG, ErrorCode.SHORT, *[ErrorCode.CRC] * (IMAGE_BYTES + 4)]
BAD_FRAMES = {
    "truncated header": (WIRE[:2] + b"\x7e", 0, ErrorCode.SHORT),
    "truncated payload": (WIRE[:10] + b"\x7e", 9, ErrorCode.SHORT),
    "a byte short": (WIRE[:-2] + b"\x7e", 9, ErrorCode.SHORT),
    "a byte long": (WIRE[:-1] + b"\x00\x7e", 9, ErrorCode.LONG),
    "an image long": (WIRE[:-1] + bytes(IMAGE_BYTES) * 3 + b"\x7e", 9, ErrorCode.LONG),
    "short but whole": (encode(Frame(Kind.INFER, 9, bytes(IMAGE_BYTES - 1))), 9, ErrorCode.LENGTH),
    "long but whole": (encode(Frame(Kind.INFER, 9, bytes(3 * IMAGE_BYTES))), 9, ErrorCode.LENGTH),
    "info with a payload": (encode(Frame(Kind.INFO, 9, b"x")), 9, ErrorCode.LENGTH),
    "unknown kind": (encode(Frame(0x22, 9, bytes(IMAGE_BYTES))), 9, ErrorCode.KIND),
    "another version": (encode(Frame(0x31, 9, bytes(IMAGE_BYTES))), 9, ErrorCode.KIND),
    "an answer": (encode(Frame(Kind.INFER_ANSWER, 9, bytes(IMAGE_BYTES))), 9, ErrorCode.KIND),
    "another number than 0": (encode(Frame(Kind.INFER, 9, bytes(IMAGE_BYTES), 1)), 9, ErrorCode.ORDER),
    "a high number": (encode(Frame(Kind.INFER, 9, bytes(IMAGE_BYTES), 0x8000)), 9, ErrorCode.ORDER),
    "repeated": (encode(infer(1, OTHER)), 1, ErrorCode.REPEATED),
    "aborted": (WIRE[:10] + b"\x7d\x7e", 9, ErrorCode.FRAMING),
} | {f"byte {position}": (flip(position), 9 ^ (position == 1), code) for position, code in enumerate(FLIPPED)}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_bad_frame(host, name):
    """It is answered with its error, and neither the frame before it nor the one after it suffers."""
    wire, sequence, code = BAD_FRAMES[name]
    writes = [encode(infer(1, GOOD)), wire, encode(infer(2, THIRD))]
    received = host.exchange(writes)
    assert received == [answer(1, GOOD), error(sequence, code), answer(2, THIRD)]


def test_silence_ends_a_frame(host):
    rest = [WIRE[10:12], WIRE[12:-1]]  # comes too late, and is ignored up to the next flag
    writes = [WIRE[:10], 2 * TIMEOUT_BITS, *rest, 2 * TIMEOUT_BITS, encode(infer(2, THIRD))]
    received = host.exchange(writes)
    assert received == [error(9, ErrorCode.SHORT), answer(2, THIRD)]


def test_pauses_below_the_time_out_are_fine(host):
    writes = [item for byte in WIRE for item in (bytes([byte]), TIMEOUT_BITS - 20)]
    assert host.exchange(writes) == [answer(9, OTHER)]


def test_break_inside_a_frame(host):
    writes = [WIRE[:10], -30, WIRE[10:], encode(infer(2, THIRD))]
    received = host.exchange(writes)
    assert received == [error(9, ErrorCode.FRAMING), answer(2, THIRD)]


def test_refused_sequence_number_is_not_used_up(host):
    writes = [flip(6), WIRE]
    received = host.exchange(writes)
    assert received == [error(9, ErrorCode.CRC), answer(9, OTHER)]


def test_info_forgets_the_sequence_number(host):
    writes = [WIRE, WIRE, encode(Frame(Kind.INFO, 0, b"")), WIRE]
    received = host.exchange(writes)
    assert [(frame.kind, frame.payload[-1]) for frame in received if isinstance(frame, Frame)] == [
        (Kind.INFER_ANSWER, 0),
        (Kind.ERROR, ErrorCode.REPEATED),
        (Kind.INFO_ANSWER, 7),
        (Kind.INFER_ANSWER, 0),
    ]


def test_frames_back_to_back_share_flags(host):
    images = [random_image(seed) for seed in range(6)]
    wire = b"".join(encode(infer(sequence, image))[:-1] for sequence, image in enumerate(images)) + bytes([FLAG])
    received = host.exchange([wire])
    assert received == [answer(sequence, image) for sequence, image in enumerate(images)]


PIECES = [WIRE[:9], WIRE[7:], b"\x7e", b"\x7d\x7e", b"\x7d", -15, 130]
GARBAGE = st.lists(st.one_of(st.binary(max_size=12), st.sampled_from(PIECES)))


@settings(max_examples=15, deadline=None)
@given(before=GARBAGE, between=GARBAGE)
def test_garbage_never_harms_the_next_good_frame(host, before, between):
    writes = [*before, encode(infer(1, GOOD)), *between, encode(infer(2, THIRD))]
    received = host.exchange(writes)
    assert [frame for frame in received if isinstance(frame, Frame) and frame.kind != Kind.ERROR] == [
        answer(1, GOOD),
        answer(2, THIRD),
    ]


ENDLESS = {
    "framing errors": [WIRE[:10], *[-12, 12] * 30],
    "framing errors between bytes": [item for byte in WIRE * 2 for item in (bytes([byte]), -12, 12)],
    "a byte before each time-out": [WIRE[:10], *[TIMEOUT_BITS - 20, b"x"] * 10],
    "a line that stays low": [WIRE[:10], -10 * TIMEOUT_BITS],
}


@pytest.mark.parametrize("name", ENDLESS)
def test_the_next_flag_ends_what_would_never_end(host, name):
    received = host.exchange([*ENDLESS[name], 1, encode(infer(1, GOOD)), encode(infer(2, THIRD))])
    assert received[-2:] == [answer(1, GOOD), answer(2, THIRD)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network_id": b"abc"}, r"^network_id must have 8 bytes, not 3$"),
        ({"input_elements": 13}, r"^lanes=4 must divide elements=13, those of a frame$"),
        ({"target": "asic"}, r"^target='asic' must be one of \['ecp5', 'ice40', 'portable'\]$"),
        ({"timeout_s": 1e-3}, r"^timeout_cycles=1000 must be at least \d+, two bytes' time$"),
    ],
)
def test_options_are_checked(options, message):
    core = Core(units=[StreamBuffer(width=12)], input_lanes=4, input_width=3, output_lanes=4, output_width=3)
    arguments = {
        "core": core,
        "clock_hz": CLOCK_HZ,
        "port": UartPort(clock_hz=CLOCK_HZ, baud=10_000),
        "network_id": bytes(8),
        "input_elements": 12,
        "output_elements": 12,
        "target": PORTABLE,
    }
    with pytest.raises(ValueError, match=message):
        Top(**(arguments | options))
