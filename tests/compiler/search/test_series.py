"""Pipelines as series of layers and branches."""

from collections.abc import Callable

import pytest

from bnnhw.compiler import Graph
from bnnhw.compiler.ir import ops
from bnnhw.compiler.lowering.network import lower_network
from bnnhw.compiler.search.graph_search import GraphSearch, search_of
from bnnhw.compiler.search.search import Search
from bnnhw.compiler.search.series import Fork, NotSeriesError, Parallel, Series, series_of
from tests.core_rtl import DEVICE
from tests.graphs.meeting_paths import PATHS
from tests.graphs.sketches import Sketch


def chain(sketch: Sketch) -> Graph:
    return sketch.graph(sketch.dense(sketch.sign(sketch.conv("x", 2)), 3))


def forked_input(sketch: Sketch) -> Graph:
    ways = sketch.sign(sketch.conv("x", 2)), sketch.sign(sketch.conv("x", 3, 1))
    return sketch.graph(sketch.dense(sketch.add(ops.Concat(), *ways), 3))


def same_twice(sketch: Sketch) -> Graph:
    first = sketch.sign(sketch.conv("x", 2))
    return sketch.graph(sketch.dense(sketch.add(ops.Concat(), first, first), 3))


def knot(sketch: Sketch) -> Graph:
    """A branch meets another one, and what becomes of both."""
    first = sketch.sign(sketch.conv("x", 2))
    a, b = sketch.sign(sketch.conv(first, 2)), sketch.sign(sketch.conv(first, 2, 1))
    both = sketch.sign(sketch.conv(sketch.add(ops.Concat(), a, b), 3))
    return sketch.graph(sketch.dense(sketch.add(ops.Concat(), both, b), 3))


def shared(sketch: Sketch) -> Graph:
    """Two of three branches begin with the same layer."""
    first = sketch.sign(sketch.conv("x", 2))
    a = sketch.sign(sketch.conv(first, 2))
    ways = sketch.sign(sketch.conv(a, 2)), sketch.sign(sketch.conv(a, 2, 1)), sketch.sign(sketch.conv(first, 1))
    return sketch.graph(sketch.dense(sketch.add(ops.Concat(), *ways), 3))


def two_outputs(sketch: Sketch) -> Graph:
    first = sketch.sign(sketch.conv("x", 2))
    return sketch.ending_in(sketch.dense(first, 3), sketch.dense(first, 4))


def u_net(sketch: Sketch) -> Graph:
    """Three skips, one within the other."""

    def level(x: str, depth: int) -> str:
        if not depth:
            return sketch.sign(sketch.conv(x, 2))
        down = sketch.sign(sketch.conv(x, 2))
        return sketch.sign(sketch.conv(sketch.add(ops.Concat(), level(down, depth - 1), down), 2))

    return sketch.graph(sketch.dense(level("x", 3), 3))


def of(name: str) -> Callable[[Sketch], Graph]:
    return lambda sketch: sketch.graph(PATHS[name](sketch))


SERIES = [
    (chain, "LL"),
    (forked_input, "f2(L|L)L"),
    (same_twice, "Lf2(|)L"),
    (of("over_two"), "Lf2(|LL)L"),
    (of("skip_by_pooling"), "Lf2(()|L)L"),
    (of("three_branches"), "Lf3(|L|L)L"),
    (of("nested"), "Lf2(|Lf2(|L)L)L"),
    (of("sum_with_its_signs"), "Lf2(|()L)L"),
    (of("two_skips"), "Lf2(|L)f2(|L)L"),
]


def text_of(series: Series) -> str:
    """L for a layer, f2 for a fork of two, (a|b) for branches."""
    return "".join(
        f"f{element.readers}"
        if isinstance(element, Fork)
        else f"({'|'.join(text_of(branch) for branch in element.branches)})"
        if isinstance(element, Parallel)
        else "L"
        for element in series
    )


@pytest.mark.parametrize(("graph", "text"), SERIES, ids=[text for _, text in SERIES])
def test_series(graph: Callable[[Sketch], Graph], text: str):
    assert text_of(series_of(lower_network(graph(Sketch())).pipeline)) == text


@pytest.mark.parametrize("graph", [knot, shared, two_outputs, u_net])
def test_what_is_no_series_is_searched_layer_by_layer(graph: Callable[[Sketch], Graph]):
    pipeline = lower_network(graph(Sketch())).pipeline
    with pytest.raises(NotSeriesError):
        series_of(pipeline)
    search = search_of(pipeline, DEVICE.target)
    assert isinstance(search, GraphSearch)
    design = search.smallest(DEVICE, vectors=1, limit=20_000)
    assert design is not None
    assert design.cycles <= 20_000


def test_chains_and_series_have_the_same_search():
    for graph in (chain, same_twice):
        assert type(search_of(lower_network(graph(Sketch())).pipeline, DEVICE.target)) is Search
