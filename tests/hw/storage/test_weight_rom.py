"""WeightRom: the order of the words, groups that hear the address later, stores, more words than a block RAM holds."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from bnnhw.hw.storage.weight_rom import WeightRom, block_rams, weight_words
from bnnhw.hw.targets import PORTABLE


def test_order_of_words():
    weights = np.arange(4 * 6).reshape(4, 6)
    signs = np.where(weights % 5 < 2, 1, -1)
    words = weight_words(signs, pe=2, simd=3)
    assert words.shape == (4, 2, 3)
    for fold, word, pe, column in np.ndindex(2, 2, 2, 3):
        assert words[2 * fold + word, pe, column] == (signs[2 * fold + pe, 3 * word + column] == 1)


@pytest.mark.parametrize(
    ("depth", "width", "group_width", "store"),
    [
        (20, 90, 25, "block"),  # block RAMs that serve two groups
        (20, 90, 10, "block"),  # .. and four
        (20, 90, 25, "lut"),
        (600, 20, 20, "block"),
        (16384 + 300, 3, 2, "block"),
    ],
)
def test_groups_read_their_columns(depth, width, group_width, store):
    words = np.random.default_rng(0).integers(0, 2, (depth, width), dtype=np.uint8)
    rom = WeightRom(words=words, group_width=group_width, store=store, target=PORTABLE)
    rng = random.Random(0)
    addresses = [depth - 1, 0, *(rng.randrange(depth) for _ in range(40))]
    seen = []

    async def testbench(ctx):
        for address in addresses:
            ctx.set(rom.address, address)
            await ctx.tick()
            seen.append(ctx.get(rom.w))

    simulator = Simulator(rom)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    for cycle in range(20, len(addresses)):
        for column in range(width):
            address = addresses[cycle + 1 - rom.latency - column // group_width]
            assert seen[cycle] >> column & 1 == words[address, column]


@pytest.mark.parametrize(
    ("depth", "width", "count"), [(512, 36, 1), (512, 37, 2), (513, 36, 2), (16384, 3, 3), (16385, 3, 6), (40000, 2, 6)]
)
def test_block_rams(depth, width, count):
    assert block_rams(PORTABLE.fabric, depth, width) == count
