"""Requantisers as lines: each that a graph has, whatever its numbers, and no other operator."""

import numpy as np
import pytest

from bnnhw import hls
from bnnhw.compiler.engine.values.lines import Line, line_of
from bnnhw.compiler.ir.graph import infer_types
from bnnhw.compiler.ir.ops import Operator, Threshold
from bnnhw.compiler.ir.ops.trained.requantise import line_program
from bnnhw.hw.engine.lane_format import VALUE_BITS
from tests.engine_residuals import catalogued

ROWS = 6
X = np.arange(-300, 300).reshape(-1, 1, 1, 1) * np.ones((1, 1, 1, ROWS), np.int64)
NUMBERS = (-5, -2, -1, 0, 1, 2, 7, 40)
"""Of factors, offsets and clips, some of them the same."""


def reference(line: Line, x: np.ndarray) -> np.ndarray:
    half = 1 << line.bits - 1
    return np.clip(line.factor * x + line.offset >> line.shift, -half, half - 1)


@pytest.mark.parametrize("shift", [0, 1, 3, 9])
@pytest.mark.parametrize("bits", [1, 2, 4, VALUE_BITS])
@pytest.mark.parametrize("alike", ["all alike", "factors alike", "none alike", "in two parts"])
def test_lines_are_found(shift, bits, alike):
    rng = np.random.default_rng(shift)
    for _ in range(6):
        factors, offsets = rng.choice(NUMBERS, ROWS), rng.choice(NUMBERS, ROWS)
        if alike in ("all alike", "factors alike"):
            factors[:] = factors[0]
        if alike == "all alike":
            offsets[:] = offsets[0]
        lines = tuple((int(a), int(b)) for a, b in zip(factors, offsets, strict=True))
        low_bits = 3 if alike == "in two parts" else 0
        op = Operator(line_program(lines, shift, -1 << bits - 1, (1 << bits - 1) - 1, low_bits))
        line = line_of(op, ROWS)
        assert line is not None, lines
        assert (line.shift, line.bits) == (shift, bits)
        np.testing.assert_array_equal(reference(line, X), op.reference(X))


def test_those_of_a_graph():
    """Behind convolutions lines, behind sums clips; the host's, too."""
    graph = catalogued("resnet8")
    types = infer_types(graph)
    lines = [line_of(node.op, types[node.output].shape[-1]) for node in graph.nodes if isinstance(node.op, Operator)]
    assert [line.is_clip for line in lines if line is not None] == [False, *[False, True] * 3, False, False, False]
    assert len(lines) == 10


@pytest.mark.parametrize(
    "op",
    [
        Threshold(np.zeros(ROWS, np.int64)),
        hls.pointwise(lambda x: x + 1),
        hls.pointwise(lambda x: np.minimum(np.maximum((x * 3 + 1) >> 2, 0), 7)),
        hls.pointwise(lambda x: np.minimum(np.maximum((x * 3 + 1) >> 2, -6), 5)),
        hls.pointwise(lambda x: np.minimum(np.maximum((x * 3 + 1) >> 2, -1 << 16), (1 << 16) - 1)),
        hls.pointwise(lambda x: np.minimum(np.maximum((x * 3 - x + 1) >> 2, -8), 7)),
        hls.pointwise(lambda x: np.minimum(np.maximum((x * 3 + 1) >> 2, -8), 7) >> 1),
        hls.pointwise(a=(1,) * ROWS, b=(2,) * ROWS, c=(3,) * ROWS)(lambda x, a, b, c: a * x + b * c),
        hls.pixelwise(lambda pixel: [np.minimum(np.maximum((x * 3 + 1) >> 2, -8), 7) for x in pixel]),
    ],
    ids=["threshold", "sum", "relu", "6", "17 bits", "more", "shifted behind", "three numbers", "pixelwise"],
)
def test_others_are_none(op):
    if not isinstance(op, Threshold):
        op = Operator(op.traced(*(ROWS,) * (op.kind.NAME == "pixelwise")))
    assert line_of(op, ROWS) is None
