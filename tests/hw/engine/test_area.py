"""What an engine is reckoned to take, beside synthesis."""

import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.engine.area import engine_cells
from bnnhw.hw.engine.engine import Engine
from bnnhw.hw.engine.engine_with_memory import EngineWithMemory
from bnnhw.hw.targets.ecp5 import ECP5
from tests.engine_rtl import CHIP, small_shape


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param({"rows": 16}, marks=pytest.mark.slow),
        pytest.param({"pixels": 8}, marks=pytest.mark.slow),
        pytest.param({"pixels": 8, "simd": 64, "map_words": 512}, marks=pytest.mark.slow),
        pytest.param({"external": CHIP.shape}, marks=pytest.mark.slow),
        {"rows": 4, "values": 256},
        pytest.param({"values": 256}, marks=pytest.mark.slow),
        pytest.param({"pixels": 8, "rows": 16, "values": 256}, marks=pytest.mark.slow),
        pytest.param({"values": 512, "external": CHIP.shape}, marks=pytest.mark.slow),
    ],
    ids=[
        "4x16x32",
        "8x8x32 with windows",
        "8x8x64",
        "4x8x32 with a memory",
        "4x4x32 with values",
        "with values",
        "8x16x32 with values",
        "both",
    ],
)
def test_is_near_synthesis(sizes):
    shape = small_shape(sum_width=18, group_pixels=4, **sizes)
    engine = Engine(shape) if shape.external is None else EngineWithMemory(shape, chip=CHIP, clock_hz=90_000_000)
    reckoned, made = engine_cells(shape), synthesise_alone(engine, ECP5)
    assert reckoned.ebr == made.ebr
    assert abs(reckoned.logic - made.logic) <= 0.05 * made.logic, (reckoned, made)
