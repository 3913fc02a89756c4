"""The operators of examples/operators: torch = numpy = instructions = RTL of both kinds, at 1, 2 and 4 pixels a beat,
under stalls and in the predicted cycles; and, slow, a million results each, to the placed cells."""

import inspect
from dataclasses import replace

import numpy as np
import pytest
import torch

from bnnhw import hls
from bnnhw.api.ladder.netlist import netlist_rungs
from bnnhw.boards.board import get_board
from bnnhw.compiler import evaluate
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.frontends.operators import graph_of_chain, object_in
from bnnhw.compiler.lowering.folding_plan import Entry, FoldingPlan
from bnnhw.hw.targets import PORTABLE
from bnnhw.sim.batch.simulator import BatchSimulator
from bnnhw.sim.ladder.ladder import Rung, climb
from bnnhw.sim.ladder.rungs import core_rung, rtl_rung
from tests.core_rtl import DEVICE, check_core

from .gallery import CHAINS, FOLDER, GALLERY, NAMES, Shown

PIXELS = (1, 2, 4)
STALLS = (0.3, 0.3)
MOST_LINES = 6
LEAST = 20
MANY = 10**6


def check_above_hardware(shown: Shown, images: np.ndarray) -> np.ndarray:
    """torch = numpy = instructions: the results."""
    given = shown.streams_of(images)
    expected = shown.operator(*given)
    whole = np.stack(given) if shown.streams > 1 else images
    np.testing.assert_array_equal(shown.operator.traced(shown.channels).run(whole), expected)
    layer = hls.Layer(shown.operator, channels=shown.channels)
    exact = layer(*(torch.from_numpy(each).movedim(3, 1).double() for each in given)).movedim(1, 3).numpy()
    np.testing.assert_array_equal(exact, expected)
    return expected


@pytest.mark.parametrize(("number", "name"), [*enumerate(GALLERY)])
def test_every_level_is_equal(number: int, name: str):
    shown = GALLERY[name]
    images = shown.images(12)
    expected = check_above_hardware(shown, images)
    (found,) = evaluate(shown.graph, {"x": images}).values()
    np.testing.assert_array_equal(found, expected)
    chosen = shown.schedule(PIXELS[number % 3])
    check_core(BatchSimulator(chosen.core()), chosen, shown.graph, images, stalls=(0.0, 0.0))
    chosen = shown.schedule(PIXELS[(number + 1) % 3])
    check_core(BatchSimulator(chosen.core(target=PORTABLE)), chosen, shown.graph, images, stalls=STALLS)


@pytest.mark.slow
@pytest.mark.toolchain
@pytest.mark.parametrize(("number", "name"), [*enumerate(GALLERY)])
def test_a_million_results_to_the_placed_cells(number: int, name: str):
    shown = GALLERY[name]
    results = check_above_hardware(shown, shown.images(2))[0].size
    images = shown.images(-(-MANY // results))
    expected = check_above_hardware(shown, images)
    chosen = shown.schedule(PIXELS[(number + 2) % 3])
    portable = core_rung("portable RTL", chosen, BatchSimulator(chosen.core(target=PORTABLE)))
    rungs = [Rung("numpy", lambda images: expected), portable, rtl_rung(chosen)]
    for step in climb([*rungs, *netlist_rungs(chosen, get_board("ulx3s"))], images):
        print(f"{name}: {expected.size} results, {step.differences} of {step.samples} images differ, {step.upper}")
        assert not step.differences, step.where


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


@pytest.mark.parametrize("file", NAMES)
def test_no_operator_is_forgotten(file: str):
    """By its file, or by the README."""
    assert (FOLDER / f"{file}.py").read_text().count("\n@hls.") == len(NAMES[file])
    readme = (FOLDER / "README.md").read_text()
    assert [name for name in NAMES[file] if f"`{name}`" not in readme] == []


def test_they_are_many_and_short():
    assert len(GALLERY) >= LEAST
    for name, shown in GALLERY.items():
        function = shown.operator.function
        assert function.__doc__, name
        lines = inspect.getsource(function).rstrip().splitlines()
        assert len(lines) - len(function.__doc__.splitlines()) <= MOST_LINES, name
