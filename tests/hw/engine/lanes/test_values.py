"""Values against numpy: words on the bus, as near to one another as the external memory's come, while lanes write."""

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from bnnhw.hw.engine.engine_shape import WORD
from bnnhw.hw.engine.lane_format import VALUE_BITS
from bnnhw.hw.engine.lanes.values import Values
from bnnhw.hw.engine.pixel_words import word_latency
from bnnhw.hw.targets import PORTABLE
from tests.engine_rtl import CHIP, small_shape

SIZES: dict[str, dict[str, Any]] = {
    "2 groups of pixels": {},
    "as many groups of rows as cycles between words": {"rows": 16},
    "two words a pixel": {"group_rows": 4, "rows": 32},
    "8 pixels": {"pixels": 8, "rows": 32, "group_pixels": 4},
}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("seed", range(2))
def test_takes_what_lanes_and_the_bus_write(sizes, seed):
    """Lanes write the even addresses and the bus the odd ones. Those of pixel group g are g cycles late."""
    shape = small_shape(
        target=PORTABLE, values=64, outbox_words=64, map_words=64, sum_width=18, external=CHIP.shape, **sizes
    )
    array, columns = shape.array, shape.array.group_rows * VALUE_BITS // WORD
    rng = np.random.default_rng(seed)
    least = shape.beats_of_values
    tiles = [least if seed == 0 else int(rng.integers(least, least + 4)) for _ in range(30)]
    writes = np.concatenate([np.arange(beats) < array.row_groups for beats in tiles])
    cycles = len(writes)
    data = rng.integers(0, 1 << 32, (cycles, array.pixels, columns), np.uint32)
    addresses = 2 * rng.integers(0, shape.values // 2, cycles)
    begin = int(rng.integers(0, 7))
    on_bus = np.zeros(cycles, bool)
    on_bus[begin : begin + 2 * (cycles // 2 - 8) : 2] = True  # two cycles a word, of a memory of 16 bits
    words = rng.integers(0, 1 << 32, cycles, np.uint32)
    number = np.cumsum(on_bus) - 1
    odd = 2 * (number // shape.value_lanes % (shape.values // 2)) + 1
    bus_addresses = odd * shape.value_lanes + number % shape.value_lanes
    wanted = np.zeros((shape.values, array.pixels, columns), np.uint32)
    for cycle in range(cycles):
        if writes[cycle]:
            wanted[addresses[cycle]] = data[cycle]
        if on_bus[cycle]:
            wanted.reshape(-1)[bus_addresses[cycle]] = words[cycle]
    values = Values(shape)
    found: list[int] = []

    async def testbench(ctx):
        for cycle in range(cycles + array.pixel_groups):
            now = min(cycle, cycles - 1)
            ctx.set(values.write, int(cycle < cycles and writes[cycle]))
            ctx.set(values.write_address, int(addresses[now]))
            ctx.set(values.bus_write, int(cycle < cycles and on_bus[cycle]))
            ctx.set(values.bus_address, int(bus_addresses[now]))
            ctx.set(values.bus_data, int(words[now]))
            late = [min(max(cycle - pixel // array.group_pixels, 0), cycles - 1) for pixel in range(array.pixels)]
            of_lanes = np.stack([data[when, pixel] for pixel, when in enumerate(late)])
            ctx.set(values.data, int.from_bytes(of_lanes.astype("<u4").tobytes(), "little"))
            await ctx.tick()
        ctx.set(values.write, 0)
        ctx.set(values.by_host, 1)
        await ctx.tick().repeat(array.row_groups + array.pixel_groups)
        for cycle in range(wanted.size + word_latency(array)):
            ctx.set(values.address, cycle % wanted.size)
            if cycle >= word_latency(array):
                found.append(ctx.get(values.word))
            await ctx.tick()

    simulator = Simulator(values)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    np.testing.assert_array_equal(found, wanted.ravel())
