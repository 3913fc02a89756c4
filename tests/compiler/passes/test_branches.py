"""Passes on graphs whose values are read twice and meet again, each by what it makes of them."""

from collections.abc import Callable

import numpy as np
import pytest

from bnnhw.compiler import FoldError, Graph, IntType, Node, TensorType, Value, integerize
from bnnhw.compiler.ir.graph import infer_types, random_feeds, trace
from bnnhw.compiler.ir.ops import (
    Add,
    Affine,
    AveragePool,
    BatchNorm,
    BinaryConv2d,
    BinaryLinear,
    Concat,
    Conv,
    Flatten,
    Invert,
    MaxPool,
    Op,
    Product,
    Quantise,
    Relu,
    Sign,
    Sum,
)
from bnnhw.compiler.passes import fold_batch_norm, fold_input_threshold, rearrange_last, separate_sums
from bnnhw.compiler.passes.rewrite import chains

RNG = np.random.default_rng(0)
START = RNG.bit_generator.state
FALLING = np.array([0.3, -0.4, 0.5, -0.2], np.float32)


@pytest.fixture(autouse=True)
def draws_anew() -> None:
    RNG.bit_generator.state = START


def graph_of(*nodes: tuple[str, Op, str], shape: tuple[int, ...] = (4,), hi: int = 1, lo: int = 0) -> Graph:
    """Nodes (name, op, the names of the values that it reads, apart by blanks); the input is x, the last the output."""
    return Graph(
        (Value("x", TensorType(shape, IntType(lo, hi))),),
        tuple(Node(name, op, tuple(reads.split()), name) for name, op, reads in nodes),
        (nodes[-1][0],),
    )


def linear(
    cols: int = 4, rows: int = 4, *, scale: np.ndarray | None = None, bias: np.ndarray | None = None
) -> BinaryLinear:
    return BinaryLinear(RNG.choice(np.array([-1, 1], np.int8), (rows, cols)), scale, bias)


