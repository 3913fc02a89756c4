"""Every kind of layer from torch to the RTL: several foldings, random stalls, exact cycles, each layer's values."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st
from torch import nn

from bnnhw.compiler import Graph, Schedule, ScheduleError, integerize, load
from bnnhw.compiler.dataflow.schedule import apply_plan
from bnnhw.compiler.ir.graph import trace
from bnnhw.compiler.lowering.build_pipeline import build_pipeline
from bnnhw.compiler.lowering.folding_plan import FoldingPlan
from bnnhw.compiler.lowering.network import split_host
from bnnhw.compiler.search.scheduling import schedule
from bnnhw.compiler.units.product.folding import Folding, divisors
from bnnhw.compiler.units.product.layer import MatrixLayer
from bnnhw.model import BinaryConv2d, BinaryLinear, Quantise, Sign, TensorNorm, ToChannelsFirst
from bnnhw.model.export.save_model import save
from bnnhw.sim.ladder.rungs import trace_rtl

from .core_rtl import DEVICE, check_rtl
from .test_convolutions import network
from .test_trained_to_integers import shake

SHAPE = (6, 8, 4)
FRAMES = 12
Answers = Literal["label", "scores"]


def conv(inputs: int, outputs: int, kernel: int = 3, **options) -> list[nn.Module]:
    """A convolution and its batch norm."""
    return [BinaryConv2d(inputs, outputs, kernel, **options), nn.BatchNorm2d(outputs)]


def classifier(channels: int = 4) -> nn.Sequential:
    """A convolution whose scores are averages of the whole image, each class with a norm of its own."""
    last = [BinaryConv2d(channels, 5, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(5)]
    return nn.Sequential(ToChannelsFirst(), *conv(channels, channels), Sign(), *last)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "2 bits": lambda: network(*conv(4, 6), Quantise(2), *conv(6, 4), Sign(), shape=SHAPE),
    "2 bits after 8": lambda: network(*conv(4, 6), Quantise(2), *conv(6, 4), Sign(), shape=SHAPE, binary=False),
    "5 bits, then dense": lambda: network(*conv(4, 6, 3, stride=2), Quantise(5), shape=SHAPE),
    "dense of 3 bits": lambda: nn.Sequential(
        nn.Flatten(), BinaryLinear(192, 12), nn.BatchNorm1d(12), Quantise(3), BinaryLinear(12, 5), TensorNorm()
    ),
    "2 bits, then the greatest": lambda: network(*conv(4, 6), Quantise(2), nn.MaxPool2d(2), shape=SHAPE),
    "the greatest, then 2 bits": lambda: network(
        BinaryConv2d(4, 6, 3), nn.MaxPool2d(2), nn.BatchNorm2d(6), Quantise(2), *conv(6, 4, 1), Sign(), shape=SHAPE
    ),
    "the greatest twice": lambda: network(
        BinaryConv2d(4, 6, 3),
        nn.MaxPool2d(2, 1),
        nn.BatchNorm2d(6),
        nn.MaxPool2d(2, 1),
        nn.BatchNorm2d(6),
        Sign(),
        shape=SHAPE,
    ),
    "average of signs": lambda: network(
        *conv(4, 6, 3, padding=1, pad_value=-1),
        Sign(),
        nn.AvgPool2d(2),
        *conv(6, 4, 3, padding=1, pad_value=-1),
        Sign(),
        shape=SHAPE,
    ),
    "average of sums": lambda: network(BinaryConv2d(4, 6, 3), nn.AvgPool2d(2), nn.BatchNorm2d(6), Sign(), shape=SHAPE),
    "average of sums, 2 bits": lambda: network(
        BinaryConv2d(4, 6, 3), nn.AvgPool2d((2, 3)), nn.BatchNorm2d(6), Quantise(2), shape=SHAPE
    ),
    "average of 2 bits": lambda: network(*conv(4, 6), Quantise(2), nn.AvgPool2d(2), shape=SHAPE),
    "average, then the greatest": lambda: network(
        *conv(4, 6, 3, padding=1, pad_value=1), Sign(), nn.AvgPool2d(2), nn.MaxPool2d(3), shape=SHAPE
    ),
    "the greatest, then the average": lambda: network(
        BinaryConv2d(4, 6, 3), nn.MaxPool2d((1, 2)), nn.BatchNorm2d(6), Sign(), nn.AvgPool2d((4, 1)), shape=SHAPE
    ),
    "average of the whole": lambda: network(
        *conv(4, 6, 3, padding=1, pad_value=-1), Sign(), nn.AvgPool2d((2, 8)), shape=SHAPE
    ),
    "average of averages": lambda: network(
        *conv(4, 6, 1),
        Sign(),
        nn.AvgPool2d(2),
        BinaryConv2d(6, 4, 2),
        nn.AvgPool2d((1, 3)),
        nn.BatchNorm2d(4),
        Sign(),
        shape=SHAPE,
    ),
    "true zeros": lambda: network(*conv(4, 6, 3, padding=1), Sign(), *conv(6, 4, 3, padding=1), Sign(), shape=SHAPE),
    "true zeros, stride 2": lambda: network(*conv(4, 6, 3, padding=1, stride=2), Sign(), shape=SHAPE),
    "true zeros, wide": lambda: network(*conv(4, 6, 5, padding=2), Sign(), shape=SHAPE),
    "true zeros, the greatest": lambda: network(
        BinaryConv2d(4, 6, 3, padding=1), nn.MaxPool2d(2), nn.BatchNorm2d(6), Sign(), shape=SHAPE
    ),
    "true zeros, 2 bits": lambda: network(*conv(4, 6, 3, padding=1), Quantise(2), nn.MaxPool2d(2), shape=SHAPE),
    "true zeros, averages": lambda: network(
        BinaryConv2d(4, 6, 3, padding=1), nn.AvgPool2d(2), nn.BatchNorm2d(6), Sign(), shape=SHAPE
    ),
    "padding that pixels cannot be": lambda: network(
        *conv(4, 6, 3, padding=1, pad_value=-1), Sign(), shape=SHAPE, binary=False
    ),
    "padding of several bits": lambda: network(
        *conv(4, 6), Quantise(2), *conv(6, 4, 3, padding=1, pad_value=-1), Sign(), shape=SHAPE
    ),
    "groups": lambda: network(*conv(4, 8, 3, groups=2), Sign(), *conv(8, 6, 1, groups=2), Sign(), shape=SHAPE),
    "depthwise, then pointwise": lambda: network(
        *conv(4, 4, 3, padding=1, groups=4), Sign(), *conv(4, 6, 1), Sign(), shape=SHAPE
    ),
    "depthwise of 2 bits, stride 2": lambda: network(
        *conv(4, 6), Quantise(2), *conv(6, 12, 3, padding=1, stride=2, groups=6), Sign(), shape=SHAPE
    ),
    "groups of 8 bits": lambda: network(*conv(4, 8, 3, groups=4), Sign(), shape=SHAPE, binary=False),
    "taps apart": lambda: network(
        *conv(4, 6, 3, dilation=2, padding=2), Sign(), *conv(6, 4, 2, dilation=(3, 2), groups=2), Sign(), shape=SHAPE
    ),
    "averages as scores": classifier,
}


def integer_graph(module: nn.Module, folder: Path, *, answers: Answers = "label", input_range=(0, 255)) -> Graph:
    module = shake(module, seed=7)
    example = np.full((1, *SHAPE), input_range[0], np.int64)
    save(module, folder / "model.pt", example_input=example, input_range=input_range)
    return integerize(load(folder / "model.pt"), output=answers)


def random_folding(layer: MatrixLayer, rng: np.random.Generator) -> Folding:
    """A legal folding, in one of three hardwired."""
    simd, pixels = int(rng.choice(layer.simds)), int(rng.choice(layer.pixel_counts))
    if layer.groups == 1 and rng.random() < 1 / 3:
        return Folding(layer.rows, simd if layer.windows else layer.cols, pixels=pixels, engine="hardwired")
    return Folding(int(rng.choice(layer.pes)), simd, pixels=pixels)


def random_schedule(graph: Graph, *, seed: int) -> Schedule:
    """Legal foldings, drawn at random; another draw where a pooling does not take the pixels."""
    rng = np.random.default_rng(seed)
    layers = build_pipeline(split_host(graph)[1]).layers
    for _ in range(100):
        plan = FoldingPlan(tuple((layer.name, random_folding(layer, rng)) for layer in layers))
        try:
            return apply_plan(graph, plan, device=DEVICE, clock_hz=1e8)
        except ScheduleError as error:
            if "pooling" not in str(error):
                raise
    raise AssertionError("no legal folding in 100 draws")


def check(
    chosen: Schedule, graph: Graph, *, seed: int, stalls: tuple[float, float], lo: int = 0, hi: int = 255
) -> None:
    """The RTL gives the graph's answers, and without stalls in the predicted cycles."""
    inputs = np.random.default_rng(seed).integers(lo, hi + 1, (FRAMES, *SHAPE))
    check_rtl(chosen, graph, inputs, stalls=stalls, seed=seed)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NETWORKS)
