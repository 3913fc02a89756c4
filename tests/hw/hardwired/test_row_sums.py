"""The planned sums of constant rows against numpy: random and degenerate weights, offsets, what they cost."""

from dataclasses import replace

import numpy as np
import pytest

from bnnhw.hw.hardwired.adder_graph import AdderGraph, Term
from bnnhw.hw.hardwired.graph_builder import GraphBuilder
from bnnhw.hw.hardwired.row_grouping import choose_row_groups, group_luts
from bnnhw.hw.hardwired.row_sums import add_row_group, plan_row_sums
from bnnhw.hw.targets import PORTABLE, Fabric

FABRIC = PORTABLE.fabric


def random_weights(rows: int, cols: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (rows, cols))


ONE_ROW = random_weights(1, 21)
WEIGHTS = {
    "one weight": np.ones((1, 1)),
    "one weight, negative": -np.ones((1, 1)),
    "one column": np.array([[1], [-1], [-1], [1]]),
    "one row": ONE_ROW,
    "all +1": np.ones((5, 9)),
    "all -1": -np.ones((5, 9)),
    "equal rows": np.repeat(ONE_ROW, 6, axis=0),
    "inverse rows": np.concatenate([ONE_ROW, -ONE_ROW, ONE_ROW, -ONE_ROW]),
    "inverse of a row that is a difference": np.concatenate([random_weights(4, 21), -random_weights(4, 21)]),
    "rows that differ once": np.where(np.eye(9, dtype=bool), -1, 1),
    "identical columns": np.repeat(random_weights(6, 3), 7, axis=1),
    "two columns": random_weights(5, 2),
    "three columns": random_weights(8, 3),
    "10 x 64": random_weights(10, 64),
    "37 x 25": random_weights(37, 25),
    "64 x 127": random_weights(64, 127),
}


def mismatches(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """popcount(x ^ w) of each row: (batch, rows)."""
    return (x[:, None, :] != (weights > 0)).sum(axis=-1)


def graph_luts(graph: AdderGraph, fabric: Fabric = FABRIC) -> int:
    """LUTs of the adders."""
    return sum(
        fabric.adder_luts(
            graph.bits(adder.u),
            graph.bits(adder.v) if isinstance(adder.v, Term) else 0,
            isinstance(adder.carry, Term),
            adder.width,
            subtract=adder.subtract,
        )
        for adder in graph.adders
    )


@pytest.mark.parametrize(
    "options", [{"with_offsets": True}, {"with_offsets": False}, {"with_offsets": True, "shared": False}]
)
@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_equals_numpy(weights, options):
    cols = weights.shape[1]
    graph = plan_row_sums(weights, FABRIC, **options)
    every = np.arange(1 << min(cols, 11))[:, None] >> np.arange(cols) & 1
    x = every if cols < 12 else np.random.default_rng(1).integers(0, 2, (500, cols))
    assert (graph.evaluate(x) == mismatches(weights, x)).all()
    if not options["with_offsets"] or "shared" in options:
        assert all(row.offset == 0 and not row.signed for row in graph.rows)


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_adders_follow_their_operands(weights):
    graph = plan_row_sums(weights, FABRIC, with_offsets=False)
    for node, adder in enumerate(graph.adders, graph.inputs):
        assert all(term.node < node for term in adder.terms)
        assert adder.stage == 1 + max(graph.stages[term.node] for term in adder.terms)


def test_equal_and_inverse_rows_cost_nothing():
    weights = random_weights(8, 30)
    once = plan_row_sums(weights, FABRIC, with_offsets=True)
    for more in (weights, -weights[::-1], np.repeat(weights, 2, axis=0)):
        again = plan_row_sums(np.concatenate([weights, more]), FABRIC, with_offsets=True)
        assert graph_luts(again) == graph_luts(once)


@pytest.mark.parametrize(("rows", "cols"), [(4, 20), (5, 63), (2, 100), (1, 9), (7, 40)])
@pytest.mark.parametrize("fabric", [FABRIC, replace(FABRIC, lut_inputs=6)], ids=["LUT4", "LUT6"])
def test_cost_of_a_group_is_that_of_its_adders(rows, cols, fabric):
    weights = random_weights(rows, cols)
    builder = GraphBuilder(cols)
    graph = builder.build(add_row_group(builder, weights))
    assert group_luts(weights, fabric) == graph_luts(graph, fabric)


def test_groups_have_each_row_once():
    groups = choose_row_groups(random_weights(23, 40), FABRIC)
    assert sorted(row for group in groups for row in group) == list(range(23))


def test_exchanges_pay():
    """Rows of four patterns with a few signs changed, in an order that hides who belongs together."""
    rng = np.random.default_rng(0)
    weights = np.tile(random_weights(4, 60), (6, 1)) * np.where(rng.random((24, 60)) < 0.05, -1, 1)
    in_order = min(
        sum(group_luts(weights[first : first + size], FABRIC) for first in range(0, 24, size)) for size in range(1, 9)
    )
    assert sum(group_luts(weights[group], FABRIC) for group in choose_row_groups(weights, FABRIC)) < 0.8 * in_order


def test_sharing_pays():
    """A row of 64 columns costs 88 LUT4 and more by itself."""
    shared, unshared = (
        graph_luts(plan_row_sums(random_weights(64, 64), FABRIC, with_offsets=True, shared=shared))
        for shared in (True, False)
    )
    assert shared <= 36 * 64 < 60 * 64 < unshared < 88 * 64
