"""DatagramPacker and DatagramSender against `pack` and frames by hand."""

# pyright: reportAttributeAccessIssue=false

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.datagrams import Datagram, pack, take_frames
from bnnhw.hw.ethernet.conversation import conversation
from bnnhw.hw.ethernet.datagram_packer import DatagramPacker
from bnnhw.hw.ethernet.datagram_sender import DatagramSender
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import PORTABLE

from .packets import IP, MAC, PORT, answer_datagram
from .wire import simulate

FLAG = b"\x7e"


def link_frames(rng: random.Random, lengths: list[int]) -> list[bytes]:
    """Frames of so many bytes between flags."""
    values = [0, *range(0x7E)]
    return [FLAG + bytes(rng.choices(values, k=length)) + FLAG for length in lengths]


@pytest.mark.parametrize(("seed", "stall"), [(0, 0), (1, 0.5), (2, 0.8)])
def test_packs_whole_frames(seed: int, stall: float):
    """A patient packer does what `pack` does, but for the last datagram, which it closes when it has waited."""
    rng, room = random.Random(seed), 100
    dut = DatagramPacker(room=room, patience=2000, depth=256, target=PORTABLE)
    lengths = [rng.choice([1, 5, 20, 47, 98, 99, 250]) for _ in range(60)]
    frames = [*link_frames(rng, lengths), *link_frames(rng, [1, 1])]
    expected, payloads = list(pack(frames, room=room)), []

    async def source(ctx):
        for byte in b"".join(frames):
            while rng.random() < stall / 2:
                await ctx.tick()
            ctx.set(dut.i.payload, byte)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)
        await ctx.tick().repeat(2000)
        await ctx.tick().repeat(1000)

    async def reader(ctx):
        while True:
            _, _, closed, length = await ctx.tick().sample(dut.lengths.valid, dut.lengths.payload)
            if not closed:
                continue
            payload = bytearray()
            while len(payload) < length:
                ready = rng.random() >= stall
                ctx.set(dut.o.ready, ready)
                _, _, valid, byte = await ctx.tick().sample(dut.o.valid, dut.o.payload)
                payload += bytes([byte] * (valid and ready))
            ctx.set(dut.o.ready, 0)
            payloads.append(bytes(payload))
            ctx.set(dut.lengths.ready, 1)
            await ctx.tick()
            ctx.set(dut.lengths.ready, 0)

    simulate(dut, source, background=[reader])
    assert payloads == expected


class Sender(wiring.Component):
    """From the link's bytes to frames."""

    def __init__(self, *, patience: int):
        self.patience = patience
        super().__init__({"i": In(flat_stream(8)), "o": Out(flat_stream(9)), "conversation": In(conversation())})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.packer = packer = DatagramPacker(room=1456, patience=self.patience, depth=4096, target=PORTABLE)
        m.submodules.sender = sender = DatagramSender(mac=MAC, ip=IP, port=PORT)
        wiring.connect(m, wiring.flipped(self.i), packer.i)
        wiring.connect(m, packer.lengths, sender.lengths)
        wiring.connect(m, packer.o, sender.i)
        wiring.connect(m, wiring.flipped(self.conversation), sender.conversation)
        wiring.connect(m, sender.o, wiring.flipped(self.o))
        return m


