"""The UART against a model of the line in real-valued time."""

import random

import pytest
from amaranth.sim import Simulator

from bnnhw.hw.link.phy.uart import UartReceiver, UartTransmitter, baud_rate

CLOCK_HZ = 100_000_000
RATES = [CLOCK_HZ // 4, 3_000_000, 33_333_333 // 2]


def line_level(byte: int, bits: float) -> int:
    """The line `bits` bit times after the start of a byte; idle after 10 of them."""
    return 1 if bits >= 9 else 0 if bits < 1 else byte >> int(bits - 1) & 1


def receive(wave, cycles: int, *, baud: int) -> tuple[list[int], int]:
    """Feeds the receiver wave(cycle); returns its bytes and its number of framing errors."""
    dut = UartReceiver(rate=baud_rate(clock_hz=CLOCK_HZ, baud=baud))
    received, errors = [], 0

    async def testbench(ctx):
        nonlocal errors
        for cycle in range(cycles):
            ctx.set(dut.rx, wave(cycle))
            if ctx.get(dut.valid):
                received.append(ctx.get(dut.data))
            errors += ctx.get(dut.framing_error)
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1 / CLOCK_HZ)
    simulator.add_testbench(testbench)
    simulator.run()
    return received, errors


@pytest.mark.parametrize("baud", RATES)
@pytest.mark.parametrize("mismatch", [-0.02, 0, 0.02])
@pytest.mark.parametrize("seed", range(3))
def test_receiver_tolerates_a_mismatch(baud, mismatch, seed):
    rng = random.Random(seed)
    sent = [rng.getrandbits(8) for _ in range(12)]
    cycles_per_bit = CLOCK_HZ / baud / (1 + mismatch)
    start = 5 + rng.random()

    def wave(cycle):
        index, bits = divmod((cycle - start) / cycles_per_bit, 10)
        return line_level(sent[int(index)], bits) if 0 <= index < len(sent) else 1

    assert receive(wave, int(30 + 10 * len(sent) * cycles_per_bit), baud=baud) == (sent, 0)


def test_receiver_ignores_glitches_and_reports_a_low_stop_bit():
    baud, cycles_per_bit = 5_000_000, 20
    events = [(0x00, 10), (0x5A, 600)]  # byte, first cycle

    def wave(cycle):
        if cycle in (300, 301, 302, 303):  # shorter than half a bit
            return 0
        if 190 <= cycle < 250:  # the stop bit of the first byte, and longer
            return 0
        levels = [line_level(byte, (cycle - start) / cycles_per_bit) for byte, start in events if cycle >= start]
        return min(levels, default=1)

    assert receive(wave, 900, baud=baud) == ([0x5A], 1)


@pytest.mark.parametrize("baud", RATES)
def test_transmitter_keeps_the_rate(baud):
    rng = random.Random(baud)
    sent = [rng.getrandbits(8) for _ in range(6)]
    dut = UartTransmitter(rate=baud_rate(clock_hz=CLOCK_HZ, baud=baud))
    wave = []

    async def producer(ctx):
        for byte in sent:
            ctx.set(dut.i.payload, byte)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
        ctx.set(dut.i.valid, 0)

    async def line(ctx):
        for _ in range(round(10 * len(sent) * CLOCK_HZ / baud) + 30):
            wave.append(ctx.get(dut.tx))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1 / CLOCK_HZ)
    simulator.add_testbench(producer)
    simulator.add_testbench(line)
    simulator.run()

    cycles_per_bit = CLOCK_HZ / baud
    cycle = wave.index(0)
    for byte in sent:
        middles = [wave[int(cycle + (bit + 0.5) * cycles_per_bit)] for bit in range(10)]
        assert middles == [0, *(byte >> bit & 1 for bit in range(8)), 1]
        cycle += -(-10 * dut.rate.clock_hz // round(dut.rate.baud))  # to the next whole cycle, without a pause
    assert set(wave[cycle:]) == {1}


@pytest.mark.parametrize("clock_hz", [25_000_000, 187_500_000, 200_000_000])
@pytest.mark.parametrize("baud", [115_200, 921_600, 3_000_000])
def test_rate_is_within_a_thousandth(clock_hz, baud):
    assert baud_rate(clock_hz=clock_hz, baud=baud).baud == pytest.approx(baud, rel=1e-3)


@pytest.mark.parametrize("baud", [0, -1, 3_000_000])
def test_rate_is_checked(baud):
    with pytest.raises(ValueError, match=rf"^baud={baud} must be positive and at most clock_hz / 4 = 2999999$"):
        baud_rate(clock_hz=11_999_999, baud=baud)
