"""Cells of programs, counted and made: by synthesis, and, slowly, by routing."""

from dataclasses import replace

import pytest

from bnnhw.boards.toolchain.alone import route_alone, synthesise_alone
from bnnhw.hls.errors import OperatorError
from bnnhw.hls.scheduling.schedule import Schedule, schedule
from bnnhw.hw.program.area import program_area
from bnnhw.hw.program.lut_tables import table_luts
from bnnhw.hw.program.pipeline import ProgramPipeline
from bnnhw.hw.program.wiring import Wiring
from bnnhw.hw.targets import Cells, get_device
from bnnhw.hw.targets.ecp5 import ECP5

from .gallery import GALLERY, STEPS, Entry

DEVICE = get_device("LFE5U-25F")
MOST = {"sobel": 180, "grey": 120, "fir": 76, "row_sum": 46, "median": 400}
"""LUT4 + 2 CCU2C."""
CLOCKS_MHZ = (100, 150, 200)
REFUSED = {("hard_swish", 200), ("white_balance", 200), ("smooth", 200)}
"""Products take longer than that, and the loop of `smooth`."""


def timed(entry: Entry, clock_mhz: float) -> Schedule:
    return schedule(entry.ranged, clock_hz=clock_mhz * 1e6, delays=ECP5.fabric.delays)


def beats_of(entry: Entry, made: Schedule) -> tuple[int, int]:
    """Of a frame, and of a period."""
    return (STEPS, STEPS) if made.ranged.program.states else (entry.channels, 1)


def counted(entry: Entry, made: Schedule) -> Cells:
    beats, period = beats_of(entry, made)
    return program_area(made, groups=entry.groups, fabric=ECP5.fabric, beats=beats, period=period)


def pipeline(entry: Entry, made: Schedule) -> ProgramPipeline:
    program = made.ranged.program
    wiring = Wiring.of(entry.groups, program.inputs, len(program.outputs))
    beats, period = beats_of(entry, made)
    return ProgramPipeline(schedule=made, wiring=wiring, target=ECP5, beats=beats, period=period)


@pytest.mark.toolchain
@pytest.mark.parametrize("name", [*MOST, "leaky_relu", "top1"])
def test_what_synthesis_makes(name: str):
    entry = GALLERY[name]
    made = timed(entry, 150)
    found, expected = synthesise_alone(pipeline(entry, made), ECP5), counted(entry, made)
    assert found.logic <= MOST.get(name, found.logic)
    assert expected.luts is not None
    assert expected.carries is not None
    assert found.logic == pytest.approx(expected.luts + 2 * expected.carries, rel=0.1)  # placing adds ends of chains
    assert found.ffs == pytest.approx(expected.ffs, rel=0.1)


LONG = [("unsharp", 8, 200), ("median", 4, 300), ("fir", 16, 200)]
"""So many side by side that no enable reaches all of their registers at this clock, in MHz."""


def long(name: str, groups: int, clock_mhz: float) -> tuple[Entry, Schedule]:
    entry = replace(GALLERY[name], groups=groups)
    made = timed(entry, clock_mhz)
    assert not made.is_held(groups=groups)
    return entry, made


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("name", "groups", "clock_mhz"),
    [pytest.param(*each, marks=[pytest.mark.slow] * (each[0] != "fir")) for each in LONG],
)
def test_what_synthesis_makes_of_a_queue(name: str, groups: int, clock_mhz: int):
    entry, made = long(name, groups, clock_mhz)
    held = replace(made, held_bits=made.register_bits(groups=groups))
    found, without = (synthesise_alone(pipeline(entry, each), ECP5) for each in (made, held))
    expected, base = counted(entry, made), counted(entry, held)
    assert found.logic - without.logic == pytest.approx(expected.logic - base.logic, rel=0.1, abs=6)
    assert found.ffs - without.ffs == pytest.approx(expected.ffs - base.ffs, rel=0.1, abs=6)


@pytest.mark.slow
@pytest.mark.toolchain
@pytest.mark.parametrize(("name", "groups", "clock_mhz"), [each for each in LONG if each[2] in CLOCKS_MHZ])
def test_long_pipelines_keep_their_clock(name: str, groups: int, clock_mhz: int):
    entry, made = long(name, groups, clock_mhz)
    for seed in (1, 2, 3):
        routed = route_alone(pipeline(entry, made), DEVICE, seed, aim_hz=clock_mhz * 1e6)
        assert routed.fmax_hz >= clock_mhz * 1e6


@pytest.mark.slow
@pytest.mark.toolchain
@pytest.mark.parametrize("clock_mhz", CLOCKS_MHZ)
@pytest.mark.parametrize("name", GALLERY)
def test_what_routing_makes(name: str, clock_mhz: int):
    """The clock that was asked for, of three seeds, and within a tenth the cells that were counted; or a refusal."""
    entry = GALLERY[name]
    if (name, clock_mhz) in REFUSED:
        with pytest.raises(OperatorError, match=r"a clock of at most \d+ MHz works"):
            timed(entry, clock_mhz)
        return
    made = timed(entry, clock_mhz)
    routed = [route_alone(pipeline(entry, made), DEVICE, seed, aim_hz=clock_mhz * 1e6) for seed in (1, 2, 3)]
    expected = counted(entry, made)
    clocks = ", ".join(f"{each.fmax_hz / 1e6:.0f}" for each in routed)
    cells = routed[0].cells
    print(f"\n{name:14} {clock_mhz:4} MHz: {clocks} MHz; {cells.logic} LUT4 (counted {expected.logic}), {cells.ffs} FF")
    assert min(each.fmax_hz for each in routed) >= clock_mhz * 1e6
    assert routed[0].cells.logic == pytest.approx(expected.logic, rel=0.1, abs=8)
    assert routed[0].cells.ffs == pytest.approx(expected.ffs, rel=0.1, abs=8)


def test_tables_share_what_is_equal():
    assert table_luts([[0, 1] * 8], 4) == 1
    assert table_luts([[0, 1] * 64], 4) == 1  # all parts are one
    assert table_luts([range(64)], 4) == 6  # the highest two bits are multiplexers of constants
    squares = [number * number % 61 for number in range(64)]
    assert table_luts([squares], 4) > 35
    assert table_luts([squares, squares], 4) == table_luts([squares], 4)
    assert table_luts([squares, [-each for each in squares]], 4) > table_luts([squares], 4)
    fifth = [5, 6, 5, 7, 6]
    assert table_luts([squares[:36]], 4) < table_luts([[*squares[:36], *fifth]], 4)  # the last four read 2 bits
