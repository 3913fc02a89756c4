"""Chips' nanoseconds as cycles, and as slots of the controller's periods."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bnnhw.hw.memory.timing import MT48LC16M16A2, SdramTiming

NAMES = ("cas", "rcd", "rp", "ras", "rc", "rfc", "wr", "rrd", "refi", "start_up")
CYCLES = {
    66_000_000: (2, 2, 2, 3, 5, 5, 1, 1, 515, 13_200),
    100_000_000: (2, 2, 2, 5, 7, 7, 2, 2, 781, 20_000),
    125_000_000: (3, 3, 3, 6, 9, 9, 2, 2, 976, 25_000),
    133_333_333: (3, 3, 3, 6, 9, 9, 2, 2, 1041, 26_667),
}
SLOTS = {66_000_000: (6, 4), 100_000_000: (6, 4), 125_000_000: (5, 2), 133_333_333: (5, 2)}
"""Of the activate, and of the precharge before it."""


@pytest.mark.parametrize("clock_hz", CYCLES)
def test_cycles_and_slots(clock_hz: int):
    timing = MT48LC16M16A2.timing(clock_hz)
    assert timing == SdramTiming(**dict(zip(NAMES, CYCLES[clock_hz], strict=True)), postponed=8)
    assert (timing.activate_slot, timing.precharge_slot) == SLOTS[clock_hz]
    assert timing.obstacles() == []


def test_a_limit_to_the_cycle_is_kept():
    """20 ns are two cycles at 100 MHz, and at a hertz more three."""
    assert MT48LC16M16A2.timing(100_000_000).rcd == 2
    assert replace(MT48LC16M16A2, cas_periods_ns=((2, 9),)).timing(100_000_001).rcd == 3


def test_addresses_are_those_of_bursts():
    assert MT48LC16M16A2.shape.address_bits == 21
    assert MT48LC16M16A2.shape.width << MT48LC16M16A2.shape.address_bits + 3 == 32 << 23


OBSTACLES = {
    "rcd": (4, "tRCD + tRP takes 7 cycles, and may take 6"),
    "wr": (4, "tWR takes 4 cycles, and may take 3"),
    "ras": (14, "tRAS takes 14 cycles, and may take 13"),
    "rc": (17, "tRC takes 17 cycles, and may take 16"),
    "rrd": (9, "tRRD takes 9 cycles, and may take 8"),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_what_periods_have_no_room_for(name: str):
    cycles, obstacle = OBSTACLES[name]
    timing = MT48LC16M16A2.timing(125_000_000)
    assert replace(timing, **{name: cycles}).obstacles()[0] == obstacle
    assert obstacle not in replace(timing, **{name: cycles - 1}).obstacles()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: MT48LC16M16A2.timing(140_000_000),
            r"^clock_hz=140000000 must be at most 133333333, the fastest of MT48LC16M16A2-75$",
        ),
        (lambda: replace(MT48LC16M16A2, rows=5000), r"^rows=5000 must be a power of two from 2 to 8192$"),
        (lambda: replace(MT48LC16M16A2, columns=2048), r"^columns=2048 must be a power of two from 2 to 1024$"),
        (lambda: replace(MT48LC16M16A2, columns=4), r"^columns=4 must be at least 8, a burst$"),
        (lambda: replace(MT48LC16M16A2, banks=8), r"^banks=8 must be a power of two from 2 to 4$"),
    ],
)
def test_chips_are_checked(make: Callable[[], object], message: str):
    with pytest.raises(ValueError, match=message):
        make()
