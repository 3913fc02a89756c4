"""Top: images in, answers out, over the UART."""

import random

import numpy as np

from bnnhw.hw.core import Core
from bnnhw.hw.protocol import Frame, Info, Kind, encode
from bnnhw.hw.stream import StreamBuffer
from bnnhw.hw.top import Top

from .uart_host import CYCLES_PER_BIT, exchange

CLOCK_HZ = 1_000_000


def make_top(**options) -> Top:
    core = Core(
        units=[StreamBuffer(width=2 * 4 * 3), StreamBuffer(width=2 * 4 * 3)],
        input_lanes=4, input_width=3, output_lanes=4, output_width=3, vectors=2,
    )  # fmt: skip
    return Top(
        **dict(
            core=core,
            clock_hz=CLOCK_HZ,
            baud=CLOCK_HZ // CYCLES_PER_BIT,
            network_id=bytes(range(8)),
            input_elements=12,
            output_elements=12,
            timeout_s=400e-6,
            technology="portable",
        )
        | options
    )


def test_first_contact():
    rng = random.Random(0)
    image = [rng.getrandbits(3) for _ in range(12)]
    bits = np.array([[value >> bit & 1 for bit in range(3)] for value in image]).reshape(-1)
    packed = np.packbits(bits, bitorder="little").tobytes()
    top = make_top()
    answers = exchange(
        top, [encode(Frame(Kind.INFO, 77, b"")), encode(Frame(Kind.INFER, 0, packed))], answers=2, clock_hz=CLOCK_HZ
    )
    info = Info(window=32, input_bytes=5, output_bytes=12, clock_hz=CLOCK_HZ, network_id=bytes(range(8)))
    assert top.info == info
    assert answers == [
        Frame(Kind.INFO_ANSWER, 77, info.to_bytes()),
        Frame(Kind.INFER_ANSWER, 0, (4).to_bytes(4, "little") + bytes(image)),
    ]
