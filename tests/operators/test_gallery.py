"""The operators of examples/operators: torch = numpy = instructions = RTL of both kinds, at 1, 2 and 4 pixels a beat,
under stalls and in the predicted cycles; and, slow, a million results each, netlists and placed cells too."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bnnhw import hls
from bnnhw.boards.toolchain.synthesis import synthesise
from bnnhw.compiler import Graph, Schedule, evaluate
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.frontends.operators import graph_of_chain, object_in
from bnnhw.compiler.lowering.folding_plan import Entry, FoldingPlan
from bnnhw.hw.rtlil import convert_to_rtlil
from bnnhw.hw.targets import PORTABLE
from bnnhw.sim.batch.simulator import BatchSimulator
from tests.core_rtl import DEVICE, check_core

from .gallery import CHAINS, FOLDER, NAMES, READS, gallery_graph, gallery_operator

SIZE = (4, 8)
PIXELS = (1, 2, 4)
STALLS = (0.3, 0.3)
MOST_LINES = 6
RESULTS, MOST_FRAMES = 10**6, 10**5


def images_for(name: str, count: int, seed: int = 0) -> np.ndarray:
    """Random ones, and of the least and of the greatest values alone."""
    channels, (lo, hi) = READS[name]
    images = np.random.default_rng(seed).integers(lo, hi + 1, (count, *SIZE, channels))
    images[0], images[1] = lo, hi
    return images


def schedule_of(name: str, pixels: int) -> tuple[Graph, Schedule]:
    channels, span = READS[name]
    graph = gallery_graph(gallery_operator(name), channels, span, SIZE)
    plan = FoldingPlan((), entry=Entry(channels, pixels))
    return graph, apply_plan(graph, plan, device=DEVICE, clock_hz=1e8)


def check_above_hardware(name: str, images: np.ndarray) -> int:
    """torch = numpy = instructions; how many results there are."""
    operator, (channels, _) = gallery_operator(name), READS[name]
    expected = operator(images)
    np.testing.assert_array_equal(operator.traced(channels).run(images), expected)
    layer = hls.Layer(operator, channels=channels)
    exact = layer(torch.from_numpy(images).movedim(3, 1).double()).movedim(1, 3).numpy()
    np.testing.assert_array_equal(exact, expected)
    return expected.size


@pytest.mark.parametrize(("number", "name"), [*enumerate(READS)])
def test_every_level_is_equal(number: int, name: str):
    images = images_for(name, 12)
    check_above_hardware(name, images)
    pixels = PIXELS[number % len(PIXELS)]
    graph, chosen = schedule_of(name, pixels)
    check_core(BatchSimulator(chosen.core()), chosen, graph, images, stalls=(0.0, 0.0))
    check_core(BatchSimulator(chosen.core(target=PORTABLE)), chosen, graph, images, stalls=STALLS)


@pytest.mark.parametrize("name", CHAINS)
def test_chains(name: str):
    file, shape = CHAINS[name]
    chain = replace(object_in(f"{FOLDER / file}.py:{name}"), shape=shape)
    graph = graph_of_chain(chain)
    images = np.random.default_rng(0).integers(0, 256, (4, *shape))
    chosen = apply_plan(graph, FoldingPlan((), entry=Entry(1, 1)), device=DEVICE, clock_hz=1e8)
    check_core(BatchSimulator(chosen.core()), chosen, graph, images, stalls=STALLS)
    (found,) = evaluate(graph, {"x": images}).values()
    np.testing.assert_array_equal(found, chain(images))


@pytest.mark.slow
@pytest.mark.parametrize("name", READS)
def test_a_million_results_of_each(name: str, tmp_path: Path, record_property: Callable[[str, object], None]):
    """At each number of pixels: RTL of both kinds, and the netlist of one of them."""
    few = check_above_hardware(name, images_for(name, 4)) // 4
    images = images_for(name, min(MOST_FRAMES, -(-RESULTS // (few * len(PIXELS)))))
    record_property("results", check_above_hardware(name, images) * len(PIXELS))
    for pixels in PIXELS:
        graph, chosen = schedule_of(name, pixels)
        for target in (DEVICE.target, PORTABLE):
            check_core(BatchSimulator(chosen.core(target=target)), chosen, graph, images, stalls=STALLS)
    graph, chosen = schedule_of(name, PIXELS[-1])
    (tmp_path / "top.il").write_text(convert_to_rtlil(chosen.core()))
    synthesise(tmp_path, DEVICE.target.tools)
    netlist = BatchSimulator.from_design((tmp_path / "top.json").read_text(), read="read_json")
    check_core(netlist, chosen, graph, images, stalls=STALLS)


@pytest.mark.parametrize("file", NAMES)
def test_all_of_them_are_told_of_and_short(file: str):
    found = {name for name in NAMES[file] if isinstance(object_in(f"{FOLDER / file}.py:{name}"), hls.Operator)}
    text = (FOLDER / f"{file}.py").read_text()
    assert text.count("\n@hls.") == len(found)
    for name in found:
        function = gallery_operator(name).function
        lines = inspect.getsource(function).rstrip().count("\n") + 1
        told = (inspect.getdoc(function) or "").count("\n") + 1
        assert function.__doc__
        assert lines - told <= MOST_LINES, name
        assert f"`{name}`" in (FOLDER / "README.md").read_text()
