"""The hardware's arithmetic, mismatch sums and bit planes, against the integer graph's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnhw.compiler import Graph, Node, ScheduleError, TensorType, Value, evaluate, integerize, load
from bnnhw.compiler.ir.ops import ArgMax, Conv, Flatten, MatMul, SumPool
from bnnhw.compiler.ir.types import BinaryType, IntType
from bnnhw.compiler.lowering.build_pipeline import build_pipeline
from bnnhw.compiler.lowering.network import split_host
from bnnhw.compiler.lowering.pipeline import Pipeline
from bnnhw.compiler.units.operator.offsets import Rescaling
from tests.compiler.make_model import CHAINS, make_model


def run_pipeline(pipeline: Pipeline, codes: np.ndarray) -> np.ndarray:
    """What the units compute from unsigned input codes (N, elements), step by step: the label or the dots."""
    sums = codes
    for layer in pipeline.layers:
        sums = np.zeros((len(codes), layer.rows), np.int64)
        for plane in range(layer.planes):
            bits = (codes >> plane) & 1
            mismatches = (bits[:, None, :] != (layer.weights == 1)[None]).sum(axis=2)
            sums += mismatches << plane
        codes = sums if layer.thresholds is None else (sums <= layer.thresholds).astype(np.int64)
        for step in layer.behind:
            assert isinstance(step, Rescaling)
            codes = step.coded.codes.values(codes)
            assert codes.min() >= 0
            assert codes.max() <= step.y.hi
    (output,) = pipeline.outputs
    if not output.label:
        return output.values(codes)
    scores = codes if output.table is None else output.table[np.arange(output.classes), codes]
    assert scores.max() < 2**output.score_width
    return np.argmax(scores, axis=1)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    hidden=st.lists(st.integers(1, 9), max_size=3).map(tuple),
    lo=st.integers(-9, 3),
    count=st.integers(1, 20),
    binarise=st.booleans(),
    chain=st.sampled_from(CHAINS),
    output=st.sampled_from(["affine", "batch_norm"]),
    label=st.booleans(),
)
def test_equals_the_integer_graph(tmp_path_factory, seed, hidden, lo, count, binarise, chain, output, label):
    model = make_model(
        seed=seed, lo=lo, hi=lo + count - 1, hidden=hidden, binarise=binarise, chain=chain, output=output
    )
    graph = integerize(
        load(model.save(tmp_path_factory.mktemp("model") / "model.pt")), output="label" if label else "scores"
    )
    x = np.random.default_rng(seed).integers(lo, lo + count, (40, 4, 3, 1))
    host_graph, core_graph = split_host(graph)
    assert bool(host_graph.nodes) == binarise
    (values,) = evaluate(host_graph, {"x": x}).values()
    codes = (values + 1) // 2 if binarise else values - lo
    (expected,) = evaluate(graph, {"x": x}).values()
    np.testing.assert_array_equal(run_pipeline(build_pipeline(core_graph), codes.reshape(len(x), -1)), expected)


def test_a_pipeline_ends_in_a_layer():
    source = Value("x", TensorType((4,), IntType(0, 1)))
    weights = MatMul(np.ones((3, 4), np.int8))
    with pytest.raises(ScheduleError, match=r"^a network without layers has nothing for a core to do$"):
        build_pipeline(Graph((source,), (Node("label", ArgMax(), ("x",), "y"),), ("y",)))
    branching = Graph((source,), (Node("a", weights, ("x",), "y"), Node("b", weights, ("x",), "z")), ("z",))
    with pytest.raises(ScheduleError, match=r"^nothing reads what node 'a' makes; leave it out$"):
        build_pipeline(branching)


def test_a_score_is_that_of_a_channel_or_of_an_element():
    source = Value("x", TensorType((3, 3, 2), BinaryType()))
    product = Node("conv", Conv(np.ones((5, 2, 2, 2), np.int8)), ("x",), "sums")
    nodes = (product, Node("flat", Flatten(), ("sums",), "scores"), Node("label", ArgMax(), ("scores",), "label"))
    (label,) = build_pipeline(Graph((source,), nodes, ("label",))).outputs
    assert (label.classes, label.elements) == (20, 1)
    pool = Node("pool", SumPool((2, 2), (1, 1)), ("sums",), "scores")
    (output,) = build_pipeline(Graph((source,), (product, pool), ("scores",))).outputs
    assert output.score_width == (4 * 8).bit_length()


def test_sums_may_be_the_next_layers_inputs():
    """The codes between two products are those of the graph's element type, lo + code."""
    rng = np.random.default_rng(0)
    first, second = (rng.choice(np.array([-1, 1], np.int8), shape) for shape in ((6, 5), (4, 6)))
    source = Value("x", TensorType((5,), IntType(-3, 4)))
    nodes = (Node("a", MatMul(first), ("x",), "y"), Node("b", MatMul(second), ("y",), "z"))
    graph = Graph((source,), nodes, ("z",))
    x = rng.integers(-3, 5, (40, 5))
    np.testing.assert_array_equal(run_pipeline(build_pipeline(graph), x + 3), evaluate(graph, {"x": x})["z"])
