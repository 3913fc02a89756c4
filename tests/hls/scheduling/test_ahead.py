"""What is known ahead: which instructions, how far ahead, and what it is at first. In hardware: tests/hw/program."""

import pytest

from bnnhw.hls.errors import OperatorError
from bnnhw.hls.ranges import Builder
from bnnhw.hls.scheduling.ahead import ahead_of, values_ahead
from bnnhw.hls.scheduling.schedule import Schedule, schedule
from bnnhw.hw.targets.ecp5 import ECP5


def timed(builder: Builder, output: int, clock_hz: float = 125e6) -> Schedule:
    return schedule(builder.finish([output]), clock_hz=clock_hz, delays=ECP5.fabric.delays)


def known(made: Schedule) -> list[tuple[str, int]]:
    """The op and the stage of all that is known ahead."""
    instructions = made.ranged.program.instructions
    return [(instructions[number].op, made.stages[number]) for number in sorted(ahead_of(made.ranged))]


def with_x(builder: Builder, number: int) -> int:
    return builder.make("add", builder.input(0, (0, 255)), number)


def squares(builder: Builder, index: int) -> int:
    entries = tuple(number * number for number in range(builder.spans[index][1] + 1))
    return builder.make("table", index, attribute=entries)


def test_a_table_that_a_counter_reads_is_a_beat_ahead():
    builder = Builder()
    made = timed(builder, with_x(builder, squares(builder, builder.counter(1, 20))))
    assert known(made) == [("counter", -1), ("table", -1)]
    assert (made.lead, made.latency) == (1, 1)


def test_a_counter_alone_is_not_ahead():
    builder = Builder()
    made = timed(builder, with_x(builder, builder.counter(1, 20)))
    assert known(made) == [("counter", 0)]
    assert made.lead == 0


def test_a_table_reads_a_register():
    """An index of many tables: what makes it is a cycle before."""
    builder = Builder()
    index = builder.make("add", builder.counter(1, 4), builder.counter(4, 5))
    made = timed(builder, with_x(builder, squares(builder, index)), 60e6)
    assert known(made) == [("counter", -2), ("counter", -2), ("add", -2), ("table", -1)]


def test_a_table_in_block_ram_is_not_ahead_but_its_index_is():
    builder = Builder()
    index = builder.make("add", builder.counter(1, 60), builder.counter(60, 5))
    made = timed(builder, with_x(builder, squares(builder, index)))
    assert known(made) == [("counter", -1), ("counter", -1), ("add", -1)]
    assert (made.lead, made.latency) == (1, 3)


def test_what_it_is_in_the_first_beats():
    builder = Builder()
    x, counter = builder.input(0, (5, 6)), builder.counter(2, 3)
    ranged = builder.finish([builder.make("add", x, squares(builder, counter))])
    table = ranged.program.instructions.index(next(each for each in ranged.program.instructions if each.op == "table"))
    found = [values[table] for values in values_ahead(ranged, beats=5, count=7)]
    assert found == [0, 0, 1, 1, 4, 0, 0]


def test_it_is_refused_at_clocks_that_are_too_fast():
    builder = Builder()
    later = builder.make("ge", builder.counter(1, 200), builder.counter(200, 150), at="f.py:7")
    with pytest.raises(OperatorError, match=r"^f\.py:7: ge of 1 bits takes 2\.8 ns, .* a clock of at most \d+ MHz"):
        timed(builder, with_x(builder, later), 400e6)


def test_a_product_with_registers_inside_is_not_ahead():
    builder = Builder()
    product = builder.make("mul", builder.counter(1, 30), builder.counter(30, 20))
    made = timed(builder, with_x(builder, product), 145e6)
    assert known(made) == [("counter", 0), ("counter", 0)]
    assert made.latency > 1
