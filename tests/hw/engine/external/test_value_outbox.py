"""ValueOutbox against numpy: words written as lanes do, read word of the bus by word of the bus."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from bnnhw.hw.engine.engine_shape import WORD
from bnnhw.hw.engine.external.value_outbox import ValueOutbox
from bnnhw.hw.engine.lane_format import VALUE_BITS
from bnnhw.hw.engine.pixel_words import word_latency
from bnnhw.hw.targets import PORTABLE
from tests.engine_rtl import CHIP, small_shape


@pytest.mark.parametrize(
    "sizes",
    [{}, {"group_pixels": 1}, {"pixels": 8, "group_pixels": 4, "group_rows": 4}],
    ids=["two groups", "four groups", "two words a pixel"],
)
def test_gives_what_lanes_wrote(sizes):
    """Those of pixel group g are g cycles late; addresses beyond the outbox begin again."""
    shape = small_shape(
        target=PORTABLE, values=128, outbox_words=64, sum_width=18, map_words=64, external=CHIP.shape, **sizes
    )
    array, width = shape.array, shape.array.group_rows * VALUE_BITS
    rng = np.random.default_rng(1)
    cycles = 1000
    writes, addresses = rng.random(cycles) < 0.7, rng.integers(0, shape.values, cycles)
    data = rng.integers(0, 1 << 32, (cycles, array.pixels, width // WORD), np.uint32)
    wanted = np.zeros((shape.outbox_words, array.pixels, width // WORD), np.uint32)
    for cycle in np.flatnonzero(writes):
        wanted[addresses[cycle] % shape.outbox_words] = data[cycle]
    outbox = ValueOutbox(shape)
    found: list[int] = []

    async def testbench(ctx):
        for cycle in range(cycles + array.pixel_groups):
            ctx.set(outbox.write, int(cycle < cycles and writes[cycle]))
            ctx.set(outbox.write_address, int(addresses[min(cycle, cycles - 1)]))
            late = [min(max(cycle - pixel // array.group_pixels, 0), cycles - 1) for pixel in range(array.pixels)]
            words = np.stack([data[when, pixel] for pixel, when in enumerate(late)])
            ctx.set(outbox.data, int.from_bytes(words.astype("<u4").tobytes(), "little"))
            await ctx.tick()
        ctx.set(outbox.write, 0)
        for cycle in range(wanted.size + word_latency(array)):
            ctx.set(outbox.address, cycle)
            if cycle >= word_latency(array):
                found.append(ctx.get(outbox.word))
            await ctx.tick()

    simulator = Simulator(outbox)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    np.testing.assert_array_equal(found, wanted.ravel())
