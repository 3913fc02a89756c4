"""Both ends of the line against the coding of USB as tests have it, and against each other."""

import random
from typing import Any

import pytest
from amaranth.hdl import Module
from amaranth.sim import Simulator

from bnnhw.hw.usb.line_receiver import CYCLES_PER_BIT, LineReceiver
from bnnhw.hw.usb.line_transmitter import LineTransmitter

from .coding import END, SE0, SYNC, J, K, bits_of_bytes, states


def packets(seed: int) -> list[bytes]:
    """Random ones, and such with many ones, which are stuffed within bytes, between them and at the end."""
    rng = random.Random(seed)
    ones = [bytes([255] * count) for count in (1, 2, 3)] + [b"\x00\xfc", b"\xfc\x01\xfc", b"\x3f", b"\x81\x1f\xfc"]
    return [*ones, *(rng.randbytes(rng.randint(1, 20)) for _ in range(12))]


def simulate(dut: Any, testbench: Any) -> None:
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def receive(waveform: list[tuple[int, int]]) -> list[bytes]:
    """The packets that a LineReceiver finds in D+ and D- cycle by cycle."""
    dut, found = LineReceiver(), []

    async def testbench(ctx: Any) -> None:
        inside = False
        for p, n in waveform:
            ctx.set(dut.dp, p)
            ctx.set(dut.dn, n)
            await ctx.tick()
            active = ctx.get(dut.active)
            if active and not inside:
                found.append(b"")
            inside = bool(active)
            if ctx.get(dut.valid):
                assert inside
                found[-1] += bytes([ctx.get(dut.data)])

    simulate(dut, testbench)
    return found


def sampled(line: list[int], *, seed: int, drift: float = 0.0, skew: int = 0) -> list[tuple[int, int]]:
    """The lines in cycles; edges fall between any two, D- is late by up to `skew` cycles."""
    rng = random.Random(seed)
    length = CYCLES_PER_BIT * (1 + drift)
    began = rng.random()
    cycles = [line[min(int(cycle / length + began), len(line) - 1)] for cycle in range(int(len(line) * length))]
    late = [cycles[max(0, at - rng.randint(0, skew))] for at in range(len(cycles))]
    return [(state & 1, after >> 1) for state, after in zip(cycles, late, strict=True)]


@pytest.mark.parametrize(
    ("seed", "drift", "skew"), [(1, 0.0, 0), (2, 0.0025, 0), (3, -0.0025, 0), (4, 0.0, 1), (5, 0.001, 1), (6, 0.02, 0)]
)
def test_receiver(seed: int, drift: float, skew: int):
    sent = packets(seed)
    line = [J] * 20
    for packet in sent:
        line += [*states(bits_of_bytes(packet)), *[J] * random.Random(len(line)).randint(2, 9)]
    assert receive(sampled([*line, *[J] * 10], seed=seed, drift=drift, skew=skew)) == sent


def test_what_is_no_packet():
    good = states(bits_of_bytes(b"abc"))
    middle = [*good[:8], J, J, K, J, K, J, K, J, *[K] * 7, J, K, J, K, J, K, K, *good[8:]]
    assert receive(sampled([J] * 9 + middle + good + [J] * 9, seed=1))[1:] == [b"abc"]
    short_sync = [J] * 9 + [K, J, K, K] + good[8:] + [J] * 9
    assert receive(sampled([*short_sync, *good, *[J] * 9], seed=2)) == [b"abc"]
    part_of_sync = [J] * 9 + SYNC[2:] + good[8:] + [J] * 9
    assert receive(sampled([*part_of_sync, *good, *[J] * 9], seed=3)) == [b"abc"] * 2
    cut = [J] * 9 + good[:20] + END + [J] * 9 + good + [J] * 9
    assert receive(sampled(cut, seed=4)) == [b"a", b"abc"]
    reset = [J] * 9 + [SE0] * 50 + [J] * 9 + good + [J] * 9
    assert receive(sampled(reset, seed=5)) == [b"abc"]


def test_seven_ones_end_a_packet():
    good = states(bits_of_bytes(b"abc"))
    wrong = [*good[:16], *good[15:16] * 8, *good[16:]]
    assert receive(sampled([J] * 9 + wrong + good + [J] * 9, seed=1)) == [b"a", b"abc"]


def test_a_cycle_without_a_level_ends_nothing():
    line = sampled([J] * 9 + states(bits_of_bytes(b"abc")) + [J] * 9, seed=1)
    for at in range(60, 110):
        assert receive([*line[:at], (0, 0), *line[at + 1 :]]) == [b"abc"], at


@pytest.mark.parametrize("seed", [1, 2])
def test_transmitter(seed: int):
    """Byte for byte as a host would send it, each bit of four cycles, and nothing else driven."""
    dut, lines = LineTransmitter(), []
    sent = packets(seed)

    async def testbench(ctx: Any) -> None:
        rng = random.Random(seed)
        for packet in sent:
            for _ in range(rng.randint(0, 9)):
                await ctx.tick()
            lines.append([])
            left, spare = list(packet), 0
            while left or ctx.get(dut.oe) or not lines[-1]:
                ctx.set(dut.valid, bool(left))
                ctx.set(dut.data, left[0] if left else rng.randrange(256))
                taken = ctx.get(dut.ready)
                await ctx.tick()
                left = left[1:] if taken else left
                if ctx.get(dut.oe):
                    lines[-1].append(ctx.get(dut.dp) | ctx.get(dut.dn) << 1)
                spare += 1
                assert spare < 2000

    simulate(dut, testbench)
    assert lines == [[state for state in states(bits_of_bytes(packet)) for _ in range(4)] for packet in sent]


def test_one_end_hears_the_other():
    dut, transmitter, receiver = Module(), LineTransmitter(), LineReceiver()
    dut.submodules += [transmitter, receiver]
    dut.d.sync += [receiver.dp.eq(transmitter.dp), receiver.dn.eq(transmitter.dn)]
    sent, found = packets(3), []

    async def testbench(ctx: Any) -> None:
        for packet in sent:
            left = list(packet)
            ended = 0
            while ended < 40:
                ctx.set(transmitter.valid, bool(left))
                ctx.set(transmitter.data, left[0] if left else 0)
                taken = ctx.get(transmitter.ready)
                await ctx.tick()
                left = left[1:] if taken else left
                if ctx.get(receiver.valid):
                    found.append(ctx.get(receiver.data))
                ended = 0 if left or ctx.get(transmitter.oe) or ctx.get(receiver.active) else ended + 1

    simulate(dut, testbench)
    assert bytes(found) == b"".join(sent)


@pytest.mark.parametrize("deaf", [0, 1])
def test_a_deaf_receiver_hears_nothing(deaf: int):
    dut, heard = LineReceiver(), []

    async def testbench(ctx: Any) -> None:
        ctx.set(dut.deaf, deaf)
        for p, n in sampled([J] * 9 + states(bits_of_bytes(b"abc")) + [J] * 9, seed=1):
            ctx.set(dut.dp, p)
            ctx.set(dut.dn, n)
            await ctx.tick()
            heard.append(ctx.get(dut.active))

    simulate(dut, testbench)
    assert any(heard) == (not deaf)
