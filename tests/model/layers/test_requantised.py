"""A layer, its batch norm and its rounding as one line: in eval mode against Python's integers."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bnnhw.compiler.ir import ops
from bnnhw.model.errors import ExportError
from bnnhw.model.layers.affine import TensorNorm
from bnnhw.model.layers.fixed_point import FixedPoint
from bnnhw.model.layers.integer_weights import IntegerWeights
from bnnhw.model.layers.layers import BinaryConv2d, BinaryLayer, BinaryLinear
from bnnhw.model.layers.quantise import Sign
from bnnhw.model.layers.requantised import Requantised
from bnnhw.model.layers.weights import SignWeights
from bnnhw.model.registry import InARow, to_op


def norm(kind: type[nn.Module], channels: int) -> nn.Module:
    """With statistics and parameters of all signs."""
    made: Any = kind() if kind is TensorNorm else kind(channels)
    for tensor in (made.weight, made.bias, made.running_mean):
        nn.init.normal_(tensor)
    nn.init.uniform_(made.running_var, 0.5, 20)
    return made


def scaled(layer: BinaryLayer) -> BinaryLayer:
    for each in (layer.scale, layer.bias):
        if each is not None:
            nn.init.normal_(each)
    return layer


CASES = {
    "signs": lambda: (BinaryConv2d(3, 5, 3, padding=1, activation=Sign()), norm(nn.BatchNorm2d, 5)),
    "scaled signs": lambda: (
        scaled(BinaryConv2d(3, 5, 3, weights=SignWeights(scaled=True), scale=True, bias=True)),
        norm(nn.BatchNorm2d, 5),
    ),
    "integers": lambda: (BinaryConv2d(3, 5, 3, weights=IntegerWeights(8)), norm(nn.BatchNorm2d, 5)),
    "no norm": lambda: (scaled(BinaryConv2d(3, 4, 1, weights=IntegerWeights(3), bias=True)), None),
    "norm alone": lambda: (None, norm(nn.BatchNorm2d, 3)),
    "one factor": lambda: (BinaryConv2d(3, 4, 3), norm(TensorNorm, 4)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", range(3))
def test_eval_mode_is_arithmetic_of_integers(case: str, seed: int) -> None:
    torch.manual_seed(seed)
    layer, behind = CASES[case]()
    exponent = 3 + seed
    requantised = Requantised(layer, behind, FixedPoint(10, exponent)).eval().requires_grad_(False)
    x = torch.randint(-255, 256, (4, 3, 6, 5)).float()
    y = requantised(x)
    line = requantised.requantise()
    assert max(line.factor.abs().tolist()) >= 2**16  # of 17 bits, all are used
    sums = x if layer is None else layer.product(layer.activated(x), layer.quantised().values)
    for index, total in np.ndenumerate(sums.numpy()):
        a, b = (int(each[index[1] % len(each)]) for each in (line.factor, line.offset))
        assert y[index].item() == max(-512, min(511, (a * int(total) + b) >> line.shift)) / 2**exponent
    real = x if layer is None else layer(x)
    real = real if behind is None else behind.eval()(real)
    clipped = real.clamp(-512 / 2**exponent, 511 / 2**exponent)
    steps = 0.5 + float(sums.abs().max()) * 2.0 ** -(1 + line.shift)  # of the rounding, and of the factor's
    assert float((y - clipped).abs().max()) <= (steps + 0.01) / 2**exponent
    assert_exported_alike(requantised, x, y)


def assert_exported_alike(requantised: Requantised, x: Tensor, y: Tensor) -> None:
    """What becomes of the module as ops gives its bits."""
    found = to_op("layer", requantised)
    assert isinstance(found, InARow)
    value = x.permute(0, 2, 3, 1).long().numpy()
    if requantised.activation is not None:
        value = np.where(value >= 0, 1, -1)
    for op in found.ops.values():
        assert isinstance(op, ops.Op)
        value = op.reference(value)
    assert np.array_equal(value, y.permute(0, 2, 3, 1).numpy())


def test_training_is_norm_and_rounding() -> None:
    torch.manual_seed(0)
    layer, behind, fixed = BinaryLinear(9, 4, weights=IntegerWeights()), nn.BatchNorm1d(4), FixedPoint(8)
    requantised = Requantised(layer, behind, fixed)
    x = torch.randn(7, 9)
    y = requantised(x)
    assert torch.equal(y, fixed(behind(layer(x))))
    y.square().sum().backward()
    assert layer.weight.grad is not None
    assert bool(layer.weight.grad.any())
    fixed.rounds = False
    requantised.eval()
    torch.testing.assert_close(requantised(x), behind(layer(x)))


def test_sums_are_exact_beyond_float32() -> None:
    layer = BinaryLinear(3, 1, weights=IntegerWeights(8)).requires_grad_(False).eval()
    layer.weight.data[:] = torch.tensor([[1.0, 1.0, 1 / 255]])
    values = layer.quantised().values
    x = torch.tensor([[65535 * 2.0**-4, 65535 * 2.0**8, 3 * 2.0**-4]])
    assert layer.sums(x, values).item() == 255 * 65535 * (2**-4 + 2**8) + 3 / 16
    assert layer.sums(torch.tensor([[2.0**20, 2.0**20, 1.0]]), values).item() == 255 * 2**21 + 1
    assert layer.sums(torch.tensor([[1000.0, 1000.0, 2.0**-10]]), values).item() == 255 * 2000 + 2**-10
    assert layer.sums(torch.tensor([[5.0, -7.0, 1.0]]), values).dtype == torch.float32


def test_a_pooling_is_of_the_sums() -> None:
    """In eval mode of the exact ones, and so in the graph; channels whose lines fall included."""
    torch.manual_seed(0)
    layer = BinaryConv2d(3, 5, 3, weights=SignWeights(scaled=True))
    behind, pool, fixed = norm(nn.BatchNorm2d, 5), nn.MaxPool2d(2), FixedPoint(9, 2)
    requantised = Requantised(layer, behind, fixed, pool=pool)
    x = torch.randint(-20, 21, (4, 3, 8, 6)).float()
    assert torch.equal(requantised(x), fixed(behind(pool(layer(x)))))
    y = requantised.eval().requires_grad_(False)(x)
    assert torch.equal(y, requantised.requantise()(pool(layer.sums(x, layer.quantised().values))))
    found = to_op("body", requantised)
    assert isinstance(found, InARow)
    assert [type(op) for op in found.ops.values()] == [ops.BinaryConv2d, ops.MaxPool, ops.Requantise]
    value = x.permute(0, 2, 3, 1).numpy().astype(np.int64)
    for op in found.ops.values():
        assert isinstance(op, ops.Op)
        value = op.reference(value)
    assert np.array_equal(value, y.permute(0, 2, 3, 1).numpy())


def test_a_scale_of_zero_leaves_the_offset() -> None:
    behind = nn.BatchNorm1d(2)
    nn.init.zeros_(behind.weight)
    behind.bias.data[:] = torch.tensor([0.75, -2.0])
    requantised = Requantised(BinaryLinear(3, 2), behind, FixedPoint(8, 2)).eval().requires_grad_(False)
    assert requantised(torch.tensor([[1.0, -1.0, 1.0]])).tolist() == [[0.75, -2.0]]


def broken(**values: float) -> Requantised:
    """With such numbers in its batch norm."""
    behind = nn.BatchNorm1d(2)
    for name, value in values.items():
        getattr(behind, name).data.fill_(value)
    return Requantised(BinaryLinear(3, 2), behind, FixedPoint(8, 4)).eval()


def falling() -> BinaryConv2d:
    """With negative factors."""
    layer = BinaryConv2d(3, 2, 3, scale=True)
    assert layer.scale is not None
    nn.init.constant_(layer.scale, -1)
    return layer


SIZED: Any = nn.BatchNorm1d(2, track_running_stats=False)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (
            broken(running_mean=torch.nan),
            "has factors that are infinite or no numbers; its batch norm has seen no sound",
        ),
        (broken(weight=torch.inf), "has factors that are infinite or no numbers"),
        (
            broken(weight=8193),
            r"multiplies by 1\.31e\+05 of its least values, and 2\^17 is the most; give its values a ",
        ),
        (
            Requantised(None, SIZED, FixedPoint()).eval(),
            "has a norm without running statistics; it needs track_running_",
        ),
        (
            Requantised(BinaryLinear(3, 2, scale=nn.Identity()), None, FixedPoint()).eval(),
            "scales each pixel by its own factor; fixed point takes one a channel",
        ),
        (
            Requantised(falling(), None, FixedPoint(8, 2), pool=nn.MaxPool2d(2)).eval(),
            "has negative factors before its max pooling; put the pooling behind its batch norm",
        ),
    ],
)
def test_what_has_no_line_is_refused_by_name(module: Requantised, message: str) -> None:
    with pytest.raises(ExportError, match=f"^layer 'body' {message}"):
        to_op("body", module)


def test_other_norms_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^norm must be a batch norm of torch's, a TensorNorm or None, not LayerN"):
        Requantised(None, nn.LayerNorm(3), FixedPoint())