@pytest.mark.parametrize(("seed", "stall", "renewal"), [(0, 0, 0.01), (1, 0.4, 0.005), (2, 0, 0.03), (3, 0, 0)])
def test_frames_are_right_to_the_byte(seed: int, stall: float, renewal: float):
    """Conversations change at any time, within a datagram too: each frame is of one of them, numbered from 0 on, and
    without a pause."""
    rng, dut = random.Random(seed), Sender(patience=20)
    frames = link_frames(rng, [rng.choice([1, 2, 20, 100, 1454, 2000]) for _ in range(30)])
    told: list[bytes] = []
    talks = [(0, 0, 0)]
    done = False

    async def source(ctx):
        nonlocal done
        for byte in b"".join(frames):
            ctx.set(dut.i.payload, byte)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)
            if rng.random() < 0.02:
                await ctx.tick().repeat(rng.randrange(1, 100))
        done = True
        await ctx.tick().repeat(4500)

    async def host(ctx):
        while True:
            renews = rng.random() < renewal and not done
            ctx.set(dut.conversation.opened, renews)
            if renews:
                talks.append((len(talks), rng.getrandbits(32), rng.getrandbits(96)))
                for name, value in zip(("opening", "session", "peer"), talks[-1], strict=True):
                    ctx.set(getattr(dut.conversation, name), value)
            await ctx.tick()

    async def reader(ctx):
        frame = bytearray()
        while True:
            ready = rng.random() >= stall
            ctx.set(dut.o.ready, ready)
            _, _, valid, beat = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            assert valid or not frame, "a pause within a frame"
            if valid and ready:
                frame.append(beat & 0xFF)
                if beat >> 8:
                    told.append(bytes(frame))
                    frame.clear()

    simulate(dut, source, background=[host, reader])
    stream, openings, numbers = bytearray(), [], []
    for frame in told:
        datagram = Datagram.from_bytes(frame[42:])
        assert datagram
        opening, session, peer = talks[datagram.opening]
        again = Datagram(opening, session, datagram.number, datagram.payload).to_bytes()
        assert frame == answer_datagram(again, to=peer.to_bytes(12, "little"))
        numbers.append(datagram.number)
        openings.append(opening)
        stream += datagram.payload
    assert stream == b"".join(frames)
    assert openings == sorted(openings)
    assert numbers == [openings[:place].count(opening) for place, opening in enumerate(openings)]
    assert len(set(openings)) > 5 or not renewal
    assert [*take_frames(stream)] == frames


@pytest.mark.parametrize("late", range(12))
def test_an_opening_beside_a_begin(late: int):
    """Whatever the cycle of an opening, the datagrams behind it are numbered 0, 1, .."""
    dut, told = Sender(patience=1), []

    async def source(ctx):
        for opening in (1, 2):
            for byte in b"\x7ea\x7e":
                ctx.set(dut.i.payload, byte)
                ctx.set(dut.i.valid, 1)
                await ctx.tick().until(dut.i.ready)
                ctx.set(dut.i.valid, 0)
            await ctx.tick().repeat(late + 1)
            ctx.set(dut.conversation.opening, opening)
            ctx.set(dut.conversation.opened, 1)
            await ctx.tick()
            ctx.set(dut.conversation.opened, 0)
            await ctx.tick().repeat(150)
        for byte in b"\x7ea\x7e":
            ctx.set(dut.i.payload, byte)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)
        await ctx.tick().repeat(150)

    async def reader(ctx):
        frame = bytearray()
        ctx.set(dut.o.ready, 1)
        async for _, _, valid, beat in ctx.tick().sample(dut.o.valid, dut.o.payload):
            frame += bytes([beat & 0xFF] * valid)
            if valid and beat >> 8:
                told.append(Datagram.from_bytes(bytes(frame[42:])))
                frame.clear()

    simulate(dut, source, background=[reader])
    openings = [datagram.opening for datagram in told]
    assert openings in ([0, 1, 2], [1, 2, 2])
    numbers = [datagram.number for datagram in told]
    assert numbers == [openings[:place].count(opening) for place, opening in enumerate(openings)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"room": 0}, "room=0 must be positive, below 2048 and half of depth=4096"),
        ({"depth": 2048}, "room=1456 must be positive, below 2048 and half of depth=2048"),
        ({"patience": 0}, "patience=0 must be at least 1"),
    ],
)
def test_options_are_checked(options: dict, message: str):
    with pytest.raises(ValueError, match=f"^{message}$"):
        DatagramPacker(**({"room": 1456, "patience": 100, "depth": 4096, "target": PORTABLE} | options))
