"""The XNOR-popcount by itself."""

from collections.abc import Iterator

from bnnhw.boards.alone import route_alone, synthesise_alone
from bnnhw.cli.bench.row import Bench, Row
from bnnhw.hw.popcount import XnorPopcount

INPUTS = 64
MAX_LUTS_PER_INPUT = 1.85
MIN_FMAX_HZ = 200e6


def measure(bench: Bench) -> Iterator[Row]:
    cells = synthesise_alone(XnorPopcount(inputs=INPUTS, technology="ecp5"))
    cost = cells.lut4 / INPUTS
    yield Row(
        name=f"XNOR-popcount, {INPUTS} inputs, variable weights",
        measured=f"{cost:.2f} LUT4 + 2 CCU2C an input",
        target=f"<= {MAX_LUTS_PER_INPUT}",
        met=cost <= MAX_LUTS_PER_INPUT,
    )
    routed = route_alone(XnorPopcount(inputs=INPUTS, technology="ecp5"), "LFE5U-85F", 1)
    yield Row(
        name="the same, routed alone, LFE5U-85F-6, seed 1",
        measured=f"{routed.fmax_hz / 1e6:.0f} MHz, {routed.trellis_comb} TRELLIS_COMB",
        target=f">= {MIN_FMAX_HZ / 1e6:.0f} MHz",
        met=routed.fmax_hz >= MIN_FMAX_HZ,
    )
