"""A first convolution of few channels: windows that the engine makes, or the host."""

from typing import Any

import numpy as np
import pytest

from bnnhw.compiler import Graph, IntType, Node, TensorType, Value, evaluate
from bnnhw.compiler.engine.external.scheduled import scheduled_program, segmentations
from bnnhw.compiler.engine.first_layer import with_windows
from bnnhw.compiler.engine.from_graph import engine_network
from bnnhw.compiler.engine.resident import resident_program
from bnnhw.compiler.ir.ops import ArgMax, Concat, Conv, Flatten, MatMul, MaxPool, Threshold
from bnnhw.hw.engine.engine_shape import EngineShape
from tests.engine_rtl import CHIP, run_program, small_shape

SIZES: dict[str, Any] = {"rows": 4, "group_pixels": 4, "weight_words": 4096, "map_words": 1024, "sum_width": 17}


def shape_of(pixels: int, *, external: bool = False) -> EngineShape:
    return small_shape(pixels=pixels, **SIZES, external=CHIP.shape if external else None)


def random_signs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (2 * rng.integers(0, 2, shape) - 1).astype(np.int8)


def network(*, size: int, channels: int, most: int, padding: int, stride: int = 1, dense: bool = True) -> Graph:
    """A convolution of pixels of 0 to `most`, a pooling, another convolution; labels, or a map of scores."""
    rng = np.random.default_rng(size + channels)

    nodes: list[Node] = []

    def add(name: str, op) -> None:
        nodes.append(Node(name, op, (nodes[-1].output if nodes else "x",), f"{name}.out"))

    shape = (size, size, channels)
    first = Conv(random_signs(rng, 9, 3, 3, channels), stride=(stride, stride), padding=(padding, padding), pad_value=0)
    add("first", first)
    shape = first.output_shape(shape)
    add("sign", Threshold(rng.integers(-most, most + 1, 9)))
    add("pool", MaxPool((2, 2), (2, 2), None))
    shape = (shape[0] // 2, shape[1] // 2, 9)
    if dense:
        add("flatten", Flatten())
        add("scores", MatMul(random_signs(rng, 5, int(np.prod(shape)))))
        add("label", ArgMax())
    else:
        add("scores", Conv(random_signs(rng, 5, 1, 1, 9)))
    return Graph((Value("x", TensorType((size, size, channels), IntType(0, most))),), tuple(nodes), (nodes[-1].output,))


COLOURS = network(size=8, channels=3, most=255, padding=1)
IN_STRIPS = network(size=8, channels=4, most=15, padding=1, dense=False)


@pytest.mark.parametrize(
    ("graph", "pixels", "by_engine", "external"),
    [
        (COLOURS, 8, True, False),
        (COLOURS, 16, True, False),
        (COLOURS, 8, True, True),
        (IN_STRIPS, 8, True, False),
        (IN_STRIPS, 8, True, True),
        (network(size=9, channels=1, most=100, padding=0, stride=1), 8, True, False),
        (network(size=9, channels=3, most=255, padding=1, stride=2), 8, True, False),
        (network(size=6, channels=3, most=4095, padding=1), 8, True, False),
        (network(size=6, channels=3, most=4095, padding=1), 8, True, True),
        (network(size=8, channels=3, most=3, padding=1), 8, False, False),
        (network(size=8, channels=5, most=15, padding=1), 8, False, False),
    ],
    ids=[
        *("colours", "more pixels", "colours from outside", "in strips", "in strips from outside"),
        *("no padding", "stride", "12 bits", "12 bits from outside", "few bits", "many channels"),
    ],
)
def test_windows(graph, pixels, by_engine, external):
    shape = shape_of(pixels, external=external)
    windowed = with_windows(engine_network(graph), shape)
    assert windowed.layers[0].reads_windows == by_engine
    program = (
        scheduled_program(windowed, shape, segments=segmentations(windowed, shape)[-1])
        if external
        else resident_program(windowed, shape)
    )
    rng = np.random.default_rng(2)
    kind = graph.inputs[0].type
    inputs = [
        rng.integers(0, kind.element.hi + 1, (count, *kind.shape))
        for count in ((3,) if external else (program.frames, min(program.frames, 3)))
    ]
    for images, found in zip(inputs, run_program(program, inputs, stalls=(0.1, 0.1)), strict=True):
        (wanted,) = evaluate(graph, {"x": images}).values()
        np.testing.assert_array_equal(found, wanted)


def test_windows_come_while_tiles_store():
    """Group by group of frames: those of the next one, while layers of a beat a word store a tile each 4 cycles."""
    rng = np.random.default_rng(3)
    nodes: list[Node] = []

    def add(name: str, op) -> None:
        nodes.append(Node(name, op, (nodes[-1].output if nodes else "x",), f"{name}.out"))

    add("first", Conv(random_signs(rng, 12, 3, 3, 3), padding=(1, 1), pad_value=0))
    for number in range(4):
        add(f"sign{number}", Threshold(rng.integers(-4, 5, 12) if number < 3 else np.full(12, 8)))
        if number == 3:
            add("pool", MaxPool((6, 6), (6, 6), None))
        add(f"conv{number}", Conv(random_signs(rng, 12, 1, 1, 12)))
    graph = Graph((Value("x", TensorType((6, 6, 3), IntType(0, 255))),), tuple(nodes), (nodes[-1].output,))
    shape = shape_of(8, external=True)
    windowed = with_windows(engine_network(graph), shape)
    assert windowed.layers[0].reads_windows
    segments = segmentations(windowed, shape)[-1]
    assert len(segments) == 1
    program = scheduled_program(windowed, shape, frames=3 * shape.array.pixels, segments=segments)
    images = rng.integers(0, 256, (program.frames, 6, 6, 3))
    (found,) = run_program(program, [images])
    (wanted,) = evaluate(graph, {"x": images}).values()
    np.testing.assert_array_equal(found, wanted)


def test_an_array_of_4_pixels_leaves_windows_to_the_host():
    graph = network(size=8, channels=3, most=255, padding=1)
    assert not with_windows(engine_network(graph), small_shape()).layers[0].reads_windows


def test_an_input_that_several_layers_read_stays_what_it_is():
    first, second = (
        (
            Node(name, Conv(np.ones((2, 3, 3, 1), np.int8)), ("x",), f"{name}.sums"),
            Node(f"{name}.sign", Threshold(np.zeros(2, np.int64)), (f"{name}.sums",), f"{name}.bits"),
        )
        for name in ("first", "second")
    )
    joined = (
        Node("join", Concat(), ("first.bits", "second.bits"), "j"),
        Node("scores", Conv(np.ones((2, 1, 1, 4), np.int8)), ("j",), "y"),
    )
    graph = Graph((Value("x", TensorType((8, 8, 1), IntType(0, 255))),), (*first, *second, *joined), ("y",))
    network = engine_network(graph)
    assert with_windows(network, small_shape()) is network