def test_foldings(name: str, seed: int, tmp_path: Path):
    graph = integer_graph(NETWORKS[name](), tmp_path)
    chosen = random_schedule(graph, seed=seed)
    for stalls in ((0.0, 0.0), (0.3, 0.3)):
        check(chosen, graph, seed=seed, stalls=stalls)


@pytest.mark.parametrize("name", ["2 bits", "average of signs", "true zeros, averages", "averages as scores"])
def test_scores(name: str, tmp_path: Path):
    graph = integer_graph(NETWORKS[name](), tmp_path, answers="scores")
    check(random_schedule(graph, seed=3), graph, seed=3, stalls=(0.3, 0.3))


INPUTS: dict[str, tuple[Callable[[], nn.Module], tuple[int, int]]] = {
    "int8": (lambda: network(*conv(4, 6, 3, padding=1), Sign(), shape=SHAPE, binary=False), (-128, 127)),
    "int8 in groups, padded with 1": (
        lambda: network(*conv(4, 8, 3, padding=1, pad_value=1, groups=2), Sign(), shape=SHAPE, binary=False),
        (-128, 127),
    ),
    "negative alone, padded with 0": (
        lambda: network(*conv(4, 6, 3, padding=1), Sign(), shape=SHAPE, binary=False),
        (-5, -2),
    ),
    "dense": (lambda: nn.Sequential(nn.Flatten(), BinaryLinear(192, 10), nn.BatchNorm1d(10)), (-8, 7)),
    "12 bits": (lambda: network(*conv(4, 2, 3, stride=2), Sign(), shape=SHAPE, binary=False), (0, 4095)),
    "16 bits": (lambda: network(*conv(4, 2, 3, stride=2), Quantise(2), shape=SHAPE, binary=False), (0, 65535)),
    "int16": (
        lambda: network(*conv(4, 2, 3, stride=2, padding=1), Sign(), shape=SHAPE, binary=False),
        (-32768, 32767),
    ),
}


