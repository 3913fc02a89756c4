"""PacketSorter against Python: the packets that there are, and these with bytes changed."""

import random
import struct

import pytest

from bnnhw.hw.ethernet.sorter import PacketSorter

from .packets import (
    HOST_IP,
    IP,
    IPV4,
    PORT,
    UDP,
    arp_request,
    datagram,
    echo_request,
    ethernet,
    ipv4,
    sort,
    udp,
)
from .wire import Arrivals, Packet, send_packets, simulate


def changed(frame: bytes, place: int, value: int, *, mend: bool) -> bytes:
    """With another byte; `mend`: and the checksum of the IP header that is right then."""
    other = frame[:place] + bytes([value]) + frame[place + 1 :]
    if not mend:
        return other
    packet = ipv4(b"", protocol=0)
    header = bytearray(other[14:34].ljust(len(packet), b"\0"))
    header[10:12] = b"\0\0"
    total = sum(struct.unpack(">10H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    header[10:12] = struct.pack(">H", total ^ 0xFFFF)
    return other[:14] + header + other[34:]


def without_own_parts(answer: bytes) -> bytes:
    """An answer as the request has it: without what Responder adds and changes."""
    mac, rest = answer[:6], answer[12:]
    if rest[:2] == b"\x08\x06":
        return mac + rest[:9] + b"\x01" + rest[20:30]
    total = int.from_bytes(rest[24:26], "big") - 0x800
    return mac + rest[:14] + rest[18:22] + b"\x08\0" + struct.pack(">H", (total - (total < 0)) & 0xFFFF) + rest[26:]


def frames(rng: random.Random) -> list[bytes]:
    """Some of each kind, and changes of each."""
    plain = [
        arp_request(),
        arp_request(to=HOST_IP),
        *(echo_request(rng.randbytes(length)) for length in (4, 5, 56, 300)),
        *(datagram(rng.randbytes(length)) for length in (0, 1, 18, 19, 500)),
        ethernet(ipv4(udp(b"x"), protocol=UDP, flags=0), kind=IPV4),
    ]
    bad = [
        datagram(b"")[:16] + struct.pack(">H", 0x2000 | 28) + datagram(b"")[18:],
        ethernet(ipv4(udp(b"")[:7], protocol=UDP), kind=IPV4),
        ethernet(ipv4(udp(b"x" * 40), protocol=UDP)[:-1], kind=IPV4),
        ethernet(ipv4(b"\x08\0\0\0\0\0\0", protocol=1), kind=IPV4),
        ethernet(ipv4(udp(b"x" * 40, to=PORT ^ 1), protocol=UDP), kind=IPV4),
        ethernet(ipv4(udp(b"x" * 40), protocol=UDP, to=HOST_IP), kind=IPV4),
    ]
    fields = [changed(frame, place, 0, mend=False) for frame in plain[:3] for place in range(12, 42)]
    some = [
        changed(rng.choice(plain), rng.randrange(12, 46), rng.choice([rng.getrandbits(8), 0, 0x40, 0x80]), mend=mend)
        for mend in [False] * 60 + [True] * 120
        if mend or plain
    ]
    return [*plain, *bad, *fields, *some]


@pytest.mark.parametrize(("seed", "gaps"), [(0, 0), (1, 0), (2, 0.2)])
def test_equals_python(seed: int, gaps: float):
    rng, dut = random.Random(seed), PacketSorter(ip=IP, port=PORT)
    sent = frames(rng)
    rng.shuffle(sent)
    packets = [Packet(frame.ljust(60, b"\0"), rng.random() < 0.9) for frame in sent]
    requests, datagrams, senders = Arrivals(dut.requests), Arrivals(dut.datagrams), []

    async def source(ctx):
        await send_packets(ctx, dut.i, packets, rng=rng, gaps=gaps)

    async def watch(ctx):
        async for _, _, good, sender in ctx.tick().sample(dut.datagrams.good, dut.sender):
            if good:
                senders.append(sender.to_bytes(12, "little"))

    simulate(dut, source, background=[requests.watch, datagrams.watch, watch])
    expected = [sort(packet.data) for packet in packets if packet.good]
    answers = [without_own_parts(each.answer) for each in expected if each.answer]
    assert [packet.data for packet in requests.packets if packet.good] == answers
    payloads = [(each.payload, each.sender) for each in expected if each.payload is not None]
    assert [packet.data for packet in datagrams.packets if packet.good] == [payload for payload, _ in payloads]
    assert senders == [sender for _, sender in payloads]
    assert len(requests.packets) == len(datagrams.packets) == len(packets)
    assert min(len(answers), len(payloads)) > 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ip": bytes(4)}, "ip=.* must have 4 bytes and be a single station's"),
        ({"ip": b"\xe0\0\0\1"}, "ip=.* must have 4 bytes and be a single station's"),
        ({"ip": b"\1"}, "ip=.* must have 4 bytes and be a single station's"),
        ({"port": 0}, "port=0 must be from 1 to 65535"),
        ({"port": 65536}, "port=65536 must be from 1 to 65535"),
    ],
)
def test_options_are_checked(options: dict, message: str):
    with pytest.raises(ValueError, match=f"^{message}$"):
        PacketSorter(**({"ip": IP, "port": PORT} | options))
