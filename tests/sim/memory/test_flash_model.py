"""The model of an SPI flash: commands bit by bit, as a data sheet draws them, and what it forbids."""

from collections.abc import Sequence

import pytest
from amaranth.sim import Simulator

from bnnhw.sim.memory.flash_model import FlashChip, FlashFault, FlashModel

# pyright: reportAttributeAccessIssue=false
# (amaranth's types are loose)

CLOCK_HZ = 100_000_000
CHIP = FlashChip(read_hz=25e6, output_ns=15, deselect_ns=50, wake_up_ns=300)
HALF, DESELECT, WAKE = 2, 5, 30
"""Cycles of half a period, and of the chip's two waits."""
WAKE_UP = [0xAB]


def memory(address: int) -> int:
    """What lies there."""
    return (address * 37 + 11) & 0xFF


def run(
    commands: Sequence[Sequence[int]],
    *,
    clocks: int = 0,
    half: int = HALF,
    gap: int = WAKE,
    high: int = 0,
) -> tuple[list[int], FlashFault]:
    """The bits that the chip gives in the last command's `clocks` further periods, each as it stands at the end of its
    period, and what was wrong. gap: cycles between the commands; high: the clock's level between them."""
    dut = FlashModel(chip=CHIP, clock_hz=CLOCK_HZ)
    found: list[int] = []
    faults = FlashFault(0)

    async def tick(ctx, count: int) -> None:
        for _ in range(count):
            ctx.set(dut.read_data, memory(ctx.get(dut.address)))
            await ctx.tick()

    async def bench(ctx):
        nonlocal faults
        for number, command in enumerate(commands):
            ctx.set(dut.pins.sck, high)
            await tick(ctx, gap)
            ctx.set(dut.pins.cs, 1)
            ctx.set(dut.pins.sck, 0)
            bits = [byte >> 7 - bit & 1 for byte in command for bit in range(8)]
            further = clocks if number == len(commands) - 1 else 0
            for at, bit in enumerate([*bits, *[0] * further]):
                ctx.set(dut.pins.copi, bit)
                await tick(ctx, half)
                ctx.set(dut.pins.sck, 1)
                await tick(ctx, half)
                if at >= len(bits):
                    found.append(ctx.get(dut.pins.cipo))
                ctx.set(dut.pins.sck, 0)
            await tick(ctx, half)
            ctx.set(dut.pins.cs, 0)
        await tick(ctx, 3)
        faults = FlashFault(ctx.get(dut.faults))

    simulator = Simulator(dut)
    simulator.add_clock(1 / CLOCK_HZ)
    simulator.add_testbench(bench)
    simulator.run()
    return found, faults


def test_a_read_gives_byte_after_byte_the_highest_bit_first():
    """From the clock behind the address on."""
    bits, faults = run([WAKE_UP, [0x03, 0x12, 0x34, 0x56]], clocks=24)
    wanted = [memory(0x123456 + at) >> 7 - bit & 1 for at in range(3) for bit in range(8)]
    assert bits == wanted
    assert faults == FlashFault(0)


def test_addresses_go_on_at_0():
    bits, _ = run([WAKE_UP, [0x03, 0xFF, 0xFF, 0xFF]], clocks=16)
    assert bits == [memory(address) >> 7 - bit & 1 for address in (0xFFFFFF, 0) for bit in range(8)]


READ = [0x03, 0, 0, 0]


@pytest.mark.parametrize(
    ("commands", "options", "fault"),
    [
        ([READ], {}, FlashFault.ASLEEP),
        ([WAKE_UP, READ], {"gap": WAKE - 1}, FlashFault.ASLEEP),
        ([WAKE_UP, READ, READ], {"gap": DESELECT - 1}, FlashFault.ASLEEP | FlashFault.DESELECT),
        ([WAKE_UP, READ], {"half": HALF - 1}, FlashFault.CLOCK),
        ([WAKE_UP, READ], {"high": 1}, FlashFault.CLOCK),
        ([WAKE_UP, [0x0B, 0, 0, 0]], {}, FlashFault.COMMAND),
        ([WAKE_UP, READ[:3]], {}, FlashFault.COMMAND),
        ([[0xAB, 0], READ], {}, FlashFault.COMMAND),
        ([WAKE_UP, READ], {}, FlashFault(0)),
    ],
)
def test_says_what_was_wrong(commands: list[list[int]], options: dict[str, int], fault: FlashFault):
    _, faults = run(commands, **options)
    assert faults == fault
