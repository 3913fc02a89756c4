"""The UART and the link alone, under cocotb: a core that stalls at random, several baud rates, damaged frames."""

# pyright: reportGeneralTypeIssues=false, reportAttributeAccessIssue=false, reportArgumentType=false

import random
from collections.abc import Callable

import pytest
from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.core import Core
from bnnhw.hw.link.phy.uart_port import UartPort
from bnnhw.hw.protocol import ESCAPE, FLAG, Decoder, ErrorCode, Frame, Kind, encode
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.top import Top
from bnnhw.sim.icarus.runner import CocotbUart

CLOCK_HZ = 1_000_000
IMAGE_BYTES = 6


class StallingParity(wiring.Component):
    """Answers an image of IMAGE_BYTES bytes with their XOR. Both sides pause where a 16-bit LFSR says so."""

    def __init__(self, *, seed: int):
        self.seed = seed
        super().__init__({"i": In(flat_stream(8)), "o": Out(flat_stream(8))})

    def elaborate(self, platform):
        m = Module()
        noise = Signal(16, init=self.seed)
        beat = Signal(range(IMAGE_BYTES + 1))
        parity = Signal(8)
        offering = Signal()
        done = beat == IMAGE_BYTES
        m.d.sync += noise.eq((noise >> 1) ^ Mux(noise[0], 0xB400, 0))
        m.d.comb += [
            self.i.ready.eq(~done & (noise[:2] == 0)),
            self.o.valid.eq(offering),
            self.o.payload.eq(parity),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [beat.eq(beat + 1), parity.eq(parity ^ self.i.payload)]
        with m.If(done & (noise[2:5] == 0)):  # once offered, a beat stays
            m.d.sync += offering.eq(1)
        with m.If(offering & self.o.ready):
            m.d.sync += [offering.eq(0), beat.eq(0), parity.eq(0)]
        return m


def simulate(*, cycles_per_bit: int, seed: int) -> CocotbUart:
    core = Core(units=[StallingParity(seed=seed)], input_lanes=8, input_width=1, output_lanes=1, output_width=8)
    top = Top(
        core=core,
        clock_hz=CLOCK_HZ,
        port=UartPort(clock_hz=CLOCK_HZ, baud=CLOCK_HZ // cycles_per_bit),
        network_id=bytes(8),
        input_elements=8 * IMAGE_BYTES,
        output_elements=1,
        timeout_s=100 * cycles_per_bit / CLOCK_HZ,
        target=PORTABLE,
    )
    return CocotbUart(top, cycles_per_bit=cycles_per_bit)


def plain(rng: random.Random, wire: bytes) -> int:
    """The place of a byte of a frame's body that is neither escaped nor near to it."""
    places = [n for n in range(1, len(wire) - 1) if ESCAPE not in wire[n - 1 : n + 1]]
    return rng.choice(places[6:])  # behind the header


def flip(rng: random.Random, wire: bytes) -> bytes:
    at = plain(rng, wire)
    masks = [1 << bit for bit in range(8) if wire[at] ^ 1 << bit not in (FLAG, ESCAPE)]
    return wire[:at] + bytes([wire[at] ^ rng.choice(masks)]) + wire[at + 1 :]


def lose(rng: random.Random, wire: bytes) -> bytes:
    at = plain(rng, wire)
    return wire[:at] + wire[at + 1 :]


def add(rng: random.Random, wire: bytes) -> bytes:
    at = plain(rng, wire)
    return wire[:at] + b"\x55" + wire[at:]


def abort(rng: random.Random, wire: bytes) -> bytes:
    return wire[: plain(rng, wire)] + bytes([ESCAPE, FLAG])


DAMAGE: dict[ErrorCode, Callable[[random.Random, bytes], bytes]] = {
    ErrorCode.CRC: flip,
    ErrorCode.SHORT: lose,
    ErrorCode.LONG: add,
    ErrorCode.FRAMING: abort,
}


@pytest.mark.cocotb
@pytest.mark.parametrize(("cycles_per_bit", "seed"), [(4, 1), (5, 2), (9, 3), (16, 4)])
def test_damaged_frames_among_good_ones(cycles_per_bit: int, seed: int):
    """Good frames get their answers, in order, damaged ones the error that is theirs, whatever the core's pace."""
    rng = random.Random(seed)
    writes: list[bytes | int] = []
    expected: list[tuple[int, bytes]] = []
    errors: list[ErrorCode] = []
    for sequence in range(12):
        image = rng.randbytes(IMAGE_BYTES)
        wire = encode(Frame(Kind.INFER, sequence, image))
        if rng.random() < 0.5:
            code = rng.choice(list(DAMAGE))
            writes.append(DAMAGE[code](rng, wire))
            errors.append(code)
        if rng.random() < 0.3:
            writes.append(rng.randrange(1, 40))
        writes.append(wire)
        parity = 0
        for byte in image:
            parity ^= byte
        expected.append((sequence, bytes([parity])))
    received = list(Decoder().feed(simulate(cycles_per_bit=cycles_per_bit, seed=seed).exchange(writes, silence=600)))

    assert all(isinstance(frame, Frame) for frame in received), received
    frames = [frame for frame in received if isinstance(frame, Frame)]
    answers = [(frame.sequence, frame.payload[:-4]) for frame in frames if frame.kind == Kind.INFER_ANSWER]
    assert answers == expected, f"seed={seed}"
    assert [frame.payload[0] for frame in frames if frame.kind == Kind.ERROR] == errors, f"seed={seed}"
