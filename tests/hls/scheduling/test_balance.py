"""Balanced stages: they are legal, and no others have fewer register bits."""

import random
from dataclasses import replace
from itertools import product

import pytest

from bnnhw.hls.errors import OperatorError
from bnnhw.hls.ranges import Builder, RangedProgram
from bnnhw.hls.scheduling.delays import cycles_of, delay_behind, delay_of, is_block_table
from bnnhw.hls.scheduling.loops import loops_of
from bnnhw.hls.scheduling.reads import WIRES, reads_of
from bnnhw.hls.scheduling.schedule import Schedule, schedule
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.program.case import random_beat_program

from .test_linear import random_sums

DELAYS = ECP5.fabric.delays


def is_legal(made: Schedule, clock_hz: float) -> bool:
    """Whether all is there when it is read, each path fits into a cycle, and loops are in one."""
    program, spans, stages = made.ranged.program, made.ranged.spans, made.stages
    registered = {n for n, each in enumerate(program.instructions) if each.op in ("input", "counter", "state")}
    registered |= {n for n, each in enumerate(program.instructions) if is_block_table(each, spans[n])}
    for read in reads_of(made.ranged):
        at = made.latency if read.reader is None else stages[read.reader] - read.ahead
        there = stages[read.source] + (read.reader is None and read.source not in registered)
        if at < there:
            return False
    times: list[float] = []
    for number, each in enumerate(program.instructions):
        begins = [times[arg] for arg in each.args if stages[arg] == made.started(number)]
        end = max(begins, default=0.0) + delay_of(number, program.instructions, spans, DELAYS)
        inside = cycles_of(each, spans[number]) > 0
        behind = delay_behind(each, spans[number], DELAYS) if inside else 0.0
        if max(end, behind) > 1e9 / clock_hz - DELAYS.clock + 1e-6:
            return False
        times.append(behind if inside else 0.0 if number in registered else end)
    loops = [{stages[n] for n in loop if program.instructions[n].op not in WIRES} for loop in loops_of(program)]
    return all(len(loop) == 1 for loop in loops)


def timed(ranged: RangedProgram, clock_hz: float) -> Schedule | None:
    try:
        return schedule(ranged, clock_hz=clock_hz, delays=DELAYS)
    except OperatorError:
        return None


@pytest.mark.parametrize("clock_hz", [60e6, 120e6, 200e6])
def test_stages_are_legal(clock_hz: float):
    programs = [random_beat_program(random.Random(seed)) for seed in range(60)]
    for ranged in [*programs, *map(random_sums, range(60))]:
        made = timed(ranged, clock_hz)
        assert made is None or is_legal(made, clock_hz)


def test_no_stages_have_fewer_bits():
    moved = 0
    for seed in range(100):
        made = timed(random_sums(seed), 200e6)
        if made is None:
            continue
        instructions = made.ranged.program.instructions
        free = [n for n, each in enumerate(instructions) if each.op not in ("input", "counter", *WIRES)]
        if not free or (made.latency + 1) ** len(free) > 5000:
            continue
        for stages in product(range(made.latency + 1), repeat=len(free)):
            others = [0] * len(instructions)
            for number, each in enumerate(instructions):
                if each.op in ("shl", "shr"):
                    others[number] = others[each.args[0]]
                elif number in free:
                    others[number] = stages[free.index(number)]
            other = replace(made, stages=tuple(others))
            if is_legal(other, 200e6):
                moved += other != made
                assert other.register_bits(groups=1) >= made.register_bits(groups=1), seed
    assert moved > 50


def test_instructions_wait_where_registers_are_narrow():
    builder = Builder()
    x, y = builder.input(0, (0, 255)), builder.input(1, (0, 255))
    low = builder.make("ge", x, y)
    both = builder.make("mul", x, y)
    made = timed(builder.finish([builder.make("mux", low, both, builder.constant(0))]), 125e6)
    assert made is not None
    assert made.latency == 2
    assert made.register_bits(groups=1) == 1 + 16  # the comparison, and the result; the factors are inside


def test_bits_that_nobody_reads_wait_nowhere():
    builder = Builder()
    x, y = builder.input(0, (0, 255)), builder.input(1, (0, 255))
    part = builder.make("shr", builder.make("mul", x, y), attribute=12)
    made = timed(builder.finish([builder.make("add", part, builder.constant(3))]), 125e6)
    assert made is not None
    assert made.latency == 2
    assert made.register_bits(groups=1) == 5
