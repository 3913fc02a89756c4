"""A first convolution of few channels: windows that the engine makes, or the host."""

from typing import Any

import numpy as np
import pytest

from bnnhw.compiler import Graph, IntType, Node, TensorType, Value, evaluate
from bnnhw.compiler.engine.external.scheduled import scheduled_program, segmentations
from bnnhw.compiler.engine.first_layer import with_windows
from bnnhw.compiler.engine.from_graph import engine_network
from bnnhw.compiler.engine.resident import resident_program
from bnnhw.compiler.ir.ops import ArgMax, Conv, Flatten, MatMul, MaxPool, Threshold
from tests.engine_rtl import CHIP, run_program, small_shape

SIZES: dict[str, Any] = {"pixels": 16, "rows": 4, "group_pixels": 4, "weight_words": 4096, "map_words": 1024}
SHAPE = small_shape(**SIZES)
WITH_MEMORY = small_shape(**SIZES, external=CHIP.shape)


def network(*, size: int, channels: int, most: int, padding: int, stride: int = 1, dense: bool = True) -> Graph:
    """A convolution of pixels of 0 to `most`, a pooling, another convolution; labels, or a map of scores."""
    rng = np.random.default_rng(size + channels)

    def signs(*shape: int) -> np.ndarray:
        return (2 * rng.integers(0, 2, shape) - 1).astype(np.int8)

    nodes: list[Node] = []

    def add(name: str, op) -> None:
        nodes.append(Node(name, op, (nodes[-1].output if nodes else "x",), f"{name}.out"))

    shape = (size, size, channels)
    first = Conv(signs(9, 3, 3, channels), stride=(stride, stride), padding=(padding, padding), pad_value=0)
    add("first", first)
    shape = first.output_shape(shape)
    add("sign", Threshold(rng.integers(-most, most + 1, 9)))
    add("pool", MaxPool((2, 2), (2, 2), None))
    shape = (shape[0] // 2, shape[1] // 2, 9)
    if dense:
        add("flatten", Flatten())
        add("scores", MatMul(signs(5, int(np.prod(shape)))))
        add("label", ArgMax())
    else:
        add("scores", Conv(signs(5, 1, 1, 9)))
    return Graph((Value("x", TensorType((size, size, channels), IntType(0, most))),), tuple(nodes), (nodes[-1].output,))


COLOURS = network(size=8, channels=3, most=255, padding=1)
IN_STRIPS = network(size=8, channels=4, most=15, padding=1, dense=False)


@pytest.mark.parametrize(
    ("graph", "by_engine", "external"),
    [
        (COLOURS, True, False),
        (COLOURS, True, True),
        (IN_STRIPS, True, False),
        (IN_STRIPS, True, True),
        (network(size=9, channels=1, most=100, padding=0, stride=1), True, False),
        (network(size=9, channels=3, most=255, padding=1, stride=2), True, False),
        (network(size=8, channels=3, most=3, padding=1), False, False),
        (network(size=8, channels=5, most=15, padding=1), False, False),
    ],
    ids=[
        *("colours", "colours from outside", "in strips", "in strips from outside"),
        *("no padding", "stride", "few bits", "many channels"),
    ],
)
def test_windows(graph, by_engine, external):
    shape = WITH_MEMORY if external else SHAPE
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
        for count in ((3,) if external else (program.frames, 3))
    ]
    for images, found in zip(inputs, run_program(program, inputs, stalls=(0.1, 0.1)), strict=True):
        (wanted,) = evaluate(graph, {"x": images}).values()
        np.testing.assert_array_equal(found, wanted)


def test_an_array_of_few_pixels_leaves_windows_to_the_host():
    graph = network(size=8, channels=3, most=255, padding=1)
    assert not with_windows(engine_network(graph), small_shape()).layers[0].reads_windows
