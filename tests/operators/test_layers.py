"""hls.Layer: exactly numpy's integers for operators of all kinds on (N, C, H, W), with the gradients of the function
without its roundings."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import bnnhw
from bnnhw import hls
from bnnhw.model import BinaryConv2d, InputThreshold, Sign, ToChannelsFirst
from bnnhw.model.export import save
from tests.hls.operators import OPERATORS, grey

SLOPES = hls.table([0, 2, 4, 6, 8, 10, 12, 14])


@pytest.mark.parametrize("name", OPERATORS)
def test_equals_numpy(name: str):
    operator, channels, (lo, hi) = OPERATORS[name]
    images = np.random.default_rng(0).integers(lo, hi + 1, (3, 6, 8, channels))
    x = torch.from_numpy(images).movedim(3, 1).float().requires_grad_()
    y = hls.Layer(operator, channels=channels)(x)
    np.testing.assert_array_equal(y.detach().movedim(1, 3).numpy(), operator(images))
    (x.sum() * 0 + y.sum()).backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


GRADIENTS = {
    "weights": (grey, (1, 3, 1, 1), [77 / 256, 150 / 256, 29 / 256]),
    "a window's sum": (hls.window(1, 3, padding=(0, 1))(lambda w: w.sum(axis=(0, 1))), (1, 1, 1, 3), [2, 3, 2]),
    "an edge": (hls.window(1, 2, padding=((0, 0), (0, 1)), border="edge")(lambda w: w[0, 1]), (1, 1, 1, 3), [0, 1, 2]),
    "a scan": (hls.scan(over="row")(lambda s, x: (s + x, s + x)), (1, 1, 1, 3), [3, 2, 1]),
    "a reduction": (hls.reduction(over="frame")(lambda s, x: s + 3 * x), (1, 1, 2, 2), [3] * 4),
    "a table": (hls.pointwise(lambda x: SLOPES[x]), (1, 1, 1, 2), [2, 2]),
    "the greatest": (hls.pixelwise(lambda pixel: pixel.max(axis=0)), (1, 3, 1, 1), [0, 0, 1]),
}
"""An operator, a shape (N, C, H, W) of 1, 2, .. and the sum's gradient."""


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_are_those_without_roundings(name: str):
    operator, shape, expected = GRADIENTS[name]
    x = torch.arange(1.0, 1 + np.prod(shape)).reshape(shape).requires_grad_()
    hls.Layer(operator, channels=shape[1])(x).sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.ravel().tolist(), expected)


def test_channels_have_to_be_given():
    with pytest.raises(hls.OperatorError, match=r"^operators\.py:\d+: grey must be told the number of channels, as in"):
        hls.Layer(grey)(torch.zeros(1, 3, 2, 2))
    with pytest.raises(hls.OperatorError, match="a pixelwise operator for 3 channels cannot read 4"):
        hls.Layer(grey, channels=3)(torch.zeros(1, 4, 2, 2))


def test_a_network_with_operators_before_between_and_behind(tmp_path: Path):
    network = nn.Sequential(
        ToChannelsFirst(),
        hls.Layer(OPERATORS["white_balance"][0], channels=3),
        hls.Layer(grey, channels=3),
        InputThreshold(100.5),
        BinaryConv2d(1, 2, 3, padding=1, pad_value=-1),
        hls.Layer(OPERATORS["leaky_relu"][0]),
        nn.BatchNorm2d(2),
        Sign(),
        BinaryConv2d(2, 3, 3),
        hls.Layer(OPERATORS["leaky_relu"][0]),
    )
    images = np.random.default_rng(0).integers(0, 256, (10, 4, 6, 3))
    save(network.eval(), tmp_path / "model.pt", example_input=images, input_range=(0, 255))
    verified = bnnhw.verify(tmp_path / "model.pt", through="rtl", samples=10)
    assert verified.steps[-1].upper == "RTL"
    assert verified.is_equal, verified.steps
