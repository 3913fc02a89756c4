"""LineMemory: every store and shape against a list, with reads that pause."""

import random

import pytest
from amaranth.sim import Simulator

from bnnhw.hw.storage.line_memory import (
    LineMemory,
    block_shape,
    line_memory_cells,
    line_memory_latency,
    line_memory_store,
)
from bnnhw.hw.targets import PORTABLE

FABRIC = PORTABLE.fabric


@pytest.mark.parametrize(
    ("depth", "width", "store"),
    [
        (1, 3, "registers"),
        (3, 2, "registers"),
        (5, 4, "lut"),
        (30, 3, "lut"),
        (20, 40, "block"),  # side by side
        (1100, 36, "block"),  # one above the other
    ],
)
def test_words_come_back(depth, width, store):
    memory = LineMemory(depth=depth, width=width, store=store, target=PORTABLE)
    rng = random.Random(depth)

    async def testbench(ctx):
        content = [None] * depth
        pipeline = [None] * line_memory_latency(store)  # the words that are on their way
        for cycle in range(1500):
            writes, reads = rng.random() < 0.7, rng.random() < 0.7
            target, source = rng.randrange(depth), rng.randrange(depth)
            if source == target:
                writes = False  # the old and the new word would mix
            word = rng.getrandbits(width)
            ctx.set(memory.write_enable, writes)
            ctx.set(memory.write_address, target)
            ctx.set(memory.write_data, word)
            ctx.set(memory.read_enable, reads)
            ctx.set(memory.read_address, source)
            if pipeline[-1] is not None:
                assert ctx.get(memory.read_data) == pipeline[-1], f"{cycle=}"
            if reads:
                pipeline = [content[source], *pipeline[:-1]]
            if writes:
                content[target] = word
            await ctx.tick()

    simulator = Simulator(memory)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def test_the_cheapest_store_is_chosen():
    assert [line_memory_store(FABRIC, depth, 36) for depth in (4, 16, 512)] == ["registers", "lut", "block"]
    assert block_shape(FABRIC, 1100, 36) == (512, 1)  # 3 block RAMs, where 1024 x 18 would take 4
    assert line_memory_cells(FABRIC, 1100, 36, "block")[2] == 3
    assert line_memory_cells(FABRIC, 16, 8, "lut") == (12, 8, 0)


def test_options_are_checked():
    with pytest.raises(ValueError, match=r"^store='ram' must be one of \['registers', 'lut', 'block'\]$"):
        LineMemory(depth=4, width=1, store="ram", target=PORTABLE)
