"""Fifo: order, throughput and latency in both kinds of memory, limits, and frames that are taken back."""

import random

import pytest
from amaranth.sim import Simulator

from bnnhw.hw.stream.fifo import LUT_FIFO_DEPTH, Fifo, fifo_block_rams
from bnnhw.hw.targets import PORTABLE
from tests.hw.scenario import run_scenario

DEPTHS = [8, LUT_FIFO_DEPTH, 2 * LUT_FIFO_DEPTH]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(("stalls", "seed"), [((0, 0.7), 0), ((0.7, 0), 1), ((0.3, 0.3), 2)])
def test_order(depth, stalls, seed):
    beats = [random.Random(seed).getrandbits(40) for _ in range(2 * depth + 30)]
    dut = Fifo(width=40, depth=depth, target=PORTABLE)
    assert run_scenario(dut, beats, outputs=len(beats), seed=seed, stalls=stalls).outputs == beats


def test_order_in_block_rams_above_each_other():
    """Two banks of 2048 words of 9 bits are fewer block RAMs than three columns of 4096; filled more than once."""
    width, depth = 9, 4096
    assert fifo_block_rams(PORTABLE.fabric, width=width, depth=depth) == 2
    beats = [random.Random(3).getrandbits(width) for _ in range(2 * depth + 100)]
    dut = Fifo(width=width, depth=depth, target=PORTABLE)
    assert run_scenario(dut, beats, outputs=len(beats), seed=3, stalls=(0.1, 0.4)).outputs == beats


@pytest.mark.parametrize("depth", DEPTHS)
def test_throughput_and_latency(depth):
    dut = Fifo(width=8, depth=depth, target=PORTABLE)
    beats = list(range(100))
    trace = run_scenario(dut, beats, outputs=100, stalls=(0, 0))
    assert trace.outputs == beats
    assert trace.input_cycles == list(range(100))
    assert trace.output_cycles == [cycle + dut.latency for cycle in trace.input_cycles]


LIMITS = [(8, 1), (8, 2), (8, 5), (8, 7), (8, 8), (LUT_FIFO_DEPTH, 31), (64, 1), (64, 3), (64, 33), (64, 63), (64, 64)]


@pytest.mark.parametrize(("depth", "limit"), LIMITS)
@pytest.mark.parametrize(("stalls", "seed"), [((0, 0), 0), ((0, 0.7), 1), ((0.3, 0.3), 2)])
def test_order_with_a_limit(depth, limit, stalls, seed):
    beats = [random.Random(seed).getrandbits(40) for _ in range(depth + 60)]
    dut = Fifo(width=40, depth=depth, target=PORTABLE, limit=limit)
    assert run_scenario(dut, beats, outputs=len(beats), seed=seed, stalls=stalls).outputs == beats


def accepted_before_one_leaves(dut):
    """How many beats a queue accepts while none leaves."""
    accepted = 0

    async def testbench(ctx):
        nonlocal accepted
        ctx.set(dut.i.valid, 1)
        for _ in range(2 * dut.depth + 10):
            accepted += ctx.get(dut.i.ready)
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return accepted


@pytest.mark.parametrize("depth", DEPTHS)
def test_capacity(depth):
    dut = Fifo(width=8, depth=depth, target=PORTABLE)
    assert depth - 1 <= accepted_before_one_leaves(dut) <= depth + 2


@pytest.mark.parametrize(("depth", "limit"), LIMITS)
def test_capacity_is_the_limit(depth, limit):
    assert accepted_before_one_leaves(Fifo(width=8, depth=depth, target=PORTABLE, limit=limit)) == limit


@pytest.mark.parametrize(("depth", "limit"), [(16, None), (2 * LUT_FIFO_DEPTH, None), (16, 12), (16, 13)])
@pytest.mark.parametrize("seed", range(4))
def test_frames_are_committed_or_taken_back(depth, limit, seed):
    """The reader sees the committed frames only, and none of them before its commit; with a limit as large as the
    largest frame there is room for it again."""
    rng = random.Random(seed)
    dut = Fifo(width=16, depth=depth, target=PORTABLE, limit=limit)
    committed, received = [], []
    done = False

    async def writer(ctx):
        nonlocal done
        ctx.set(dut.commit, 0)
        for number in range(40):
            frame = [number << 8 | beat for beat in range(rng.randint(1, 12))]
            keep = rng.random() < 0.6
            late = rng.random() < 0.5  # the verdict comes after the last beat, not with it
            for index, beat in enumerate(frame):
                while rng.random() < 0.3:
                    await ctx.tick()
                ctx.set(dut.i.payload, beat)
                ctx.set(dut.i.valid, 1)
                verdict = index == len(frame) - 1 and not late
                for _ in range(20 * depth):
                    if ctx.get(dut.i.ready):
                        break
                    await ctx.tick()
                assert ctx.get(dut.i.ready), f"no room for frame {number}"
                ctx.set(dut.commit, verdict and keep)
                ctx.set(dut.rollback, verdict and not keep)
                if verdict and keep:
                    committed.extend(frame)
                await ctx.tick()
                ctx.set(dut.i.valid, 0)
                ctx.set(dut.commit, 0)
                ctx.set(dut.rollback, 0)
            if late:
                ctx.set(dut.commit, keep)
                ctx.set(dut.rollback, not keep)
                if keep:
                    committed.extend(frame)
                await ctx.tick()
                ctx.set(dut.commit, 0)
                ctx.set(dut.rollback, 0)
        done = True

    async def reader(ctx):
        idle = 0
        while idle < 2 * depth:
            ctx.set(dut.o.ready, rng.random() < 0.5)
            idle = idle + 1 if done else 0
            if ctx.get(dut.o.valid) and ctx.get(dut.o.ready):
                received.append(ctx.get(dut.o.payload))
                assert received == committed[: len(received)]
                idle = 0
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(writer)
    simulator.add_testbench(reader)
    simulator.run()
    assert received == committed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 12}, r"^depth=12 must be a power of two and at least 8$"),
        ({"depth": 4}, r"^depth=4 must be a power of two and at least 8$"),
        ({"limit": 0}, r"^limit=0 must be from 1 to depth=16$"),
        ({"limit": 17}, r"^limit=17 must be from 1 to depth=16$"),
        ({"width": 0}, r"^width=0 must be at least 1$"),
        ({"target": "asic"}, r"^target='asic' must be one of \['ecp5', 'ice40', 'portable'\]$"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        Fifo(**({"width": 8, "depth": 16, "target": PORTABLE} | options))


def test_block_rams():
    assert fifo_block_rams(PORTABLE.fabric, width=98, depth=32) == 0
    assert fifo_block_rams(PORTABLE.fabric, width=98, depth=512) == 3
    assert fifo_block_rams(PORTABLE.fabric, width=8, depth=2048) == 1
    assert fifo_block_rams(PORTABLE.fabric, width=2, depth=65536) == 8  # deeper than one
