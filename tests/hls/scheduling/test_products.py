"""How many registers are inside of multipliers, by the clock, and what that saves."""

from dataclasses import replace

import pytest

from bnnhw.hls.program import State
from bnnhw.hls.ranges import Builder, RangedProgram
from bnnhw.hls.scheduling.products import register_products
from bnnhw.hls.scheduling.schedule import Schedule, schedule
from bnnhw.hw.targets.ecp5 import ECP5

DELAYS = ECP5.fabric.delays


def timed(ranged: RangedProgram, mhz: float) -> Schedule:
    return schedule(ranged, clock_hz=mhz * 1e6, delays=DELAYS)


def scaled() -> RangedProgram:
    """(x * y + z) >> 8, whose inputs have 12 bits."""
    builder = Builder()
    x, y, z = (builder.input(number, (-2048, 2047)) for number in range(3))
    return builder.finish([builder.make("shr", builder.make("add", builder.make("mul", x, y), z), attribute=8)])


def weighed() -> RangedProgram:
    """A product in a loop, state * x >> 8, and one behind it, which the state does not depend on."""
    builder = Builder()
    x, state = builder.input(0, (0, 255)), builder.state(0, (0, 255))
    looped = builder.make("shr", builder.make("mul", state, x), attribute=8)
    return builder.finish([builder.make("mul", looped, x)], [State(1, looped)])


def registers_of(made: Schedule) -> list[object]:
    return [each.attribute for each in made.ranged.program.instructions if each.op == "mul"]


@pytest.mark.parametrize(
    ("mhz", "registers", "latency", "bits"),
    [
        (100, 0, 1, 16),  # of the result alone: all of it is in one cycle
        (120, 1, 2, 12 + 16),  # z waits; x and y are inside
        (188, 1, 3, 2 * 12 + 24 + 16),  # the product waits for a sum in the next cycle
    ],
)
def test_registers_by_the_clock(mhz: int, registers: int, latency: int, bits: int):
    made = timed(scaled(), mhz)
    assert registers_of(made) == [registers]
    assert (made.latency, made.register_bits(groups=1)) == (latency, bits)


def test_factors_are_read_before_the_registers():
    made = timed(scaled(), 120)
    number = next(n for n, each in enumerate(made.ranged.program.instructions) if each.op == "mul")
    assert (made.started(number), made.stages[number]) == (0, 1)


def test_products_in_loops_have_none():
    ranged = register_products(weighed(), 1)
    assert [each.attribute for each in ranged.program.instructions if each.op == "mul"] == [None, 1]
    assert registers_of(timed(ranged, 60))[0] is None


def test_a_primitive_may_have_more():
    """Where two registers are inside, each part of the product is shorter."""
    faster = replace(DELAYS, multiplier=(*DELAYS.multiplier, (1.4, 2.2)))
    made = schedule(scaled(), clock_hz=200e6, delays=faster)
    assert registers_of(made) == [2]
    assert made.latency == 4
