"""The search of series with branches: streams, forks and joins included, it finds the smallest design."""

from collections.abc import Callable
from itertools import product

import pytest

from bnnhw.compiler import Graph, ScheduleError
from bnnhw.compiler.dataflow.draw import draw_core
from bnnhw.compiler.dataflow.layer_units import core_input, entry_resources
from bnnhw.compiler.dataflow.timing import least_interval
from bnnhw.compiler.ir import ops
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import lower_network
from bnnhw.compiler.lowering.pipeline import Pipeline
from bnnhw.compiler.search.graph_search import GraphSearch
from bnnhw.compiler.search.search import Search
from bnnhw.compiler.units.buffering import Buffering
from bnnhw.compiler.units.product.folding import Folding
from bnnhw.compiler.units.stage import core_resources
from bnnhw.hw.targets import Cells
from tests.core_rtl import DEVICE
from tests.graphs.sketches import GRAPHS, Sketch, random_graph


def drawn(pipeline: Pipeline, foldings: list[Folding]) -> tuple[int, Cells]:
    """The cycles of the slowest unit, and the whole top's cells without queues and buffers."""
    plan = FoldingPlan(tuple((layer.name, folding) for layer, folding in zip(pipeline.layers, foldings, strict=True)))
    core = draw_core(pipeline, plan, DEVICE.target)
    stages = [stage for stage in core.stages if not isinstance(stage, Buffering)]
    link = entry_resources(DEVICE.target.fabric, core_input(pipeline, plan))
    return least_interval(stages), core_resources(stages) + link


def forked_input(rows: tuple[int, int] = (2, 3)) -> Graph:
    """Both branches read the input, as two dense layers of whose SIMD the first one's sets its stream."""
    sketch = Sketch(shape=(6,))
    ways = [sketch.sign(sketch.dense("x", each)) for each in rows]
    return sketch.graph(sketch.dense(sketch.add(ops.Concat(), *ways), 2))


def nested() -> Graph:
    """A skip beside the signs of two layers' sums."""
    sketch = Sketch(shape=(2,))
    first = sketch.sign(sketch.dense("x", 2))
    total = sketch.sign(sketch.add(ops.Add(), sketch.dense(first, 1), sketch.dense(first, 1)))
    return sketch.graph(sketch.dense(sketch.add(ops.Concat(), first, total), 2), label=False)


@pytest.mark.parametrize("limit", [3, 100])
@pytest.mark.parametrize("graph", [forked_input, nested])
def test_it_finds_what_trying_everything_finds(graph: Callable[[], Graph], limit: int):
    pipeline = lower_network(graph()).pipeline
    choices = []
    for layer in pipeline.layers:
        stores = [Folding(pe, simd, store) for pe in layer.pes for simd in layer.simds for store in ("block", "lut")]
        whole = [Folding(layer.rows, layer.cols, "constant"), Folding(layer.rows, layer.cols, engine="hardwired")]
        choices.append([folding for folding in stores + whole if layer.cycles(folding) <= limit])
    sizes = []
    for foldings in product(*choices):
        try:
            cycles, cells = drawn(pipeline, list(foldings))
        except ScheduleError:
            continue
        if cycles <= limit:
            sizes.append(DEVICE.size(cells))
    found = Search(pipeline, DEVICE.target).smallest(DEVICE, vectors=1, limit=limit)
    assert found is not None
    assert DEVICE.size(found.resources) == pytest.approx(min(sizes))


def wide() -> Graph:
    """Branches with block RAMs of their own."""
    sketch = Sketch(shape=(64,))
    first = sketch.sign(sketch.dense("x", 256))
    ways = [sketch.sign(sketch.dense(first, rows)) for rows in (256, 128)]
    return sketch.graph(sketch.dense(sketch.add(ops.Concat(), first, *ways), 10))


@pytest.mark.parametrize(("graph", "limit"), [(forked_input((3, 8)), 50), (forked_input((3, 8)), 100), (wide(), 2000)])
def test_what_it_says_of_dense_layers_is_exact(graph: Graph, limit: int):
    pipeline = lower_network(graph).pipeline
    found = Search(pipeline, DEVICE.target).smallest(DEVICE, vectors=1, limit=limit)
    assert found is not None
    assert drawn(pipeline, [folding for _, folding in found.plan.layers]) == (found.cycles, found.resources)
    apart = GraphSearch(pipeline, DEVICE.target).smallest(DEVICE, vectors=1, limit=limit)
    assert apart is None or DEVICE.size(found.resources) <= DEVICE.size(apart.resources)


def named(name: str) -> Graph:
    sketch = Sketch()
    return sketch.graph(GRAPHS[name](sketch))


@pytest.mark.parametrize("limit", [300, 2000])
def test_it_is_never_larger_than_layer_by_layer_and_what_it_says(limit: int):
    """It takes a window to get a pixel at a time; others have some cells more, or less."""
    smaller = 0
    for graph in (*map(named, ("dense_net", "residual", "three_ways")), *map(random_graph, range(4))):
        pipeline = lower_network(graph).pipeline
        together, apart = Search(pipeline, DEVICE.target), GraphSearch(pipeline, DEVICE.target)
        found, before = (search.smallest(DEVICE, vectors=1, limit=limit) for search in (together, apart))
        assert found is not None
        cycles, cells = drawn(pipeline, [folding for _, folding in found.plan.layers])
        assert cycles <= found.cycles <= limit
        assert DEVICE.size(cells) == pytest.approx(DEVICE.size(found.resources), rel=0.01)
        assert before is None or DEVICE.size(cells) <= DEVICE.size(before.resources)
        smaller += before is None or DEVICE.size(cells) < DEVICE.size(before.resources)
    assert smaller
