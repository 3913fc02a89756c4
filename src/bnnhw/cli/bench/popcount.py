"""The XNOR-popcount by itself."""

from collections.abc import Iterator

from bnnhw.boards.toolchain.alone import route_alone, synthesise_alone
from bnnhw.hw.product.matrix_shape import POPCOUNT_LEVELS
from bnnhw.hw.product.popcount import XnorPopcount

from .row import Bench, Row

INPUTS = 64
MAX_LUTS_PER_INPUT = 1.85
MIN_FMAX_HZ = {1: 200e6, POPCOUNT_LEVELS: 140e6}
"""By the levels of adders from register to register."""


def measure(bench: Bench) -> Iterator[Row]:
    cells = synthesise_alone(XnorPopcount(inputs=INPUTS, technology="ecp5"))
    cost = cells.lut4 / INPUTS
    yield Row(
        name=f"XNOR-popcount, {INPUTS} inputs, variable weights",
        measured=f"{cost:.2f} LUT4 + 2 CCU2C an input",
        target=f"<= {MAX_LUTS_PER_INPUT}",
        met=cost <= MAX_LUTS_PER_INPUT,
    )
    for levels, min_fmax_hz in MIN_FMAX_HZ.items():
        routed = route_alone(XnorPopcount(inputs=INPUTS, levels=levels, technology="ecp5"), "LFE5U-85F", 1)
        yield Row(
            name=f"the same, adders from register to register: {levels}, routed alone, LFE5U-85F-6, seed 1",
            measured=f"{routed.fmax_hz / 1e6:.0f} MHz, {routed.trellis_comb} TRELLIS_COMB, {routed.ff} FF",
            target=f">= {min_fmax_hz / 1e6:.0f} MHz",
            met=routed.fmax_hz >= min_fmax_hz,
        )
