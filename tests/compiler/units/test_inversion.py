"""Channels that are inverted behind their thresholds: the RTL against the integer graph, in foldings, under stalls."""

import numpy as np
import pytest

from bnnhw.compiler import Graph, Node, ScheduleError, TensorType, Value
from bnnhw.compiler.ir.ops import Conv, Flatten, Invert, MatMul, MultiThreshold, Op, SumPool, Threshold
from bnnhw.compiler.ir.types import IntType
from bnnhw.compiler.lowering.build_pipeline import build_pipeline
from bnnhw.compiler.lowering.network import split_host
from tests.test_layers_in_hardware import SHAPE, check, random_schedule

RNG = np.random.default_rng(0)
SOME = np.arange(6) % 3 == 0
SIGNS = Threshold(np.arange(6) - 2)
CODES = MultiThreshold(np.sort(RNG.integers(-3, 3, (3, 6)), axis=0))


def weights(*shape: int) -> np.ndarray:
    return RNG.choice(np.array([-1, 1], np.int8), shape)


def graph_of(*ops: Op) -> Graph:
    """Signs of pixels, a convolution with 6 channels, `ops`, another convolution and a dense layer."""
    ops = (Threshold(np.array([128])), Conv(weights(6, 3, 3, 4)), *ops, Conv(weights(4, 1, 1, 6)))
    types = [TensorType(SHAPE, IntType(0, 255))]
    for op in ops:
        types.append(op.infer(types[-1]))
    ops = (*ops, Threshold(np.zeros(4, np.int64)), Flatten(), MatMul(weights(5, types[-1].size)))
    names = ["x", *(f"v{place}" for place in range(len(ops)))]
    nodes = tuple(Node(name, op, (before,), name) for op, before, name in zip(ops, names, names[1:], strict=False))
    return Graph((Value("x", types[0]),), nodes, (names[-1],))


@pytest.mark.parametrize(
    "ops",
    [
        (SIGNS, Invert(SOME, 0)),
        (CODES, Invert(SOME, 3)),
        (SIGNS, SumPool((2, 2), (2, 2)), SIGNS, Invert(SOME, 0)),
        (CODES, SumPool((2, 2), (2, 2)), CODES, Invert(SOME, 3)),
    ],
    ids=["bits", "codes", "bits behind sums", "codes behind sums"],
)
def test_inverted_channels(ops: tuple[Op, ...]):
    graph = graph_of(*ops)
    for seed, stalls in enumerate([(0.0, 0.0), (0.3, 0.3)]):
        check(random_schedule(graph, seed=seed), graph, seed=seed, stalls=stalls)


def test_other_codes_are_refused():
    graph = graph_of(SIGNS, SumPool((2, 2), (2, 2)), Invert(SOME, 0))
    with pytest.raises(
        ScheduleError, match=r"^node 'v4': only what a Sign or Quantise gives is inverted, not int\[-4, "
    ):
        build_pipeline(split_host(graph)[1])
