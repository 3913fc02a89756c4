"""Integer graphs against trained graphs: equal for every input."""

import itertools
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bnnhw.compiler import FoldError, Graph, ModelError, evaluate, integerize, load
from bnnhw.compiler.ir.ops import ArgMax, Flatten, MatMul, ScoreTable, Threshold
from tests.compiler.make_model import CHAINS, ModelFile, add_linear, make_model


def graph_of(model: ModelFile, folder: Path) -> Graph:
    return load(model.save(folder / "model.pt"))


def assert_equal_on(trained: Graph, inputs: np.ndarray) -> None:
    """The integer graph's label equals the arg max of the trained scores, for every one of `inputs`."""
    feeds = {"x": inputs}
    (scores,) = evaluate(trained, feeds).values()
    (label,) = evaluate(integerize(trained), feeds).values()
    np.testing.assert_array_equal(label, np.argmax(scores, axis=1))


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    hidden=st.lists(st.integers(1, 9), max_size=3).map(tuple),
    classes=st.integers(1, 5),
    binarise=st.booleans(),
    chain=st.sampled_from(CHAINS),
    output=st.sampled_from(["affine", "batch_norm", "none"]),
)
def test_equals_the_trained_graph_on_every_input(tmp_path_factory, seed, hidden, classes, binarise, chain, output):
    shape, lo, hi = ((3, 3, 1), 0, 1) if binarise else ((2, 2, 1), -2, 3)
    model = make_model(
        seed=seed,
        shape=shape,
        lo=lo,
        hi=hi,
        hidden=hidden,
        classes=classes,
        binarise=binarise,
        chain=chain,
        output=output,
    )
    every = np.array(list(itertools.product(range(lo, hi + 1), repeat=int(np.prod(shape))))).reshape(-1, *shape)
    assert_equal_on(graph_of(model, tmp_path_factory.mktemp("model")), every)


@pytest.mark.parametrize("binarise", [True, False])
@pytest.mark.parametrize("chain", CHAINS)
def test_every_pass_keeps_every_value(tmp_path, binarise, chain):
    trained = graph_of(make_model(seed=3, shape=(7, 7, 1), hidden=(20, 20), binarise=binarise, chain=chain), tmp_path)
    for output in ("label", "scores"):
        integer = integerize(trained, output=output, check=True)
        assert all(isinstance(node.op, Threshold | Flatten | MatMul | ScoreTable | ArgMax) for node in integer.nodes)


def flip_the_first_row(graph: Graph) -> Graph:
    """A pass with a fault: the first row of the first product is inverted."""

    product, op = next((node, node.op) for node in graph.nodes if isinstance(node.op, MatMul))
    wrong = replace(product, op=op.inverted(np.arange(op.rows) == 0))
    return replace(graph, nodes=tuple(wrong if node is product else node for node in graph.nodes))


def test_the_check_names_the_pass_and_the_value_that_it_changed(tmp_path, monkeypatch):
    trained = graph_of(make_model(seed=3, hidden=(8, 6)), tmp_path)
    module = sys.modules["bnnhw.compiler.passes.integerize"]
    monkeypatch.setattr(module, "SEPARATE", (*module.SEPARATE, flip_the_first_row))
    integerize(trained)
    with pytest.raises(FoldError, match=r"^pass flip_the_first_row changed value '.*', first in sample \d+ of seed 0$"):
        integerize(trained, check=True)


def test_the_check_evaluates_what_a_pass_has_changed(tmp_path, monkeypatch):
    trained = graph_of(make_model(seed=3, hidden=(8, 6), binarise=True), tmp_path)
    evaluated = []
    reference = Flatten.reference
    monkeypatch.setattr(Flatten, "reference", lambda op, x: evaluated.append(op) or reference(op, x))
    integerize(trained, check=True)
    assert len(evaluated) == 1  # no pass changes the Flatten


def test_scores_are_the_sums(tmp_path):
    trained = graph_of(make_model(seed=1, output="none"), tmp_path)
    x = np.random.default_rng(0).integers(0, 256, (50, 4, 3, 1))
    (scores,) = evaluate(trained, {"x": x}).values()
    (sums,) = evaluate(integerize(trained, output="scores"), {"x": x}).values()
    assert sums.dtype == np.int64
    np.testing.assert_array_equal(scores, sums)


def test_a_shared_rising_scale_needs_no_table(tmp_path):
    kept = integerize(graph_of(make_model(seed=1, output="affine"), tmp_path))
    table = integerize(graph_of(make_model(seed=1, output="batch_norm"), tmp_path))
    assert not any(isinstance(node.op, ScoreTable) for node in kept.nodes)
    assert any(isinstance(node.op, ScoreTable) for node in table.nodes)


def test_missing_sign_names_both_layers(tmp_path):
    model = ModelFile((4,), 0, 1)
    rng = np.random.default_rng(0)
    add_linear(model, rng, 4, 3, scaled=False)
    model.add("relu")
    add_linear(model, rng, 3, 2, scaled=False)
    with pytest.raises(
        ModelError, match=r"node 'binary_linear2' \(BinaryLinear\): reads float values; a sign must come"
    ):
        graph_of(model, tmp_path)


def test_output_is_one_of_two(tmp_path):
    with pytest.raises(ValueError, match=r"^output='logits' must be one of 'label', 'scores'$"):
        integerize(graph_of(make_model(seed=1), tmp_path), output="logits")  # pyright: ignore[reportArgumentType]


def inputs_of(*layers: tuple[str, float, float] | tuple[str]) -> ModelFile:
    """A dense layer behind float layers and activations of the input's integers."""
    model = ModelFile((2, 2, 1), -2, 3)
    for op, *factors in layers:
        named = zip(("weight", "bias"), factors, strict=False)
        tensors = {name: np.array([value], np.float32) for name, value in named}
        if op == "quantise":
            model.add(op, tensors, bits=2)
        else:
            model.add(op, tensors)
    add_linear(model, np.random.default_rng(0), 4, 3, scaled=False)
    return model


@pytest.mark.parametrize(
    "layers",
    [
        [("flatten",), ("affine", 2 / 255, -1 / 255), ("sign",)],
        [("affine", 0.4, 0.1), ("flatten",), ("quantise",)],
        [("relu",), ("affine", 1.0, -1.5), ("hard_tanh",), ("flatten",), ("sign",)],
        [("affine", 0.0, 0.5), ("flatten",), ("sign",)],
        [("sign",), ("affine", 0.5, 0.1), ("quantise",), ("flatten",), ("affine", 1.0, -1.0), ("sign",)],
    ],
    ids=lambda layers: ", ".join(op for op, *_ in layers),
)
def test_float_layers_of_the_input_become_thresholds(tmp_path, layers):
    every = np.array(list(itertools.product(range(-2, 4), repeat=4))).reshape(-1, 2, 2, 1)
    graph = graph_of(inputs_of(*layers), tmp_path)
    integerize(graph, check=True)
    assert_equal_on(graph, every)


def test_what_falls_as_the_input_rises_is_refused(tmp_path):
    falling = inputs_of(("flatten",), ("affine", -2.0, 1.0), ("sign",))
    with pytest.raises(FoldError, match=r"^layer 'sign2': channel 0 falls as the integer that it reads rises; only"):
        integerize(graph_of(falling, tmp_path))
