"""Whatever a host babbles, the device refuses it and loses nothing: what the UART engine simulates in a moment."""

import zlib

import pytest

from bnnhw.hw.protocol import CRC_BYTES, ESCAPE, FLAG, MAX_PAYLOAD, Decoder, ErrorCode, Frame, Kind, encode
from bnnhw.sim.batch.program import Program
from bnnhw.sim.batch.simulator import compile_design
from bnnhw.sim.board.uart_engine import UartEngine
from bnnhw.sim.netlist.netlist import convert_component
from tests.hw.link.phy.uart_host import CYCLES_PER_BIT
from tests.hw.test_top import BODY, CLOCK_HZ, OTHER, WIRE, answer, error, infer, make_top, packed, random_image

WINDOW = 31


@pytest.fixture(scope="module")
def program() -> Program:
    return compile_design(convert_component(make_top()))


def exchange(program: Program, *writes: bytes) -> list[Frame | ErrorCode]:
    """What comes back from a device after its reset; each write waits until nothing moves any more."""
    engine = UartEngine(program, rx="rx", tx="tx", clock_hz=CLOCK_HZ, baud=CLOCK_HZ // CYCLES_PER_BIT)
    decoder, received = Decoder(), []
    for write in (b"", *writes):
        queue, idle = bytearray(write), False
        while queue or not idle:
            data, idle = engine.run(queue)
            received += decoder.feed(data)
    return received


BABBLE = {
    "bytes outside of frames": bytes(2000),
    "a frame that never ends": WIRE[:-1] + bytes(range(100)) * 60,
    "beats without end": WIRE[:7] + WIRE[7:-5] * 600,
    "escapes without end": b"~" + b"}" * 5001,
    "flags": b"~" * 2000,
    "short frames": b"~x" * 1000,
    "aborted frames": b"~}" * 1000,
    "frames that are too long": (WIRE[:-1] + b"x") * 200,
    "frames of another length": encode(Frame(Kind.INFER, 9, bytes(3))) * 200,
    "frames of another kind": encode(Frame(0x42, 9, bytes(3))) * 200,
    "the same frame": WIRE * 200,
    "requests for INFO": encode(Frame(Kind.INFO, 9, b"")) * 200,
    "requests beyond the window": b"".join(encode(infer(n % 256, OTHER)) for n in range(500)),
}


@pytest.mark.parametrize("name", BABBLE)
def test_loses_nothing_of_its_window(program: Program, name: str):
    images = [random_image(seed) for seed in range(WINDOW)]
    requests = b"".join(encode(infer(100 + number, image)) for number, image in enumerate(images))
    received = exchange(program, BABBLE[name], encode(Frame(Kind.INFO, 9, b"")), requests)
    frames = [frame for frame in received[-WINDOW:] if isinstance(frame, Frame)]
    assert [(frame.kind, frame.sequence, frame.payload[:-4]) for frame in frames] == [
        (Kind.INFER_ANSWER, 100 + number, packed(image)) for number, image in enumerate(images)
    ]


def test_counts_no_frame_beyond_the_end_of_its_counter(program: Program):
    """Its CRC is right, and counted modulo 2^14 its bytes would be as many as it declares."""
    body = BODY[:-CRC_BYTES] + bytes(1 << (2 * MAX_PAYLOAD + 1).bit_length())
    body += zlib.crc32(body).to_bytes(4, "little")
    assert not {FLAG, ESCAPE} & set(body)
    received = exchange(program, bytes([FLAG, *body]) + encode(infer(9, OTHER)))
    assert received == [error(9, ErrorCode.LONG), answer(9, OTHER)]
