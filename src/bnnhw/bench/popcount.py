"""The XNOR-popcount by itself.

Tests: tests/cli/test_bench.py
"""

from collections.abc import Iterator

from bnnhw.boards.board import get_board
from bnnhw.boards.toolchain.alone import route_alone, synthesise_alone
from bnnhw.hw.product.matrix_shape import POPCOUNT_LEVELS
from bnnhw.hw.product.popcount import XnorPopcount

from .row import Bench, Row

BOARD = "ulx3s-85f"
INPUTS = 64
MAX_LUTS_PER_INPUT = 1.85
MIN_FMAX_HZ = {1: 200e6, POPCOUNT_LEVELS: 140e6}
"""By the levels of adders from register to register."""


def measure(bench: Bench) -> Iterator[Row]:
    device = get_board(BOARD).device
    names = device.target.cell_names
    cost = synthesise_alone(XnorPopcount(inputs=INPUTS, target=device.target), device.target).logic / INPUTS
    yield Row(
        name=f"XNOR-popcount, {INPUTS} inputs, variable weights",
        measured=f"{cost:.2f} {names.unrouted} an input",
        target=f"<= {MAX_LUTS_PER_INPUT}",
        met=cost <= MAX_LUTS_PER_INPUT,
    )
    for levels, min_fmax_hz in MIN_FMAX_HZ.items():
        routed = route_alone(XnorPopcount(inputs=INPUTS, levels=levels, target=device.target), device, 1)
        yield Row(
            name=f"the same, adders from register to register: {levels}, routed alone, "
            f"{device.name}-{device.target.tools.slowest_speed}, seed 1",
            measured=f"{routed.fmax_hz / 1e6:.0f} MHz, {routed.cells.logic} {names.logic}, {routed.cells.ffs} FF",
            target=f">= {min_fmax_hz / 1e6:.0f} MHz",
            met=routed.fmax_hz >= min_fmax_hz,
        )
