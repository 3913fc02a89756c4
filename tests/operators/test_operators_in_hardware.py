"""Cores of one operator each, of all kinds: numpy = RTL, under stalls too, and in the predicted cycles."""

from itertools import product

import numpy as np
import pytest

from bnnhw import hls
from bnnhw.compiler import Graph, Schedule
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.ir.graph import Node, Value
from bnnhw.compiler.ir.ops import Operator
from bnnhw.compiler.ir.types import IntType, TensorType
from bnnhw.compiler.lowering.folding_plan import Entry, FoldingPlan
from tests.core_rtl import DEVICE, check_rtl
from tests.hls.operators import OPERATORS

SHAPE = (6, 8)
ENTRIES = [Entry(1), Entry(0), Entry(0, 2), Entry(0, 4)]
"""Of a lane; of whole pixels, which 0 lanes stand for."""


def graph_of(operator: hls.Operator, channels: int, span: tuple[int, int]) -> Graph:
    source = Value("x", TensorType((*SHAPE, channels), IntType(*span)))
    return Graph((source,), (Node(operator.name, Operator(operator.traced(channels)), ("x",), "y"),), ("y",))


def core_of(name: str, entry: Entry) -> tuple[Graph, Schedule, np.ndarray]:
    operator, channels, (lo, hi) = OPERATORS[name]
    graph = graph_of(operator, channels, (lo, hi))
    plan = FoldingPlan((), entry=Entry(entry.lanes or channels, entry.pixels))
    rng = np.random.default_rng(0)
    images = rng.integers(lo, hi + 1, (9, *SHAPE, channels))
    images[0], images[1] = hi, lo
    return graph, apply_plan(graph, plan, device=DEVICE, clock_hz=1e8), images


@pytest.mark.parametrize(("name", "entry"), [*product(OPERATORS, ENTRIES)])
def test_equals_numpy(name: str, entry: Entry):
    graph, chosen, images = core_of(name, entry)
    check_rtl(chosen, graph, images, stalls=(0.0, 0.0))
    check_rtl(chosen, graph, images, stalls=(0.3, 0.3))
