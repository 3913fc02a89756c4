"""What the SDRAM controller costs, and how fast it is."""

import pytest

from bnnhw.boards.board import get_board
from bnnhw.boards.toolchain.alone import route_alone
from bnnhw.hw.memory.controller import SdramController
from bnnhw.hw.memory.timing import MT48LC16M16A2

CLOCK_HZ = 125_000_000


@pytest.mark.slow
@pytest.mark.toolchain
def test_what_routing_makes():
    device = get_board("ulx3s-85f").device
    controller = SdramController(chip=MT48LC16M16A2, clock_hz=CLOCK_HZ, target=device.target)
    routed = [route_alone(controller, device, seed, aim_hz=CLOCK_HZ) for seed in (1, 2, 3)]
    for seed, each in enumerate(routed, start=1):
        clock = f"{each.fmax_hz / 1e6:.0f} MHz"
        print(f"\nseed {seed}: {each.cells.logic} {device.target.cell_names.logic}, {each.cells.ffs} FF, {clock}")
    assert min(each.fmax_hz for each in routed) >= CLOCK_HZ
    assert max(each.cells.logic for each in routed) <= 900