@pytest.mark.parametrize("answers", ["label", "scores"])
@pytest.mark.parametrize("name", INPUTS)
def test_inputs_of_every_width(name: str, answers: Answers, tmp_path: Path):
    make, (lo, hi) = INPUTS[name]
    graph = integer_graph(make(), tmp_path, answers=answers, input_range=(lo, hi))
    check(random_schedule(graph, seed=4), graph, seed=4, stalls=(0.0, 0.0), lo=lo, hi=hi)


@pytest.mark.parametrize(
    "name", ["5 bits, then dense", "average of 2 bits", "the greatest twice", "true zeros, averages", "groups"]
)
def test_every_layer_is_equal(name: str, tmp_path: Path):
    graph = integer_graph(NETWORKS[name](), tmp_path)
    chosen = random_schedule(graph, seed=5)
    inputs = np.random.default_rng(6).integers(0, 256, (5, *SHAPE))
    expected = trace(graph, {graph.inputs[0].name: inputs})
    found = trace_rtl(chosen, inputs)
    assert len(found) == len(chosen.pipeline.layers) - 1
    for value, codes in found.items():
        np.testing.assert_array_equal(codes, expected[value], err_msg=value)


@pytest.mark.parametrize("name", ["depthwise, then pointwise", "true zeros, averages", "averages as scores"])
def test_searched_foldings(name: str, tmp_path: Path):
    graph = integer_graph(NETWORKS[name](), tmp_path)
    chosen = schedule(graph, DEVICE, target_fps=100_000)
    assert chosen.frames_per_second >= 100_000
    check(chosen, graph, seed=8, stalls=(0.0, 0.0))


REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "a pooling that overlaps by two rows": (
        lambda: network(*conv(4, 6), Sign(), nn.MaxPool2d(3, 1), shape=SHAPE),
        r"^node '0.5': windows \(3, 3\) of a pooling need a stride of at least one less, not \(1, 1\): .* take a",
    ),
    "a pooling beyond the image": (
        lambda: network(*conv(4, 6), Sign(), nn.MaxPool2d(3, 2, padding=1), shape=SHAPE),
        r"^node '0.5': pads its windows with padding=\(1, 1\), which pooling units do not: .* take an engine",
    ),
    "windows of padding alone": (
        lambda: network(*conv(4, 6, 1, padding=1), Sign(), shape=SHAPE),
        r"^node '0.2': padding=\(1, 1\) must be less than the kernel, \(1, 1\): ",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_hardware_is_refused(name: str, tmp_path: Path):
    make, message = REFUSED[name]
    graph = integer_graph(make(), tmp_path)
    with pytest.raises(ScheduleError, match=message):
        build_pipeline(split_host(graph)[1])


def random_network(draw: Callable) -> nn.Module:
    """Up to three convolutions of random kinds, each perhaps with a pooling, before a dense layer."""
    layers: list[nn.Module] = []
    channels = SHAPE[2]
    for _ in range(draw(st.integers(1, 3))):
        groups = draw(st.sampled_from([1, *divisors(channels)]))
        outputs = groups * draw(st.integers(1, 3))
        kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
        padding = tuple(draw(st.integers(0, size - 1)) for size in kernel)
        stride, pad_value = draw(st.tuples(st.integers(1, 2), st.integers(1, 2))), draw(st.sampled_from([-1, 0, 1]))
        options = {"stride": stride, "padding": padding, "pad_value": pad_value, "groups": groups}
        pool = draw(st.sampled_from([None, nn.MaxPool2d(2), nn.MaxPool2d(2, 1), nn.AvgPool2d(2), nn.AvgPool2d((1, 2))]))
        activation = draw(st.sampled_from([Sign(), Quantise(2), Quantise(3)]))
        body = [nn.BatchNorm2d(outputs), activation]
        if pool is not None:
            body.insert(draw(st.sampled_from([0, 2])), pool)
        layers += [BinaryConv2d(channels, outputs, kernel, **options), *body]
        channels = outputs
    try:
        return network(*layers, shape=SHAPE, binary=draw(st.booleans()))
    except RuntimeError:  # nothing is left of the image
        assume(False)
        raise


def climb(module: nn.Module, folder: Path, seed: int) -> None:
    graph = integer_graph(module, folder)
    chosen = random_schedule(graph, seed=seed)
    note(f"{chosen.plan}")
    check(chosen, graph, seed=seed, stalls=(0.0, 0.0) if seed % 2 else (0.3, 0.3))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
@given(data=st.data(), seed=st.integers(0, 2**16))
def test_random_networks(tmp_path_factory, data, seed):
    climb(random_network(data.draw), tmp_path_factory.mktemp("model"), seed)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
@given(data=st.data(), seed=st.integers(0, 2**16))
def test_many_random_networks(tmp_path_factory, data, seed):
    climb(random_network(data.draw), tmp_path_factory.mktemp("model"), seed)
