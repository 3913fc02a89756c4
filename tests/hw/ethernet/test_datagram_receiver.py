"""DatagramReceiver against BoardEnd: what networks do to datagrams, stalls, and a queue that is full."""

import random

import pytest

from bnnhw.hw.datagrams import BoardEnd, Datagram
from bnnhw.hw.ethernet.datagram_receiver import DatagramReceiver
from bnnhw.hw.protocol import FLAG
from bnnhw.hw.targets import PORTABLE

from .wire import Packet, send_packets, simulate

NUMBERS = 1 << 32


def payload(rng: random.Random) -> bytes:
    """With flags at the begin, within, or none."""
    data = bytearray(byte for byte in rng.randbytes(rng.choice([0, 1, 2, 20, 40])) if byte != FLAG)
    for _ in range(rng.randrange(3)):
        data.insert(rng.randint(0, len(data)), FLAG)
    return bytes(data)


def opening_of(board: BoardEnd) -> int:
    """That of its conversation; 0 where it has none."""
    answer = Datagram.from_bytes(board.wrap(b"")) if board.peer else None
    return answer.opening if answer else 0


def hostile_datagrams(rng: random.Random, count: int) -> list[Packet]:
    """Several conversations: each counts up, with gaps, late and doubled ones, and others' between them."""
    sent: list[Packet] = []
    opening, board = 0, BoardEnd()
    session, number = rng.getrandbits(32), rng.choice([0, NUMBERS - 3, NUMBERS // 2 - 2, rng.getrandbits(32)])
    for _ in range(count):
        if rng.random() < 0.06:
            session, opening, number = rng.choice([session ^ 1, rng.getrandbits(32), 0]), 0, rng.getrandbits(32)
        step = rng.choice([0] * 12 + [1, 2, 1000, NUMBERS // 2 - 1, NUMBERS // 2, -1, -2])
        tried = (number + step) % NUMBERS
        other = rng.choice([opening] * 12 + [0, opening + 1 & 0xFFFF, opening ^ 0x100])
        data = bytearray(Datagram(other, session, tried, payload(rng)).to_bytes())
        if rng.random() < 0.08:
            data[rng.randrange(16)] ^= 1 << rng.randrange(8)
        if rng.random() < 0.04:
            del data[rng.randrange(17) :]
        new = [Packet(bytes(data), rng.random() < 0.95)]
        if sent and rng.random() < 0.05:
            new.append(rng.choice(sent))
        for packet in new:
            if packet.good:
                board.unwrap(packet.data, "host")
        sent += new
        if rng.random() < 0.9:
            opening = opening_of(board)
        number = (tried + 1) % NUMBERS if step < 3 else number
    return sent


@pytest.mark.parametrize(("seed", "gaps", "stall"), [(0, 0, 0), (1, 0, 0.3), (2, 0.3, 0.5), (3, 0, 0), (4, 0, 0)])
def test_equals_board_end(seed: int, gaps: float, stall: float):
    rng = random.Random(seed)
    dut, board = DatagramReceiver(depth=2048, target=PORTABLE), BoardEnd()
    packets = hostile_datagrams(rng, 300)
    senders = [rng.randbytes(12) for _ in packets]
    expected, told = bytearray(), bytearray()

    async def source(ctx):
        for packet, sender in zip(packets, senders, strict=True):
            ctx.set(dut.sender, int.from_bytes(sender, "little"))
            await send_packets(ctx, dut.i, [packet], rng=rng, gaps=gaps)
            if packet.good:
                expected.extend(board.unwrap(packet.data, sender))
            assert ctx.get(dut.conversation.opening) == opening_of(board)
            if board.peer:
                answer = Datagram.from_bytes(board.wrap(b""))
                assert answer
                assert ctx.get(dut.conversation.session) == answer.session
                assert ctx.get(dut.conversation.peer).to_bytes(12, "little") == board.peer
        await ctx.tick().repeat(200)

    async def reader(ctx):
        while True:
            ready = rng.random() >= stall
            ctx.set(dut.o.ready, ready)
            _, _, valid, byte = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            told.extend([byte] * (valid and ready))

    simulate(dut, source, background=[reader])
    assert told == expected
    assert len(expected) > 500


def test_what_finds_no_room_is_lost_whole():
    """As if it had never come: what follows counts from its first flag."""
    dut, told, full = DatagramReceiver(depth=64, target=PORTABLE), bytearray(), b"\x7e" + b"a" * 49
    payloads = [full, full, b"bb\x7eb\x7e", b"c\x7e"]
    packets = [Packet(Datagram(0, 5, number, data).to_bytes(), True) for number, data in enumerate(payloads)]

    async def source(ctx):
        await send_packets(ctx, dut.i, packets, rng=random.Random(0), gaps=0)
        ctx.set(dut.o.ready, 1)
        for _ in range(100):
            _, _, valid, byte = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            told.extend([byte] * valid)

    simulate(dut, source)
    assert told == full + b"\x7eb\x7ec\x7e"


def test_openings_begin_again():
    """Behind 65,535 comes 1: 0 asks for a conversation."""
    dut = DatagramReceiver(depth=64, target=PORTABLE)

    async def source(ctx):
        opened = []
        ctx.set(dut.i.good, 1)
        for session in range(1, 4):
            await send_packets(
                ctx, dut.i, [Packet(Datagram(0, session, 0, b"").to_bytes(), True)], rng=random.Random(0), gaps=0
            )
            opened.append(ctx.get(dut.conversation.opening))
            if session == 1:
                ctx.set(dut.conversation.opening, 0xFFFE)
        assert opened == [1, 0xFFFF, 1]

    simulate(dut, source)
