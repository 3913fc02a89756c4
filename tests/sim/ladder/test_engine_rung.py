"""A program that lies in the memory chip's model from the begin."""

from typing import Any

import numpy as np

from bnnhw.compiler import evaluate
from bnnhw.compiler.engine.compile import compile_program
from bnnhw.sim.ladder.engine_rung import engine_rung
from tests.engine_rtl import CHIP, small_shape
from tests.hw.engine.test_external import network

SHAPE: dict[str, Any] = {"weight_words": 64, "external": CHIP.shape}


def test_answers_are_those_of_the_graph():
    """Of more images than run at once, side by side."""
    graph = network(96, 130, 100, 10)
    program = compile_program(graph, small_shape(**SHAPE))
    assert program.external_words
    images = 2 * np.random.default_rng(5).integers(0, 2, (program.frames + 1, 96)) - 1
    (wanted,) = evaluate(graph, {"x": images}).values()
    rung = engine_rung(program, chip=CHIP, clock_hz=100_000_000)
    np.testing.assert_array_equal(rung.answers(images), wanted)
