"""WindowLane: every plane's word of every pixel, whatever waits, with the next pixel as early as it may come."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from amaranth.sim import Simulator

from bnnhw.hw.engine.engine_shape import LEAST_BEATS, WINDOW_CHANNELS, WINDOW_COLUMNS, WINDOW_PLANES, WORD
from bnnhw.hw.engine.window_lane import WindowLane

PIXELS = 60


def run_lane(comes: Callable[[int], bool], waits: Callable[[int], bool]) -> list[int]:
    """Drives a lane with pixels as early as they may come of the cycles in which they do, and with waits; compares what
    it writes, and gives the cycles in which pixels came."""
    rng = np.random.default_rng(1)
    data = rng.integers(0, 1 << WORD, PIXELS)
    cells = rng.integers(0, 1 << 5, PIXELS)
    lane = WindowLane(cell_bits=5)
    written: list[tuple[int, int]] = []
    takes: list[int] = []

    async def testbench(ctx):
        left = cycle = 0  # planes of the pixel that is there
        while len(takes) < PIXELS or left:
            wait = waits(cycle)
            free = left == 0 or (left == 1 and not wait)
            take = free and len(takes) < PIXELS and comes(cycle)
            ctx.set(lane.wait, wait)
            ctx.set(lane.take, take)
            ctx.set(lane.data, int(data[len(takes)] if take else rng.integers(0, 1 << WORD)))
            ctx.set(lane.cell, int(cells[len(takes)] if take else rng.integers(0, 1 << 5)))
            assert ctx.get(lane.valid) == (left > 0), f"{cycle=}"
            if left and not wait:
                written.append((ctx.get(lane.address), ctx.get(lane.word)))
                left -= 1
            if take:
                takes.append(cycle)
                left = WINDOW_PLANES
            await ctx.tick()
            cycle += 1

    simulator = Simulator(lane)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    np.testing.assert_array_equal(written[(WINDOW_COLUMNS - 1) * WINDOW_PLANES :], wanted_words(data, cells))
    return takes


def wanted_words(data: np.ndarray, cells: np.ndarray) -> list[tuple[int, int]]:
    """Address and word of each plane of each pixel that has as many before it as its windows need."""
    planes = data[:, None] >> WINDOW_CHANNELS * np.arange(WINDOW_PLANES) & (1 << WINDOW_CHANNELS) - 1
    words = sum(
        planes[column : PIXELS - WINDOW_COLUMNS + 1 + column] << WINDOW_CHANNELS * column
        for column in range(WINDOW_COLUMNS)
    )
    addresses = cells[WINDOW_COLUMNS - 1 :, None] * WINDOW_PLANES + np.arange(WINDOW_PLANES)
    return list(zip(addresses.ravel().tolist(), np.ravel(words).tolist(), strict=True))


@pytest.mark.parametrize("comes", [1.0, 0.3])
@pytest.mark.parametrize("waits", [0.1, 0.6])
def test_waits(comes: float, waits: float):
    rng = random.Random(3)
    run_lane(lambda _: rng.random() < comes, lambda _: rng.random() < waits)


def test_the_host_s_pixels_come_as_often_as_there_are_planes():
    takes = run_lane(lambda _: True, lambda _: False)
    assert set(np.diff(takes)) == {WINDOW_PLANES}


@pytest.mark.parametrize("first", range(LEAST_BEATS))
def test_a_transfer_s_pixels_come_half_as_often_while_tiles_store(first: int):
    every = 2 * WINDOW_PLANES
    takes = run_lane(lambda cycle: cycle % every == 0, lambda cycle: cycle % LEAST_BEATS == first)
    assert set(np.diff(takes)) == {every}
