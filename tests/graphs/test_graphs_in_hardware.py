"""Graphs with forks and joins from integers to the RTL: several foldings, random stalls, exact cycles."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from bnnhw.compiler import Graph, ScheduleError
from bnnhw.compiler.ir.graph import trace
from bnnhw.compiler.search.scheduling import schedule
from bnnhw.sim.ladder.rungs import trace_rtl
from tests.core_rtl import DEVICE, check_rtl, folded

from .sketches import GRAPHS, Sketch, random_graph

FRAMES = 10


FOLDINGS = ((1, False, (0.0, 0.0)), (2, False, (0.3, 0.3)), (4, False, (0.0, 0.0)), (1, True, (0.3, 0.0)))
"""PE, SIMD and pixels at most, whether hardwired, and the probabilities of stalls before and behind the core."""


def images(graph: Graph, count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 4, (count, *graph.inputs[0].type.shape))


def half_of_foldings(names: Iterable[str]) -> list[Any]:
    """Each name with `FOLDINGS[part::2]`, in turn the even and the odd ones; with the others it is slow."""
    return [
        pytest.param(name, part, marks=[pytest.mark.slow] * (part != number % 2))
        for number, name in enumerate(names)
        for part in (0, 1)
    ]


def check_foldings(graph: Graph, part: int) -> None:
    for most, hardwired, stalls in FOLDINGS[part::2]:
        check_rtl(folded(graph, most=most, hardwired=hardwired), graph, images(graph, FRAMES), stalls=stalls)


@pytest.mark.parametrize(("name", "part"), half_of_foldings(GRAPHS))
def test_foldings(name: str, part: int):
    sketch = Sketch()
    check_foldings(sketch.graph(GRAPHS[name](sketch)), part)


@pytest.mark.parametrize("name", ["dense_net", "residual", "three_ways"])
def test_every_value_is_equal(name: str):
    sketch = Sketch()
    graph = sketch.graph(GRAPHS[name](sketch), label=False)
    inputs = images(graph, 4)
    expected = trace(graph, {"x": inputs})
    found = trace_rtl(folded(graph, most=2, hardwired=False), inputs)
    assert len(found) >= 3
    for value, values in found.items():
        np.testing.assert_array_equal(values, expected[value], err_msg=value)


@pytest.mark.parametrize("name", ["dense_net", "dense_branches", "sum_of_sums"])
def test_searched_foldings(name: str):
    sketch = Sketch()
    graph = sketch.graph(GRAPHS[name](sketch))
    chosen = schedule(graph, DEVICE, target_fps=500_000)
    assert chosen.frames_per_second >= 500_000
    check_rtl(chosen, graph, images(graph, FRAMES), stalls=(0.0, 0.0))


@pytest.mark.parametrize("options", [{}, {"target_fps": 1000}, {"fill": 0.1}])
def test_vectors_have_no_convolutions(options: dict):
    sketch = Sketch()
    graph = sketch.graph(GRAPHS["dense_net"](sketch))
    with pytest.raises(ScheduleError, match=r"^vectors=2 must be 1 where there are convolutions; give their foldings"):
        schedule(graph, DEVICE, vectors=2, **options)


def test_several_vectors():
    sketch = Sketch()
    graph = sketch.graph(GRAPHS["dense_branches"](sketch))
    check_rtl(schedule(graph, DEVICE, vectors=2), graph, images(graph, FRAMES), stalls=(0.0, 0.3))


def climb(seed: int) -> None:
    graph = random_graph(seed)
    most, hardwired, stalls = FOLDINGS[seed % len(FOLDINGS)]
    check_rtl(folded(graph, most=most, hardwired=hardwired), graph, images(graph, FRAMES), stalls=stalls)


@pytest.mark.parametrize("seed", range(3))
def test_random_graphs(seed: int):
    climb(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 300))
def test_many_random_graphs(seed: int):
    climb(seed)
