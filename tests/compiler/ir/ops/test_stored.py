"""Every op of model.pt is the same after the way there and back, and what has no place there is refused."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bnnhw.compiler.errors import ModelError
from bnnhw.compiler.ir import ops
from bnnhw.compiler.ir.ops.fields import Fields
from bnnhw.compiler.ir.ops.stored import OPS, stored_as
from bnnhw.compiler.passes.split_weights import combining
from bnnhw.hls import pointwise
from tests.hls.operators import OPERATORS

VECTOR = np.array([0.5, -2, 3], np.float32)
STEPS = np.array([5, -2, 3])
SIGNS = np.where(np.arange(3 * 2 * 1 * 5) % 3 == 0, 1, -1).astype(np.int8).reshape(3, 2, 1, 5)
INTEGERS = (np.arange(3 * 2 * 1 * 5) * 17 - 255).astype(np.int16).reshape(3, 2, 1, 5)
THREES = INTEGERS % 2 * 6 - 3
EXAMPLES: dict[str, ops.Op] = {
    "add": ops.Add(),
    "affine": ops.Affine(VECTOR, VECTOR[:1]),
    "average_pool": ops.AveragePool((2, 3), (1, 2)),
    "batch_norm": ops.BatchNorm(1e-3, VECTOR, abs(VECTOR), VECTOR, VECTOR),
    "batch_norm without factors": ops.BatchNorm(0.0, VECTOR, abs(VECTOR)),
    "binary_conv2d": ops.BinaryConv2d(ops.Conv(SIGNS, (2, 1), (0, 1), -1, 3), VECTOR, None),
    "binary_conv2d of taps apart": ops.BinaryConv2d(ops.Conv(SIGNS, (2, 1), (0, 1), -1, 3, (2, 3))),
    "binary_linear": ops.BinaryLinear(SIGNS.reshape(3, 10), None, VECTOR),
    "combine": ops.Combine(pointwise(lambda x, y: x - y).traced()),
    "combine parameters": ops.Combine(pointwise(gain=[2, 3])(lambda x, y, gain: x - gain * y).traced()),
    "concat": ops.Concat(),
    "crop": ops.Crop((1, 2), (3, 4)),
    "depth_to_space": ops.DepthToSpace(2),
    "upsample_bilinear": ops.UpsampleBilinear(4),
    "upsample_nearest": ops.UpsampleNearest(3),
    "flatten": ops.Flatten(),
    "global_average_pool": ops.AveragePool(),
    "hard_tanh": ops.HardTanh(),
    "identity": ops.Identity(),
    "input_threshold": ops.InputThreshold(127.5),
    "max_pool": ops.MaxPool((2, 3), (1, 2)),
    "max_pool beyond the image": ops.MaxPool((2, 3), (1, 2), padding=(0, 1)),
    **{
        f"{operator.kind.NAME} {name}": ops.Operator(operator.traced(channels))
        for name, (operator, channels, _) in OPERATORS.items()
    },
    "groupwise": ops.Operator(combining((1, 2, 4, 1), 1)),
    "integer_conv2d": ops.BinaryConv2d(ops.Conv(INTEGERS, (2, 1), (0, 1), 0, 3), None, None),
    "integer_linear": ops.BinaryLinear(INTEGERS.reshape(3, 10), VECTOR, None),
    "integer_conv2d of factors": ops.BinaryConv2d(ops.Conv(THREES, (2, 1), (0, 1), 0, 3, factors=(2, -1))),
    "integer_linear of factors": ops.BinaryLinear(THREES.reshape(3, 10), None, VECTOR, (2, -1)),
    "levels": ops.ScaledLevels(np.array([-5, 2, 2, 7]), 3),
    "pad_channels": ops.PadChannels(1, 2),
    "prelu": ops.PRelu(abs(VECTOR)),
    "quantise": ops.Quantise(3),
    "ternarise": ops.Ternarise(),
    "relu": ops.Relu(),
    "requantise_prelu": ops.RequantisePRelu(STEPS, STEPS[:1], STEPS, 2, -9, 7, 1),
    "requantise": ops.Requantise(np.array([3, -5]), np.array([-(2**43), 9]), 7, -128, 127, 4),
    "sign": ops.Sign(),
    "space_to_depth": ops.SpaceToDepth(3),
    "sum_pool": ops.SumPool((2, 3), (1, 2)),
    "thresholds": ops.Thresholds(np.arange(6, dtype=np.float32), 3, -1),
    "uniform_quantise": ops.UniformQuantise(0.3, 2, -4, 3),
    "thermometer": ops.Thermometer(np.array([1.5, 0.5, -2], np.float32)),
}


@pytest.fixture(autouse=True)
def forgets() -> Iterator[None]:
    """What a test makes known is unknown to the next one."""
    before = dict(OPS)
    yield
    OPS.clear()
    OPS.update(before)


def same(one: Any, two: Any) -> bool:
    """Whether two ops, or two fields of ops, are equal, arrays and their types included."""
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and np.array_equal(one, two)
    if isinstance(one, ops.Op):
        names = [field.name for field in fields(one)]  # pyright: ignore[reportArgumentType]
        return type(one) is type(two) and all(same(getattr(one, name), getattr(two, name)) for name in names)
    return one == two


def again(op: ops.Op) -> ops.Op:
    """`op` by way of plain data."""
    plain = op.to_plain()
    tensors = {name: torch.from_numpy(array.copy()) for name, array in plain.tensors.items()}
    values = Fields("node 'x'", dict(plain.attributes), tensors)
    read = OPS[plain.op].from_fields(plain.op, values)
    values.finish()
    assert isinstance(read, ops.Op)
    return read


def test_each_op_has_an_example():
    assert OPS.keys() == {name.split()[0] for name in EXAMPLES}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_op_is_the_same_after_the_way_there_and_back(name: str):
    assert EXAMPLES[name].to_plain().op == name.split()[0]
    assert same(again(EXAMPLES[name]), EXAMPLES[name])


def test_the_form_follows_from_the_fields():
    @stored_as("odd")
    @dataclass(frozen=True, eq=False)
    class Odd(ops.Relu):
        bits: int
        slope: float
        stride: tuple[int, int]
        offsets: NDArray[np.float32]
        factors: NDArray[np.float32] | None = None
        cache: list[int] | None = None

    plain = Odd(3, 0.5, (4, 5), VECTOR).to_plain()
    assert plain.attributes == {"bits": 3, "slope": 0.5, "stride_height": 4, "stride_width": 5}
    assert plain.tensors == {"offsets": VECTOR}
    for op in (Odd(3, 0.5, (4, 5), VECTOR), Odd(3, 0.5, (4, 5), VECTOR, VECTOR)):
        assert same(again(op), op)
    attributes = {**plain.attributes, "slope": float("inf")}
    with pytest.raises(ModelError, match=r"^node 'x': slope must be finite, not inf$"):
        Odd.from_fields("odd", Fields("node 'x'", attributes, {}))


def test_ops_without_a_name_are_refused():
    with pytest.raises(ValueError, match=r"^ArgMax has no place in a model.pt"):
        ops.ArgMax().to_plain()

    class Derived(ops.Relu):
        """A kind of its own, though derived from a known one."""

    with pytest.raises(ValueError, match=r"^Derived has no place in a model.pt"):
        Derived().to_plain()


def test_a_name_is_given_once():
    with pytest.raises(TypeError, match=r"^the op 'relu' of model.pt is Relu; give Sign another name$"):
        stored_as("relu")(ops.Sign)


def test_fields_of_other_types_need_a_form_of_their_own():
    @dataclass(frozen=True)
    class Named(ops.Relu):
        label: str

    with pytest.raises(TypeError, match=r"^Named.label is of type <class 'str'>, which a model.pt does not hold"):
        stored_as("named")(Named)
