"""Frames on the wire: what MacReceiver takes, what MacTransmitter sends, and one into the other."""

import random

import pytest

from bnnhw.hw.ethernet.mac import MacReceiver, MacTransmitter

from .wire import GAP, PREAMBLE, Arrivals, Cycle, Packet, on_wire, simulate, with_fcs

MAC = bytes.fromhex("02626e6e6877")
OTHER = bytes.fromhex("02626e6e6878")
ALL = b"\xff" * 6


def received(wire: list[Cycle]) -> list[Packet]:
    """What a MacReceiver makes of what the PHY says."""
    dut = MacReceiver(mac=MAC)
    arrived = Arrivals(dut.o)

    async def phy(ctx):
        for cycle in wire:
            for name, value in cycle._asdict().items():
                ctx.set(getattr(dut, name), value)
            await ctx.tick()

    simulate(dut, phy, background=[arrived.watch])
    return arrived.packets


@pytest.mark.parametrize("seed", range(3))
def test_takes_good_frames(seed: int):
    """To this station and to all, of all lengths, with short preambles and short gaps."""
    rng = random.Random(seed)
    lengths = [60, 61, 1513, 1514, rng.randint(60, 900)]
    frames = [rng.choice([MAC, ALL]) + rng.randbytes(length - 6) for length in lengths]
    rng.shuffle(frames)
    wire = [Cycle()] * 3
    for frame in frames:
        wire += on_wire(with_fcs(frame), preamble=PREAMBLE[rng.randint(0, 7) :], gap=rng.randint(1, 14))
    assert received([*wire, *[Cycle()] * GAP]) == [Packet(frame.ljust(60, b"\0"), True) for frame in frames]


def flipped(frame: bytes, bit: int) -> bytes:
    damaged = bytearray(frame)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


@pytest.mark.parametrize("seed", range(3))
def test_tells_what_is_not_to_be_taken(seed: int):
    rng = random.Random(seed)
    good = with_fcs(MAC + rng.randbytes(rng.randint(54, 300)))
    bad = [
        flipped(good, rng.randrange(48, 8 * len(good))),
        good[:-1],
        good + b"\0",
        with_fcs(MAC + rng.randbytes(53), least=59),  # a runt
        with_fcs(MAC + rng.randbytes(1509)),  # a giant
        with_fcs(OTHER + rng.randbytes(54)),
        with_fcs(flipped(ALL, rng.randrange(48)) + rng.randbytes(54)),
        with_fcs(MAC + rng.randbytes(3000)),
    ]
    rng.shuffle(bad)
    wire = [Cycle()]
    for frame in bad:
        wire += on_wire(frame)
        wire += on_wire(good)
    error_at = rng.randrange(8, 8 + len(good))
    wire += on_wire(good, error_at=error_at)
    wire += on_wire(good)
    expected = [(frame, verdict) for each in [*bad, good] for frame, verdict in ((each, False), (good, True))]
    assert received(wire) == [Packet(frame[:-4], verdict) for frame, verdict in expected]


def test_leaves_out_what_has_no_begin():
    """A frame that was under way, one without a start, and one with an error before it."""
    good = with_fcs(MAC + b"hello")
    wire = [Cycle(0x55, True), *on_wire(good), *on_wire(good)]
    wire += [*on_wire(good, preamble=PREAMBLE[:7]), *on_wire(good), *on_wire(good, error_at=7), *on_wire(good)]
    assert received(wire) == [Packet(good[:-4], True)] * 3


def sent(frames: list[bytes], *, pause: int) -> list[tuple[int, bytes]]:
    """What a MacTransmitter makes of frames: the idle cycles before each, and its bytes."""
    dut = MacTransmitter()
    bursts: list[tuple[int, bytes]] = []

    async def source(ctx):
        for frame in frames:
            for place, byte in enumerate(frame):
                ctx.set(dut.i.payload, byte | (place == len(frame) - 1) << 8)
                ctx.set(dut.i.valid, 1)
                await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)
            ctx.set(dut.i.payload, 0x1AA)
            if pause:
                await ctx.tick().repeat(pause)
        await ctx.tick().repeat(100)

    async def watch(ctx):
        idle, burst = 0, bytearray()
        async for _, _, data, valid in ctx.tick().sample(dut.data, dut.valid):
            if valid:
                burst.append(data)
            elif burst:
                bursts.append((idle, bytes(burst)))
                idle, burst = 1, bytearray()
            else:
                idle += 1

    simulate(dut, source, background=[watch])
    return bursts


@pytest.mark.parametrize("pause", [0, 1, 5, 200])
def test_sends_whole_frames(pause: int):
    """Padded, with preamble and FCS; frames that wait follow each other after the least gap."""
    rng = random.Random(pause)
    frames = [rng.randbytes(length) for length in (60, 14, 59, 61, 1514, 1, 42, 300)]
    bursts = sent(frames, pause=pause)
    assert [burst for _, burst in bursts] == [PREAMBLE + with_fcs(frame) for frame in frames]
    gaps = [idle for idle, _ in bursts[1:]]
    if pause:
        assert min(gaps) >= GAP
    else:
        assert gaps == [GAP] * (len(frames) - 1)


def test_sends_what_it_takes():
    frames = [ALL + random.Random(1).randbytes(length) for length in (54, 100)]
    wire = [Cycle()] * 2
    for idle, burst in sent(frames, pause=0):
        wire += [*[Cycle()] * idle, *(Cycle(byte, True) for byte in burst)]
    assert received([*wire, *[Cycle()] * GAP]) == [Packet(frame.ljust(60, b"\0"), True) for frame in frames]


@pytest.mark.parametrize("mac", [b"", bytes(5), b"\x03" + bytes(5)])
def test_mac_is_checked(mac: bytes):
    with pytest.raises(ValueError, match=r"^mac=.* must have 6 bytes, the first of them even: a single station's$"):
        MacReceiver(mac=mac)
