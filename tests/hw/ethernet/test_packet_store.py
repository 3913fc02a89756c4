"""PacketStore: the good packets and no others, whole, whatever the reader's pace."""

import random

import pytest

from bnnhw.hw.ethernet.packet_store import PacketStore
from bnnhw.hw.targets import PORTABLE

from .wire import Packet, send_packets, simulate

DEPTH = 64


@pytest.mark.parametrize(("gaps", "stall"), [(0, 0), (0.3, 0.3), (0, 0.6), (0.5, 0.9)])
@pytest.mark.parametrize("seed", range(2))
def test_keeps_good_packets_that_find_room(gaps: float, stall: float, seed: int):
    """A packet is kept, or lost whole where the reader is slow; it comes without pauses once it has begun."""
    rng, dut = random.Random(seed), PacketStore(depth=DEPTH, target=PORTABLE)
    packets = [Packet(bytes([k, *rng.randbytes(rng.choice([0, 1, 2, 30, 70]))]), rng.random() < 0.8) for k in range(60)]
    packets += [Packet(b"", True), Packet(b"end", True)]
    taken: list[bytes] = []

    async def source(ctx):
        await send_packets(ctx, dut.i, packets, rng=rng, gaps=gaps)
        await ctx.tick().repeat(40 * DEPTH)

    async def reader(ctx):
        packet = bytearray()
        while True:
            ready = rng.random() >= stall
            ctx.set(dut.o.ready, ready)
            _, _, valid, beat = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            assert valid or not packet, "a pause within a packet"
            if valid and ready:
                packet.append(beat & 0xFF)
                if beat >> 8:
                    taken.append(bytes(packet))
                    packet.clear()

    simulate(dut, source, background=[reader])
    good = [packet.data for packet in packets if packet.good and 0 < len(packet.data) < DEPTH]
    places = [good.index(packet) for packet in taken]  # the first byte numbers them
    assert places == sorted(set(places))
    if not stall or gaps > stall:
        assert taken == good
    else:
        assert len(taken) > len(good) // 8


def test_drops_what_finds_no_room_and_keeps_the_next():
    dut = PacketStore(depth=DEPTH, target=PORTABLE)
    packets = [Packet(bytes([k]) * length, True) for k, length in enumerate((30, 50, 20, 30, 5))]
    taken: list[int] = []

    async def source(ctx):
        await send_packets(ctx, dut.i, packets, rng=random.Random(0), gaps=0)
        ctx.set(dut.o.ready, 1)
        for _ in range(2 * DEPTH):
            _, _, valid, beat = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            taken.extend([beat] * valid)

    simulate(dut, source)
    kept = [packets[0].data, packets[2].data, packets[4].data]
    assert taken == [byte | (place == len(data) - 1) << 8 for data in kept for place, byte in enumerate(data)]
