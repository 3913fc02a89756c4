"""UdpEndpoint from wire to wire: a host that asks, pings and sends, a link that stands still, and the wire's share."""

import random

import pytest

from bnnhw.hw.datagrams import HostEnd, take_frames
from bnnhw.hw.ethernet.endpoint import UdpEndpoint
from bnnhw.hw.targets import PORTABLE

from .packets import HOST_IP, HOST_MAC, IP, MAC, PORT, arp_request, datagram, echo_request, sort
from .wire import PREAMBLE, Cycle, on_wire, simulate, with_fcs

FLAG = b"\x7e"


class Wire:
    """A host's end of the wire: what the endpoint sends, without preamble and FCS, and the cycles it takes."""

    def __init__(self, dut: UdpEndpoint):
        self.dut = dut
        self.frames: list[bytes] = []
        self.ends: list[int] = []

    async def say(self, ctx, cycles: list[Cycle]) -> None:
        for cycle in cycles:
            for name, value in cycle._asdict().items():
                ctx.set(getattr(self.dut, f"rx_{name}"), value)
            await ctx.tick()

    async def watch(self, ctx) -> None:
        burst, now = bytearray(), 0
        async for _, _, data, valid in ctx.tick().sample(self.dut.tx_data, self.dut.tx_valid):
            now += 1
            if valid:
                burst.append(data)
            elif burst:
                frame = bytes(burst[8:-4])
                assert bytes(burst) == PREAMBLE + with_fcs(frame, least=0)
                self.frames.append(frame)
                self.ends.append(now)
                burst.clear()


def endpoint(*, depth: int = 4096, patience: int = 50) -> UdpEndpoint:
    return UdpEndpoint(mac=MAC, ip=IP, port=PORT, depth=depth, patience=patience, target=PORTABLE)


@pytest.mark.parametrize(("seed", "stands_still"), [(0, False), (1, True)])
def test_answers_whatever_the_link_does(seed: int, stands_still: bool):
    """ARP and pings among datagrams: all are answered, where the link takes bytes and echoes them and where it does
    not and its queue is full."""
    rng, dut, host = random.Random(seed), endpoint(depth=1024), HostEnd()
    wire, expected, sent, told = Wire(dut), [], bytearray(), bytearray()
    host.begin()

    async def say(ctx):
        await wire.say(ctx, [Cycle()])
        for number in range(16):
            request = rng.choice([arp_request(), echo_request(rng.randbytes(60))])
            expected.append(sort(request.ljust(60, b"\0")).answer.ljust(60, b"\0"))
            payload = FLAG + bytes(rng.choices(range(0x7D), k=rng.choice([10, 300]))) + FLAG
            sent.extend(payload)
            for frame in (datagram(host.wrap(payload)), request):
                await wire.say(ctx, on_wire(with_fcs(frame)))
            if not number:
                await wire.say(ctx, [Cycle()] * 300)
        await wire.say(ctx, [Cycle()] * 1500)

    async def link(ctx):
        """Echoes what it hears, byte by byte."""
        while not stands_still:
            ctx.set(dut.o.ready, 1)
            _, _, valid, byte = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            ctx.set(dut.o.ready, 0)
            if valid:
                ctx.set(dut.i.payload, byte)
                ctx.set(dut.i.valid, 1)
                taken = False
                while not taken:
                    _, _, taken = await ctx.tick().sample(dut.i.ready)
                ctx.set(dut.i.valid, 0)

    simulate(dut, say, background=[wire.watch, link])
    to_host = HOST_MAC + HOST_IP
    assert [frame for frame in wire.frames if frame[23] != 17 or frame[12:14] != b"\x08\0"] == expected
    for frame in wire.frames:
        if frame[12:14] == b"\x08\0" and frame[23] == 17:
            assert frame[:6] + frame[30:34] == to_host
            told += host.unwrap(frame[42 : 14 + int.from_bytes(frame[16:18], "big")])
    assert told == (b"" if stands_still else sent)


def test_share_of_the_wire():
    """Bytes of the stream each way at once where each is ready: over 90 % of the cycles of a gigabit."""
    dut, host, count = endpoint(patience=2000), HostEnd(), 8
    wire, heard = Wire(dut), bytearray()
    host.begin()
    payload = (FLAG + bytes(726) + FLAG) * 2

    async def say(ctx):
        await wire.say(ctx, [Cycle()])
        for _ in range(count):
            await wire.say(ctx, on_wire(with_fcs(datagram(host.wrap(payload)))))
        await wire.say(ctx, [Cycle()] * 4000)

    async def hear(ctx):
        ctx.set(dut.o.ready, 1)
        async for _, _, valid, byte in ctx.tick().sample(dut.o.valid, dut.o.payload):
            heard.extend([byte] * valid)

    async def link(ctx):
        stream, place = payload * (count + 4), 0
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.i.payload, stream[0])
        async for _, _, ready in ctx.tick().sample(dut.i.ready):
            place = (place + ready) % len(stream)
            ctx.set(dut.i.payload, stream[place])

    simulate(dut, say, background=[wire.watch, hear, link])
    assert heard == payload * count
    datagrams = [frame for frame in wire.frames if len(frame) > 1000]
    assert len(datagrams) >= count
    assert {len(frame) for frame in datagrams} == {58 + len(payload)}
    assert all([*take_frames(bytearray(frame[58:]))] == [payload[:728]] * 2 for frame in datagrams)
    cycles = (wire.ends[-1] - wire.ends[-count]) / (count - 1)
    print(f"{len(payload)} bytes in {cycles} cycles: {len(payload) / cycles:.3f} of the wire")
    assert len(payload) / cycles > 0.9
