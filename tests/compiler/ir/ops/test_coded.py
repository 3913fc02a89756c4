"""Codes of a few levels: how they are reached, and what they stand for."""

import numpy as np
import pytest
import torch

from bnnhw.compiler import Graph, Node, TensorType, Value, evaluate, integerize
from bnnhw.compiler.ir.ops import Affine, BinaryLinear, Levels, MultiThreshold, ScaledLevels, Thermometer
from bnnhw.compiler.ir.types import BinaryType, FloatType, IntType, QuotientType
from bnnhw.model.layers.binary_bases import Levels as LevelsLayer
from bnnhw.model.layers.binary_bases import Thermometer as ThermometerLayer

SHIFTS = np.array([1.5, 0.50000006, 0.5, -2], np.float32)


def test_a_thermometer_counts_as_torch_does() -> None:
    nearly_0 = np.nextafter(np.float32(0), np.array([-1, 1], np.float32))
    special = np.array([-3e-8, np.nan, np.inf, -np.inf], np.float32)
    x = np.concatenate([np.linspace(-3, 3, 601, dtype=np.float32), nearly_0, special])[:, None]
    y = Thermometer(SHIFTS).reference(x)
    assert set(y.ravel().tolist()) == {0, 1, 2, 3, 4}
    assert y[-3:].ravel().tolist() == [0, 4, 0]
    np.testing.assert_array_equal(y, ThermometerLayer(torch.from_numpy(SHIFTS))(torch.from_numpy(x)).numpy())


def test_levels_are_looked_up_as_torch_does() -> None:
    codes = np.array([[0, 3], [2, 1]])
    op = ScaledLevels(np.array([-5, 2, 2, 7]), 3)
    assert op.reference(codes).tolist() == [[-0.625, 0.875], [0.25, 0.25]]
    layer = LevelsLayer(torch.from_numpy(op.values), 3)
    np.testing.assert_array_equal(op.reference(codes), layer(torch.from_numpy(codes).float()).numpy())
    assert op.infer(TensorType((2,), IntType(0, 3))).element == QuotientType(IntType(-5, 7), 8)


@pytest.mark.parametrize(
    ("values", "element"),
    [((-6, -2, 2), IntType(-6, 2, 4)), ((9, 4), IntType(4, 9, 5)), ((3, 3), IntType(3, 3)), ((0, 2, 5), IntType(0, 5))],
)
def test_the_least_type_of_levels(values: tuple[int, ...], element: IntType) -> None:
    assert Levels(values).infer(TensorType((2,), IntType(0, len(values) - 1))).element == element


def test_what_is_no_code_is_refused() -> None:
    with pytest.raises(ValueError, match="its codes go from 0 to 1; it stands behind a Thermometer"):
        Levels((1, 2)).infer(TensorType((2,), IntType(0, 2)))
    with pytest.raises(ValueError, match="its codes go from 0 to 1"):
        Levels((1, 2)).infer(TensorType((2,), BinaryType()))
    with pytest.raises(TypeError, match="codes are integers"):
        Levels((1, 2)).infer(TensorType((2,), FloatType()))
    with pytest.raises(ValueError, match="there must be 2 to 256 values, not 1"):
        Levels((1,))
    with pytest.raises(ValueError, match="shifts must not rise"):
        Thermometer(np.array([1, 2], np.float32))
    with pytest.raises(ValueError, match="there must be 1 to 255 shifts, not 0"):
        Thermometer(np.zeros(0, np.float32))
    with pytest.raises(ValueError, match=r"values must be below 2\^16, but value 1 is -65536"):
        ScaledLevels(np.array([1, -(2**16)]), 0)
    with pytest.raises(ValueError, match="exponent=16 must lie between 0 and 15"):
        ScaledLevels(np.array([1, 2]), 16)


def test_a_thermometer_becomes_thresholds_and_levels_stay() -> None:
    """Behind a layer, and one that falls; sums of the next one are over the levels' power of two."""
    rng = np.random.default_rng(0)
    first, second = (rng.choice([-1, 1], (4, n)).astype(np.int8) for n in (9, 4))
    factor = Affine(np.array([0.3, -0.3, 0.1, 2], np.float32), np.array([0.1, 0, 1, -7], np.float32))
    nodes = (
        Node("first", BinaryLinear(first), ("x",), "a"),
        Node("factor", factor, ("a",), "b"),
        Node("codes", Thermometer(SHIFTS), ("b",), "c"),
        Node("levels", ScaledLevels(np.array([-40, -8, 0, 8, 30]), 5), ("c",), "d"),
        Node("second", BinaryLinear(second), ("d",), "y"),
    )
    graph = Graph((Value("x", TensorType((9,), IntType(0, 15))),), nodes, ("y",))
    integers = integerize(graph, output="scores", check=True)
    assert [type(node.op) for node in integers.nodes[1:3]] == [MultiThreshold, Levels]
    x = rng.integers(0, 16, (200, 9))
    (sums,), (scores,) = (evaluate(one, {"x": x}).values() for one in (integers, graph))
    np.testing.assert_array_equal(sums / 2**5, scores)
