"""Codes of several levels in programs, by RTL: networks of several methods and random graphs, each number that the host
reads against the integer graph, with stalls, in the predicted cycles."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch

from bnnhw.compiler import Graph, Node, TensorType, Value, integerize
from bnnhw.compiler.engine.bases.input_bases import InputBases
from bnnhw.compiler.engine.from_graph import engine_network
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.graph import trace
from bnnhw.compiler.ir.ops import Conv, Levels, MatMul, MultiThreshold, Threshold
from bnnhw.compiler.ir.types import BinaryType
from bnnhw.model.export import save
from bnnhw.model.methods import method_named
from bnnhw.model.networks.catalogue import architecture, build_network
from tests.engine_levels import random_levels
from tests.engine_rtl import small_shape

from .test_values import SIZES, compare, fits

ROOMS: dict[str, Any] = SIZES | {"parameters": 4096}
SHAPE = small_shape(rows=16, group_rows=2, sum_width=18, **ROOMS)
FOUR_ROWS = small_shape(rows=32, group_rows=4, group_pixels=4, sum_width=17, **ROOMS)

METHODS = (
    ("lenet", "dorefa"),
    ("lenet", "ternary"),
    ("lenet", "ternary", "activations=binary"),
    ("lenet", "abc", "weight_bases=2", "activation_bases=2"),
    ("tfc", "abc"),
    ("tfc", "ternary", "activations=binary"),
    ("resnet8", "dorefa"),
)
QUICK = range(24)
BLOCKS = [range(first, first + 50) for first in range(0, 500, 50)]


@cache
def trained_by(name: str, method: str, *options: str) -> Graph:
    """The catalogue's network for digits by that method, of random weights, behind batch norms that have seen images,
    some of whose channels fall."""
    with torch.random.fork_rng(devices=()), torch.no_grad(), TemporaryDirectory() as folder:
        torch.manual_seed(0)
        network = build_network(
            architecture(name), shape=(8, 8, 1), lo=0, hi=16, classes=10, method=method_named(method, options)
        )
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d) and module.affine:
                module.weight.uniform_(-1.5, 1.5)
        images = np.random.default_rng(0).integers(0, 17, (100, 8, 8, 1))
        network(torch.from_numpy(images).float())
        saved = save(network.eval(), Path(folder) / "model.pt", example_input=images, input_range=(0, 16))
    return integerize(saved)


@pytest.mark.parametrize("shape", [SHAPE, pytest.param(FOUR_ROWS, marks=pytest.mark.slow)], ids=["2 rows", "4 rows"])
def test_networks(shape):
    graphs = [trained_by(*each) for each in METHODS]
    random = {seed: random_levels(np.random.default_rng(seed)) for seed in QUICK}
    random = {seed: graph for seed, graph in random.items() if fits(graph, shape)}
    compare([*graphs, *random.values()], shape, names=[*METHODS, *random])


@pytest.mark.slow
@pytest.mark.parametrize("shape", [SHAPE, FOUR_ROWS], ids=["2 rows", "4 rows"])
@pytest.mark.parametrize("seeds", BLOCKS, ids=str)
def test_random_networks(shape, seeds):
    graphs = {seed: random_levels(np.random.default_rng(seed)) for seed in seeds}
    graphs = {seed: graph for seed, graph in graphs.items() if fits(graph, shape)}
    assert len(graphs) > len(seeds) // 2
    compare(list(graphs.values()), shape, names=list(graphs))


@pytest.mark.parametrize("values", [(-1, 1), (0, 1, 2, 3), (-255, -85, 85, 255), (5, 2, 2, -8), (0, 1), (1, 4, 6)])
def test_bases_of_levels(values):
    """Each code's value from its bits; and the two numbers that a border may be."""
    bases = InputBases.of_levels(values)
    codes = np.arange(len(values))[:, None]
    bits = np.where(codes > np.arange(len(values) - 1), 1, -1)
    np.testing.assert_array_equal((bits @ bases.factors + bases.offset) / 2**bases.halved, values)
    assert bases.pad_value(values[0]) == -1
    middle = (values[0] + values[-1]) / 2
    assert bases.pad_value(10**6) is None
    if middle == int(middle) and middle != values[0]:
        assert bases.pad_value(int(middle)) == 0


