"""Engines with external memory: weights that are more than they hold, at the pins of the chip's model."""

import numpy as np
import pytest

from bnnhw.compiler import Graph, Node, TensorType, Value, evaluate
from bnnhw.compiler.engine.compile import compile_program
from bnnhw.compiler.errors import ScheduleError
from bnnhw.compiler.ir.ops import ArgMax, Conv, Flatten, MatMul, Threshold
from bnnhw.compiler.ir.types import BinaryType
from bnnhw.hw.engine.program.packets import Memory
from bnnhw.sim.memory.engine_with_chip import EngineWithChip
from tests.engine_rtl import CHIP, run_program, run_side_by_side, small_shape


def network(*widths: int, image: bool = False) -> Graph:
    """Dense layers of these widths; behind a convolution, where they read an image."""
    rng = np.random.default_rng(5)

    def signs(*shape: int) -> np.ndarray:
        return (2 * rng.integers(0, 2, shape) - 1).astype(np.int8)

    nodes: list[Node] = []

    def add(name: str, op) -> None:
        nodes.append(Node(name, op, (nodes[-1].output if nodes else "x",), f"{name}.out"))

    shape: tuple[int, ...] = (widths[0],)
    features = widths[0]
    if image:
        shape = (4, 4, widths[0])
        add("conv", Conv(signs(30, 3, 3, widths[0]), padding=(1, 1), pad_value=-1))
        add("conv_sign", Threshold(rng.integers(-4, 5, 30)))
        add("flatten", Flatten())
        features = 4 * 4 * 30
    for number, width in enumerate(widths[1:-1]):
        add(f"hidden{number}", MatMul(signs(width, features)))
        add(f"sign{number}", Threshold(rng.integers(-4, 5, width)))
        features = width
    add("scores", MatMul(signs(widths[-1], features)))
    add("label", ArgMax())
    return Graph((Value("x", TensorType(shape, BinaryType())),), tuple(nodes), ("label.out",))


WEIGHT_WORDS = 64
SHAPE = small_shape(weight_words=WEIGHT_WORDS, external=CHIP.shape)
LAST_WAITS = network(30, 510, 10)


def random_bits(graph: Graph, count: int) -> np.ndarray:
    return 2 * np.random.default_rng(7).integers(0, 2, (count, *graph.inputs[0].type.shape)) - 1


def test_weights_come_while_the_array_works():
    """In parts of layers, one ahead; without external memory they do not fit."""
    graphs = [network(96, 130, 100, 10), LAST_WAITS, network(32, 60, 12, image=True)]
    programs = [compile_program(graph, SHAPE) for graph in graphs]
    assert all(Memory.EXTERNAL in program.contents for program in programs)
    batches = [random_bits(graph, program.frames) for graph, program in zip(graphs, programs, strict=True)]
    sums = run_side_by_side(programs, batches, stalls=(0.1, 0.1))
    for graph, program, inputs, found in zip(graphs, programs, batches, sums, strict=True):
        (wanted,) = evaluate(graph, {"x": inputs}).values()
        np.testing.assert_array_equal(program.network.answers(found), wanted)
        with pytest.raises(
            ScheduleError, match=rf"words of weights are more than the weight_words={WEIGHT_WORDS} of this engine"
        ):
            compile_program(graph, small_shape(weight_words=WEIGHT_WORDS))


def test_a_batch_comes_behind_another():
    program = compile_program(LAST_WAITS, SHAPE)
    batches = [random_bits(LAST_WAITS, program.frames), -random_bits(LAST_WAITS, program.frames)]
    for inputs, found in zip(batches, run_program(program, batches), strict=True):
        (wanted,) = evaluate(LAST_WAITS, {"x": inputs}).values()
        np.testing.assert_array_equal(found, wanted)


def test_a_clock_that_the_chip_cannot_keep_is_refused():
    shape = small_shape(external=CHIP.shape)
    with pytest.raises(ValueError, match=r"clock_hz=200000000 must be at most 133333333"):
        EngineWithChip(shape, chip=CHIP, clock_hz=200_000_000, words=64)


def test_refuses_tiles_of_rows_that_are_more_than_the_memory():
    with pytest.raises(
        ScheduleError, match=r"node .hidden0. needs 132 words of weights at once, and the engine has weight_words=64"
    ):
        compile_program(network(1050, 64, 10), small_shape(weight_words=64, external=CHIP.shape))