def conv(kernel: int = 1) -> BinaryConv2d:
    weights = RNG.choice(np.array([-1, 1], np.int8), (4, kernel, kernel, 4))
    return BinaryConv2d(Conv(weights, padding=(kernel // 2, kernel // 2), pad_value=-1))


def norm(channels: int = 4, *, mean: float = 0.1) -> BatchNorm:
    weight, ones = np.resize(FALLING, channels), np.ones(channels, np.float32)
    return BatchNorm(1e-5, ones * np.float32(mean), ones, weight, weight * np.float32(0.25))


def equal(before: Graph, after: Graph) -> None:
    """Values that both graphs name are equal."""
    feeds = random_feeds(before, samples=200, seed=0)
    old, new = trace(before, feeds), trace(after, feeds)
    assert set(before.outputs) == set(after.outputs)
    for name in old.keys() & new.keys():
        np.testing.assert_array_equal(old[name], new[name], name)


def told(graph: Graph) -> list[tuple[str, str, str]]:
    return [(node.name, type(node.op).__name__, " ".join(node.inputs)) for node in graph.nodes]


def test_an_activation_moves_into_each_branch():
    before = graph_of(("a", linear(), "x"), ("b", linear(), "x"), ("cat", Concat(), "a b"), ("s", Sign(), "cat"))
    after = rearrange_last(before)
    assert told(after)[2:] == [("s.0", "Sign", "a"), ("s.1", "Sign", "b"), ("cat", "Concat", "s.image.0 s.image.1")]
    equal(before, after)


def test_what_others_read_stays():
    before = graph_of(
        ("a", linear(), "x"), ("cat", Concat(), "a a"), ("s", Sign(), "cat"), ("t", Quantise(2), "cat"),
        ("y", Add(), "s t"),
    )  # fmt: skip
    assert rearrange_last(before).nodes == before.nodes


def test_floats_come_behind_the_sum_of_sums():
    before = graph_of(("a", linear(), "x"), ("b", linear(), "x"), ("y", Add(), "a b"), ("s", Sign(), "y"))
    after = separate_sums(before)
    assert told(after) == [
        *(("a", "MatMul", "x"), ("b", "MatMul", "x"), ("y", "Add", "a.sum b.sum")),
        *(("a.affine", "Affine", "y.sum"), ("s", "Sign", "y")),
    ]
    assert isinstance(infer_types(after)["y.sum"].element, IntType)
    equal(before, after)


def test_a_sum_with_integers_needs_no_float():
    before = graph_of(("a", linear(), "x"), ("y", Add(), "a x"), ("z", Add(), "y x"), ("s", Sign(), "z"))
    after = separate_sums(before)
    assert told(after)[1:3] == [("y", "Add", "a.sum x"), ("z", "Add", "y.sum x")]
    equal(before, after)


def test_readers_of_sums_make_floats_of_their_own():
    before = graph_of(
        ("a", linear(), "x"), ("n", norm(), "a"), ("s", Sign(), "n"), ("b", linear(), "s"), ("y", Add(), "a b"),
        ("t", Sign(), "y"),
    )  # fmt: skip
    after = separate_sums(before)
    assert {"n", "y"} == {node.name for node in after.consumers("a.sum")}
    equal(before, after)


@pytest.mark.parametrize("join", [Add(), Concat()], ids=["add", "concat"])
def test_averages_over_the_same_number_meet_as_sums(join: Op):
    image = (4, 4, 4)
    averages = [("c", AveragePool((2, 2), (2, 2)), "a"), ("d", AveragePool((2, 2), (2, 2)), "b")]
    before = graph_of(("a", conv(), "x"), ("b", conv(), "x"), *averages, ("y", join, "c d"), shape=image)
    after = separate_sums(before)
    assert [op for _, op, _ in told(after)] == ["Conv", "Conv", "SumPool", "SumPool", type(join).__name__, "Divide"]
    equal(before, after)
    averages[1] = ("d", AveragePool((4, 1), (2, 2)), "b")
    mixed = graph_of(("a", conv(), "x"), ("c", averages[0][1], "a"), ("y", join, "c c"), shape=image)
    equal(mixed, separate_sums(mixed))


def test_averages_over_other_numbers_stay_floats():
    before = graph_of(
        ("a", conv(), "x"), ("b", AveragePool((2, 2), (2, 2)), "a"), ("c", AveragePool((2, 2), (2, 2)), "b"),
        ("d", MaxPool((2, 2), (2, 2)), "b"), ("y", Add(), "c d"), shape=(4, 4, 4),
    )  # fmt: skip
    after = separate_sums(before)
    assert told(after)[-1][1] == "Add"
    equal(before, after)


SUMS: dict[str, list[tuple[str, Op, str]]] = {
    "two": [("a", linear(), "x"), ("b", linear(), "x"), ("y", Add(), "a b")],
    "three": [*((name, linear(), "x") for name in "abc"), ("z", Add(), "a b"), ("y", Add(), "c z")],
    "one twice": [("a", linear(), "x"), ("y", Add(), "a a")],
    "one twice, and one": [("a", linear(), "x"), ("b", linear(), "x"), ("z", Add(), "a a"), ("y", Add(), "z b")],
}


@pytest.mark.parametrize("lo", [0, -2])
@pytest.mark.parametrize("activation", [Sign(), Quantise(2)], ids=["sign", "2 bits"])
@pytest.mark.parametrize("case", SUMS)
def test_products_whose_sums_are_added_are_inverted(case: str, activation: Op, lo: int):
    before = separate_sums(graph_of(*SUMS[case], ("n", norm(), "y"), ("s", activation, "n"), lo=lo, hi=3))
    after = fold_batch_norm(before)
    assert [node.name for node in after.nodes] == [*(name for name, *_ in SUMS[case]), "s"]
    old = {node.name: node.op for node in before.nodes if isinstance(node.op, Product)}
    for node in after.nodes:
        if isinstance(node.op, Product):
            inverted = (node.op.weights != old[node.name].weights).all(axis=1)
            assert inverted.tolist() == [False, True, False, True]
    equal(before, after)


def test_what_a_sum_reaches_is_known_by_channel():
    graph = separate_sums(graph_of(*SUMS["three"], ("s", Sign(), "y"), lo=-1, hi=6))
    last = [chain for chain in chains(graph, infer_types(graph)) if isinstance(chain.root.op, Sum)][-1]
    sums = trace(graph, random_feeds(graph, samples=2000, seed=0))[last.sums]
    assert [node.name for node in last.head] == ["a", "b", "c", "z", "y"]
    assert (sums >= last.reachable.lows).all()
    assert (sums <= last.reachable.highs).all()
    assert ((sums - last.reachable.lows) % last.reachable.step == 0).all()
    assert len({*last.reachable.lows.tolist()}) > 1


def test_poolings_of_sums_are_inverted_with_them():
    before = separate_sums(
        graph_of(
            ("a", conv(), "x"), ("p", MaxPool((2, 2), (2, 2)), "a"), ("b", conv(), "x"),
            ("q", MaxPool((2, 2), (2, 2)), "b"), ("y", Add(), "p q"), ("r", MaxPool((2, 2), (1, 1)), "y"),
            ("n", norm(), "r"), ("s", Sign(), "n"), shape=(6, 6, 4),
        )
    )  # fmt: skip
    after = fold_batch_norm(before)
    pools = [node.op for node in after.nodes if isinstance(node.op, MaxPool)]
    assert all(op.minimum is not None and op.minimum.tolist() == [False, True, False, True] for op in pools)
    assert len(pools) == 3
    equal(before, after)


@pytest.mark.parametrize("activation", [Sign(), Quantise(2)], ids=["sign", "2 bits"])
def test_channels_that_fall_behind_activations_are_inverted(activation: Op):
    before = separate_sums(
        graph_of(
            ("a", linear(), "x"), ("p", Quantise(2), "a"), ("b", linear(), "x"), ("q", Quantise(2), "b"),
            ("y", Add(), "p q"), ("n", norm(mean=2), "y"), ("s", activation, "n"), lo=-3, hi=3,
        )
    )  # fmt: skip
    after = fold_input_threshold(before)
    threshold, invert = after.nodes[-2:]
    assert (threshold.name, invert.name, invert.output) == ("s", "s.invert", "s")
    assert isinstance(invert.op, Invert)
    assert invert.op.channels.tolist() == [False, True, False, True]
    equal(before, after)


def test_all_channels_fall_alike():
    before = separate_sums(
        graph_of(
            ("a", linear(), "x"), ("s", Sign(), "a"), ("y", Add(), "s s"),
            ("n", Affine(np.array([-1], np.float32), np.array([0.5], np.float32)), "y"), ("t", Quantise(3), "n"),
        )
    )  # fmt: skip
    after = fold_input_threshold(before)
    assert isinstance(after.nodes[-1].op, Invert)
    assert after.nodes[-1].op.channels.tolist() == [True] * 4
    equal(before, after)


def tail(name: str) -> list[tuple[str, Op, str]]:
    """A sign and a dense layer behind the value."""
    return [("last.sign", Sign(), name), ("last", linear(), "last.sign")]


EXACT: dict[str, Callable[[], list[tuple[str, Op, str]]]] = {
    "residual sums": lambda: [
        ("a", linear(), "x"), ("n", norm(), "a"), ("s", Sign(), "n"), ("b", linear(), "s"), ("y", Add(), "a b"),
        ("m", norm(), "y"), *tail("m"),
    ],
    "concatenated sums, normed and read on": lambda: [
        ("a", linear(), "x"), ("n", norm(), "a"), ("s", Sign(), "n"), ("b", linear(), "s"), ("y", Concat(), "a b"),
        ("m", norm(8), "y"), ("t", Sign(), "m"), ("c", linear(8), "t"), ("z", Concat(), "y c"), ("o", norm(12), "z"),
        ("last.sign", Sign(), "o"), ("last", linear(12), "last.sign"),
    ],
    "two norms of one sum": lambda: [
        ("a", linear(), "x"), ("n", norm(), "a"), ("m", Affine(FALLING, None), "a"), ("s", Sign(), "n"),
        ("t", Quantise(2), "m"), ("b", linear(), "s"), ("c", linear(), "t"), ("y", Add(), "b c"), *tail("y"),
    ],
    "signs added to sums": lambda: [
        ("a", linear(), "x"), ("s", Sign(), "a"), ("b", linear(), "s"), ("y", Add(), "b s"), ("n", norm(), "y"),
        *tail("n"),
    ],
    "sums of two layers as scores": lambda: [
        ("a", linear(), "x"), ("s", Sign(), "a"), ("b", linear(), "s"), ("c", linear(), "x"), ("y", Add(), "b c"),
        ("n", norm(), "y"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", EXACT)
def test_graphs_with_exact_integers(case: str):
    graph = graph_of(*EXACT[case](), lo=-2, hi=5)
    integers = integerize(graph, check=True)
    feeds = random_feeds(graph, samples=200, seed=1)
    labels = trace(graph, feeds)[graph.outputs[0]].argmax(axis=1)
    np.testing.assert_array_equal(trace(integers, feeds)["label"], labels)
    integerize(graph, output="scores", check=True)


ADDS = r"layer 'y' adds values that are no integers; it adds the sums of layers with binary weights and without scale"
REFUSED: dict[str, tuple[list[tuple[str, Op, str]], str]] = {
    "normed values": ([("a", linear(), "x"), ("n", norm(), "a"), ("y", Add(), "n x"), *tail("y")], ADDS),
    "scaled sums": ([("a", linear(scale=FALLING), "x"), ("b", linear(), "x"), ("y", Add(), "a b"), *tail("y")], ADDS),
    "a normed value that is read twice": (
        [("a", linear(), "x"), ("n", norm(), "a"), ("r", Relu(), "n"), ("y", Add(), "n r"), *tail("y")],
        ADDS,
    ),
}  # fmt: skip


def test_normed_values_side_by_side_and_normed_again():
    ways = [("a", linear(), "x"), ("n", norm(), "a"), ("b", linear(), "x"), ("y", Concat(), "n b")]
    graph = graph_of(*ways, ("m", norm(8), "y"), ("s", Sign(), "m"), ("last", linear(8), "s"))
    assert any(isinstance(node.op, Concat) for node in integerize(graph, check=True).nodes)


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_exact_integers_is_named(case: str):
    nodes, message = REFUSED[case]
    with pytest.raises(FoldError, match=f"^{message}"):
        integerize(graph_of(*nodes))


def test_sums_of_a_flattened_pixel():
    """A flatten of one pixel keeps the channels, and is part of the sums' head."""
    before = graph_of(
        ("a", conv(), "x"), ("f", Flatten(), "a"), ("b", conv(), "x"), ("g", Flatten(), "b"), ("y", Add(), "f g"),
        ("n", norm(), "y"), *tail("n"), shape=(1, 1, 4),
    )  # fmt: skip
    integers = integerize(before, check=True)
    assert not any(isinstance(node.op, Invert) for node in integers.nodes)