def coded(values: tuple[int, ...], scores: MatMul | Conv) -> Graph:
    """Of a map of (4, 4, 2): codes of one threshold less than values, and scores of these."""
    thresholds = np.repeat(np.arange(1 - len(values), len(values) - 1, 2)[:, None], 2, axis=1)
    nodes = (
        Node("first", Conv(np.ones((2, 1, 1, 2), np.int8)), ("x",), "sums"),
        Node("codes", MultiThreshold(thresholds), ("sums",), "codes"),
        Node("levels", Levels(values), ("codes",), "levels"),
        Node("scores", scores, ("levels",), "y"),
    )
    return Graph((Value("x", TensorType((4, 4, 2), BinaryType())),), nodes, ("y",))


def test_a_layer_reads_the_maps_of_all_bits():
    graph = coded((-3, 1, 3), Conv(np.ones((2, 3, 3, 2), np.int8), padding=(1, 1), pad_value=0))
    bits = Node("bits", Threshold(np.zeros(1, np.int64)), ("y",), "bits")
    more = Node("more", Conv(np.ones((2, 1, 1, 2), np.int8)), ("bits",), "z")
    first, second, layer, _ = engine_network(Graph(graph.inputs, (*graph.nodes, bits, more), ("z",))).layers
    assert (first.writes, second.writes, second.reads) == ("codes.0", "codes.1", ())
    assert (layer.reads, layer.channels, layer.bases) == (("codes.0", "codes.1"), (2,), InputBases((2, 1), 0, 0))
    assert layer.conv.pad_value == 0


def test_thresholds_far_from_each_other_are_of_layers_of_their_own():
    graph = coded((-3, 1, 3), Conv(np.ones((2, 1, 1, 2), np.int8)))
    wide = Conv(np.full((2, 4, 4, 2), 2047, np.int16), padding=(2, 2), pad_value=-1)
    far = MultiThreshold(np.array([[-40000] * 2, [-39990] * 2, [40000] * 2], np.int64))
    nodes = (
        Node("first", wide, ("x",), "sums"),
        Node("codes", far, ("sums",), "codes"),
        Node("levels", Levels((0, 1, 2, 5)), ("codes",), "levels"),
        *graph.nodes[3:],
    )
    layers = engine_network(Graph(graph.inputs, nodes, ("y",))).layers
    assert [(layer.writes, bool(layer.reads)) for layer in layers[:3]] == [
        *(("codes.0", True), ("codes.1", False), ("codes.2", True)),
    ]


@pytest.mark.parametrize("values", [(-2, 2), (0, 1, 2), (7, 1, 3, -9)])
@pytest.mark.parametrize("factors", [(), (1,), (7, 3, 2)], ids=str)
def test_last_sums_of_bases(values, factors):
    """The host makes a graph's scores of sums of signs."""
    rng = np.random.default_rng(len(values))
    signs = 2 * rng.integers(0, 2, (max(1, len(factors)), 3, 32)) - 1
    weights = signs[0].astype(np.int8)
    if factors:
        weights = np.tensordot(np.array(factors), signs, 1).astype(np.int16)
    scores = Node("scores", Conv(weights.reshape(3, 4, 4, 2), factors=factors), ("levels",), "y")
    graph = coded(values, Conv(np.ones((2, 1, 1, 2), np.int8)))
    graph = Graph(graph.inputs, (*graph.nodes[:3], scores), ("y",))
    network = engine_network(graph)
    inputs = 2 * rng.integers(0, 2, (5, 4, 4, 2)) - 1
    traced = trace(graph, {"x": inputs})
    last, bits = network.layers[-1], len(values) - 1
    codes = traced["codes"][..., None, :] > np.arange(bits)[:, None]
    read = (2 * codes - 1).reshape(5, -1) if bits > 1 else traced["levels"].reshape(5, -1)
    dots = read @ last.conv.weights.reshape(last.conv.rows, -1).T.astype(np.int64)
    top, step = last.dots
    np.testing.assert_array_equal(network.numbers((top - dots) // step), traced["y"].reshape(5, -1))


def test_borders_that_codes_do_not_have():
    graph = coded((-3, 1, 4), Conv(np.ones((2, 3, 3, 2), np.int8), padding=(1, 1), pad_value=0))
    message = (
        r"^node 'scores' pads with 0; the engine pads with -3, the first of the values that codes stand for, or with "
        r"the middle of the first one and the last one, 4$"
    )
    with pytest.raises(ScheduleError, match=message):
        engine_network(graph)
