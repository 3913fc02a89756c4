"""AdderPipeline: the LUT4 and carry chains compute what the plain adders do; their number is the planned one."""

from itertools import product

import numpy as np
import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.hw.hardwired.adder_pipeline import AdderPipeline
from bnnhw.hw.hardwired.row_sums import plan_row_sums
from bnnhw.hw.targets import PORTABLE
from bnnhw.hw.targets.ecp5 import ECP5
from tests.hw.proof import prove_equal

from .test_row_sums import WEIGHTS, graph_luts, random_weights


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("name", "with_offsets"),
    [
        *product(["one weight", "one column", "inverse rows", "two columns"], [True, False]),
        ("10 x 64", True),
        ("37 x 25", False),
        pytest.param("10 x 64", False, marks=pytest.mark.slow),
        pytest.param("37 x 25", True, marks=pytest.mark.slow),
    ],
)
def test_cells_equal_adders(name, with_offsets, tmp_path):
    graph = plan_row_sums(WEIGHTS[name], ECP5.fabric, with_offsets=with_offsets)
    gold, gate = (AdderPipeline(graph=graph, target=target) for target in (PORTABLE, ECP5))
    prove_equal(gold, gate, tmp_path)


@pytest.mark.toolchain
def test_cells_are_the_planned_ones():
    graph = plan_row_sums(random_weights(16, 48), ECP5.fabric, with_offsets=True)
    report = synthesise_alone(AdderPipeline(graph=graph, target=ECP5), ECP5)
    assert graph_luts(graph) == pytest.approx(report.logic, rel=0.02)


def test_errors():
    graph = plan_row_sums(np.ones((2, 3), np.int8), ECP5.fabric, with_offsets=True)
    with pytest.raises(ValueError, match=r"^target='asic' must be one of \['ecp5', 'ice40', 'portable'\]$"):
        AdderPipeline(graph=graph, target="asic")  # pyright: ignore[reportArgumentType]
