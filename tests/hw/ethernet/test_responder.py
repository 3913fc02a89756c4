"""Responder against Python, through PacketSorter and PacketStore."""

# pyright: reportAttributeAccessIssue=false

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from bnnhw.hw.ethernet.arrivals import arrivals
from bnnhw.hw.ethernet.packet_store import PacketStore
from bnnhw.hw.ethernet.responder import Responder
from bnnhw.hw.ethernet.sorter import PacketSorter
from bnnhw.hw.stream.buffer import flat_stream
from bnnhw.hw.targets import PORTABLE

from .packets import HOST_IP, IP, MAC, PORT, arp_request, datagram, echo_request, sort
from .wire import Packet, send_packets, simulate


class Answerer(wiring.Component):
    """From frames to their answers."""

    def __init__(self):
        super().__init__({"i": In(arrivals()), "o": Out(flat_stream(9))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.sorter = sorter = PacketSorter(ip=IP, port=PORT)
        m.submodules.store = store = PacketStore(depth=2048, target=PORTABLE)
        m.submodules.responder = responder = Responder(mac=MAC, ip=IP)
        wiring.connect(m, wiring.flipped(self.i), sorter.i)
        wiring.connect(m, sorter.requests, store.i)
        wiring.connect(m, store.o, responder.i)
        wiring.connect(m, responder.o, wiring.flipped(self.o))
        return m


def echo_with_checksum(total: int) -> bytes:
    """An echo request whose checksum is `total`."""
    rest = b"\0\0\0\0" + (0xF7FF - total & 0xFFFF).to_bytes(2, "big")
    for low in (0, 1):  # the end-around carry
        frame = echo_request(rest[:4] + (int.from_bytes(rest[4:], "big") - low & 0xFFFF).to_bytes(2, "big"))
        if frame[36:38] == total.to_bytes(2, "big"):
            return frame
    raise AssertionError(f"no echo has the checksum {total:#x}")


@pytest.mark.parametrize(("seed", "stall"), [(0, 0), (1, 0.4)])
def test_equals_python(seed: int, stall: float):
    """Requests of all kinds, among them those whose checksum overflows once and twice, answered without a pause."""
    rng, dut = random.Random(seed), Answerer()
    totals = [0xF6FF, 0xF7FE, 0xF7FF, 0xF800, 0xF8FE, 0xF8FF, 0xFCFF, 0xFEFF, 0xFF00, 0x00FF, 0x07FF]
    frames = [*map(echo_with_checksum, totals), arp_request(), arp_request(to=HOST_IP), datagram(b"other")]
    frames += [echo_request(rng.randbytes(length)) for length in (4, 5, 56, 56, 1476)]
    frames += [arp_request()[:6] + rng.randbytes(6) + arp_request()[12:] for _ in range(4)]
    rng.shuffle(frames)
    answers: list[bytes] = []

    async def source(ctx):
        for frame in frames:
            await send_packets(ctx, dut.i, [Packet(frame.ljust(60, b"\0"), True)], rng=rng, gaps=0)
            await ctx.tick().repeat(3 * len(frame) if stall else 1500 * (len(frame) > 1000) + 1)
        await ctx.tick().repeat(1600)

    async def reader(ctx):
        answer = bytearray()
        while True:
            ready = rng.random() >= stall
            ctx.set(dut.o.ready, ready)
            _, _, valid, beat = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            assert valid or not answer, "a pause within a frame"
            if valid and ready:
                answer.append(beat & 0xFF)
                if beat >> 8:
                    answers.append(bytes(answer))
                    answer.clear()

    simulate(dut, source, background=[reader])
    assert answers == [answer for answer in (sort(frame.ljust(60, b"\0")).answer for frame in frames) if answer]
