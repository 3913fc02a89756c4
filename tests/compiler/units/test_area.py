"""Estimated cells against those of routed designs, and of a design synthesised here."""

import numpy as np
import pytest

from bnnhw.boards.toolchain.alone import synthesise_alone
from bnnhw.compiler import Graph, Node, Schedule, TensorType, Value
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.ir.ops import ArgMax, MatMul, Threshold
from bnnhw.compiler.ir.types import BinaryType
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.units.area import answer_resources, link_resources, queue_resources
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.hw.link.phy.uart_port import UartPort
from bnnhw.hw.product.matrix_area import matrix_area
from bnnhw.hw.product.matrix_shape import MatrixShape
from bnnhw.hw.stream.fifo import Fifo
from bnnhw.hw.targets import Cells, get_device
from bnnhw.hw.targets.ecp5 import ECP5
from bnnhw.hw.top import Top
from tests.hw.netlist_cells import netlist_logic

TOLERANCE = 0.1


def design(sizes: list[int], foldings: list[Folding], *, vectors: int = 1) -> Schedule:
    """A random binary network of these layer sizes, the first its inputs, with these foldings."""
    rng = np.random.default_rng(0)
    nodes: list[Node] = []
    value = "x"
    for index, rows in enumerate(sizes[1:]):
        cols = sizes[index]
        weights = (rng.integers(0, 2, (rows, cols), dtype=np.int8) * 2 - 1).astype(np.int8)
        nodes.append(Node(f"fc{index}", MatMul(weights), (value,), f"s{index}"))
        value = f"s{index}"
        if index < len(foldings) - 1:
            thresholds = rng.normal(0, np.sqrt(cols), rows).astype(np.int64)
            nodes.append(Node(f"fc{index}.t", Threshold(thresholds), (value,), f"b{index}"))
            value = f"b{index}"
    nodes.append(Node("label", ArgMax(), (value,), "label"))
    graph = Graph((Value("x", TensorType((sizes[0],), BinaryType())),), tuple(nodes), ("label",))
    plan = FoldingPlan(tuple((f"fc{index}", folding) for index, folding in enumerate(foldings)), vectors)
    return apply_plan(graph, plan, device=get_device("LFE5U-85F"), clock_hz=100e6)


LFC = [784, 1024, 1024, 1024, 10]
ROUTED = {
    "digits": (
        design([64, 64, 64, 64, 10], [*[Folding(1, 8, "block")] * 3, Folding(1, 8, "lut")]),
        Cells(logic=1750, ffs=1389, ebr=4),
    ),
    "lfc by 32 rows": (
        design(LFC, [Folding(32, 49, "block"), *[Folding(32, 64, "block")] * 2, Folding(1, 32, "block")]),
        Cells(logic=12819, ffs=16498, ebr=164),
    ),
    "lfc by whole rows": (
        design(LFC, [Folding(2, 784, "block"), *[Folding(2, 1024, "block")] * 2, Folding(1, 32, "block")]),
        Cells(logic=14071, ffs=32234, ebr=184),
    ),
}
"""Random networks of these sizes and foldings on the ULX3S-85F: TRELLIS_COMB, TRELLIS_FF and DP16KD as nextpnr counts
them."""


@pytest.mark.parametrize("name", ROUTED)
def test_estimates_are_near_what_was_routed(name):
    chosen, routed = ROUTED[name]
    estimate = chosen.resources
    assert estimate.logic == pytest.approx(routed.logic, rel=TOLERANCE)
    assert estimate.ffs == pytest.approx(routed.ffs, rel=TOLERANCE)
    assert estimate.ebr == routed.ebr


def carry_ends(schedule: Schedule) -> int:
    """What placing adds at the ends of carry chains: two to the label's, the others by the matrix units' estimates."""
    areas = (matrix_area(shape) for shape in schedule.shapes if isinstance(shape, MatrixShape))
    return 2 * ECP5.fabric.carry_end_luts + sum(area.logic - netlist_logic(area) for area in areas)


def test_a_link_for_large_frames():
    """Against what yosys makes of a Link for images of 16 KiB and answers of 4 KiB, both bytes: 1482, 1043 and 3."""
    sizes = {"bits": 8, "vectors": 1}
    estimate = link_resources(ECP5.fabric, beats=16384, **sizes) + answer_resources(ECP5.fabric, beats=4096, **sizes)
    assert estimate.logic == pytest.approx(1482, rel=TOLERANCE)
    assert estimate.ffs == pytest.approx(1043, rel=TOLERANCE)
    assert estimate.ebr == 3


@pytest.mark.toolchain
@pytest.mark.parametrize(("depth", "limit"), [(16, None), (64, None), (16, 10), (64, 40), (1024, 700)])
def test_queues(depth: int, limit: int | None):
    report = synthesise_alone(Fifo(width=8, depth=depth, limit=limit, target=ECP5), ECP5)
    estimate = queue_resources(ECP5.fabric, width=8, depth=depth, limit=limit)
    assert estimate.logic == pytest.approx(report.logic, rel=TOLERANCE)
    assert estimate.ffs == pytest.approx(report.ffs, rel=TOLERANCE)
    assert estimate.ebr == report.ebr


@pytest.mark.toolchain
def test_a_link_deals_images_to_each_vector():
    """No vector of the core is merged with another: the whole top costs what link and core cost by themselves."""
    chosen = design([64, 128, 10], [Folding(16, 16, "block"), Folding(2, 16)], vectors=3)
    top = Top(
        core=chosen.core(),
        port=UartPort(clock_hz=100_000_000, baud=3_000_000),
        clock_hz=100_000_000,
        network_id=bytes(8),
        input_elements=64,
        output_elements=1,
        target=ECP5,
    )
    report = synthesise_alone(top, ECP5)
    ends = carry_ends(chosen)
    assert chosen.resources.logic - ends == pytest.approx(report.logic, rel=TOLERANCE)
    assert chosen.resources.ffs == pytest.approx(report.ffs, rel=TOLERANCE)
    assert chosen.resources.ebr == report.ebr


@pytest.mark.toolchain
def test_estimates_are_near_what_is_synthesised():
    chosen = design([64, 128, 10], [Folding(16, 64, "block"), Folding(2, 16)])
    report = synthesise_alone(chosen.core(), ECP5)
    link = chosen.link_resources
    ends = carry_ends(chosen)
    assert chosen.resources.logic - link.logic - ends == pytest.approx(report.logic, rel=TOLERANCE)
    assert chosen.resources.ffs - link.ffs == pytest.approx(report.ffs, rel=TOLERANCE)
    assert chosen.resources.ebr - link.ebr == report.ebr
