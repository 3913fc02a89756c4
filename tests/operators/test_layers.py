"""Operators as layers of torch: exact forwards, backwards without roundings; before, between and behind binary layers,
by way of a model file to the RTL."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import bnnhw
from bnnhw import hls
from bnnhw.model import BinaryConv2d, BinaryLinear, InputThreshold, Quantise, Sign, ToChannelsFirst
from bnnhw.model.export import save
from tests.branches import shaken
from tests.hls.operators import OPERATORS, grey, histogram, median, row_sum, sobel, white_balance


@pytest.mark.parametrize("name", OPERATORS)
def test_forwards_it_is_numpys(name: str):
    operator, channels, (lo, hi) = OPERATORS[name]
    images = np.random.default_rng(0).integers(lo, hi + 1, (3, 6, 8, channels))
    x = torch.from_numpy(images).movedim(3, 1).float().requires_grad_()
    y = hls.Layer(operator, channels=channels)(x)
    np.testing.assert_array_equal(y.detach().movedim(1, 3).numpy(), operator(images))
    if y.requires_grad:
        y.sum().backward()
        assert x.grad is not None
        assert torch.isfinite(x.grad).all()


def test_vectors_are_pixels():
    mean = hls.pixelwise(lambda pixel: pixel.sum(axis=0) >> 2)
    assert hls.Layer(mean, channels=4)(torch.tensor([[1.0, 2, 3, 6]])).tolist() == [[3]]


def smooth_grey(x: torch.Tensor) -> torch.Tensor:
    return (77 * x[:, :1] + 150 * x[:, 1:2] + 29 * x[:, 2:]) / 256


@hls.window(1, 3, padding=(0, 1), value=5)
def weighted(w):
    return (w[0, 0] + 2 * w[0, 1] + 3 * w[0, 2]) >> 2


def smooth_weighted(x: torch.Tensor) -> torch.Tensor:
    padded = nn.functional.pad(x, (1, 1), value=5)
    return (padded[..., :-2] + 2 * padded[..., 1:-1] + 3 * padded[..., 2:]) / 4


SMOOTH = {
    "grey": (grey, 3, smooth_grey),
    "window": (weighted, 2, smooth_weighted),
    "stride": (hls.window(2, 2, stride=2)(lambda w: w.sum(axis=(0, 1)) >> 2), 2, lambda x: nn.AvgPool2d(2)(x)),
    "sum along a row": (row_sum, 2, lambda x: x.cumsum(3)),
    "sum of squares": (hls.reduction(init=0)(lambda s, x: s + x * x), 2, lambda x: (x * x).sum((2, 3), keepdim=True)),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_are_those_of_the_smooth_function(name: str):
    operator, channels, smooth = SMOOTH[name]
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (2, channels, 4, 6), generator=rng).double()
    ours, theirs = images.clone().requires_grad_(), images.clone().requires_grad_()
    y, expected = hls.Layer(operator, channels=channels)(ours), smooth(theirs)
    assert y.shape == expected.shape
    weights = torch.randn(y.shape, generator=rng, dtype=torch.float64)
    (y * weights).sum().backward()
    (expected * weights).sum().backward()
    assert ours.grad is not None
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_the_median_passes_the_gradient_to_the_middle_one():
    x = torch.randperm(9, generator=torch.Generator().manual_seed(0)).double().reshape(1, 1, 3, 3).requires_grad_()
    hls.Layer(median)(x)[0, 0, 1, 1].backward()
    assert x.grad is not None
    assert (x.grad == (x == 4)).all()


def test_the_number_of_channels_is_asked_for():
    with pytest.raises(
        hls.OperatorError, match=r"^operators\.py:\d+: grey must be told the number of channels, as in channels=3$"
    ):
        hls.Layer(grey)(torch.zeros(1, 3, 4, 4))
    with pytest.raises(hls.OperatorError, match=r"^a pixelwise operator for 3 channels cannot read 2$"):
        hls.Layer(grey, channels=3)(torch.zeros(1, 2, 4, 4))


def around_binary_layers() -> nn.Module:
    """A camera's operators before a network, one between its layers, and one behind."""
    return nn.Sequential(
        ToChannelsFirst(),
        hls.Layer(white_balance, channels=3),
        hls.Layer(grey, channels=3),
        hls.Layer(sobel),
        InputThreshold(100.5),
        BinaryConv2d(1, 4, 3, padding=1, pad_value=-1),
        hls.Layer(hls.window(2, 2, stride=2)(lambda w: w.sum(axis=(0, 1)))),
        nn.BatchNorm2d(4),
        Quantise(2),
        hls.Layer(row_sum),
        nn.BatchNorm2d(4),
        Sign(),
        nn.Flatten(),
        BinaryLinear(4 * 12, 10, bias=False),
        hls.Layer(hls.pixelwise(lambda s: tuple(np.sort(s, axis=0)[::-1])), channels=10),
    )


IMAGES = np.random.default_rng(0).integers(0, 256, (20, 6, 8, 3))


def test_a_network_with_operators_everywhere_by_way_of_its_file(tmp_path: Path):
    network = shaken(around_binary_layers())
    save(network, tmp_path / "model.pt", example_input=IMAGES, input_range=(0, 255))
    assert bnnhw.verify(tmp_path / "model.pt", through="rtl", samples=20).is_equal


def test_operators_have_no_state_of_their_own():
    one, other = shaken(around_binary_layers(), seed=1), around_binary_layers().eval()
    assert not [name for name, module in one.named_modules() if isinstance(module, hls.Layer) and module.state_dict()]
    other.load_state_dict(one.state_dict())
    x = torch.from_numpy(IMAGES).float()
    torch.testing.assert_close(one(x), other(x), rtol=0, atol=0)


def test_a_reduction_ends_a_network(tmp_path: Path):
    network = nn.Sequential(ToChannelsFirst(), hls.Layer(grey, channels=3), hls.Layer(histogram))
    save(network.eval(), tmp_path / "model.pt", example_input=IMAGES, input_range=(0, 255))
    assert bnnhw.verify(tmp_path / "model.pt", through="rtl", samples=20).is_equal
