"""Operators written in Python, between the layers of a network, from torch to the RTL and the virtual board."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import bnnhw
from bnnhw import hls
from bnnhw.compiler.frontends.model_file import load
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model import BinaryConv2d, BinaryLinear, InputThreshold, Quantise, Sign, TensorNorm, ToChannelsFirst
from bnnhw.model.export import save

from .branches import shaken

IMAGES = np.random.default_rng(0).integers(0, 17, (40, 8, 8, 1))


@hls.pointwise
def leaky_relu(x):
    return np.where(x >= 0, x, x >> 3)


@hls.pointwise
def hard_swish(x):
    return (x * np.clip(x + 48, 0, 96) * 171) >> 14


SQUARES = hls.table(np.arange(16) ** 2)


@hls.pointwise
def square(x):
    return SQUARES[np.clip(abs(x), 0, 15)]


ROOTS = hls.table(np.round(16 * np.sqrt(np.arange(256))).astype(int))


@hls.pointwise
def square_root(x):
    return ROOTS[np.clip(x, 0, 255)]


OPERATORS = {"leaky_relu": leaky_relu, "hard_swish": hard_swish, "square": square}


def between_layers(operator: hls.Operator) -> nn.Module:
    """Behind sums of a layer, before the sums of the next one's batch norm; and on activations of two bits."""
    return nn.Sequential(
        InputThreshold(7.5),
        ToChannelsFirst(),
        BinaryConv2d(1, 4, 3, padding=1, pad_value=-1),
        hls.Layer(operator),
        nn.BatchNorm2d(4),
        Quantise(2),
        hls.Layer(operator),
        nn.Flatten(),
        BinaryLinear(256, 12),
        nn.BatchNorm1d(12),
        Sign(),
        BinaryLinear(12, 10),
        TensorNorm(),
    )


@pytest.mark.parametrize("name", OPERATORS)
def test_every_level_is_equal(name: str, tmp_path: Path):
    network = shaken(between_layers(OPERATORS[name]))
    save(network, tmp_path / "model.pt", example_input=IMAGES, input_range=(0, 16))
    verified = bnnhw.verify(tmp_path / "model.pt", through="rtl", samples=40)
    assert verified.steps[-1].upper == "RTL"
    assert verified.is_equal, verified.steps


def test_an_operator_behind_the_last_layer(tmp_path: Path):
    network = nn.Sequential(
        InputThreshold(7.5), ToChannelsFirst(), BinaryConv2d(1, 2, 3, padding=1, pad_value=-1), hls.Layer(hard_swish)
    )
    save(network.eval(), tmp_path / "model.pt", example_input=IMAGES, input_range=(0, 16))
    verified = bnnhw.verify(tmp_path / "model.pt", through="rtl", samples=40)
    assert verified.is_equal, verified.steps


@hls.pointwise(gain=range(1, 7), bias=range(-60, 60, 20))
def requantised(x, gain, bias):
    return np.clip((gain * x + bias) >> 3, 0, 15)


PADDED = {"padding": 1, "pad_value": 0}
CODES = {
    "of a channel": (nn.Identity(), {}, leaky_relu),
    "of a channel, and parameters": (nn.Identity(), {}, requantised),
    "of a class of pixels": (InputThreshold(7.5), PADDED, leaky_relu),
    "of a class of pixels, and parameters": (InputThreshold(7.5), PADDED, requantised),
}
"""Sums of several bits, or of windows that reach over the border, begin elsewhere in each channel: an operator of
these."""


@pytest.mark.parametrize("target_fps", [1000, 100_000])
@pytest.mark.parametrize("name", CODES)
def test_what_codes_mean_goes_into_the_operator(name: str, target_fps: int, tmp_path: Path):
    """No unit makes them alike first."""
    binarised, padding, operator = CODES[name]
    network = nn.Sequential(
        binarised, ToChannelsFirst(), BinaryConv2d(1, 6, 3, **padding), hls.Layer(operator), nn.BatchNorm2d(6), Sign(),
        nn.Flatten(), BinaryLinear(384 if padding else 216, 10),
    )  # fmt: skip
    save(shaken(network), tmp_path / "model.pt", example_input=IMAGES, input_range=(0, 16))
    options = bnnhw.PlanOptions(target_fps=target_fps)
    verified = bnnhw.verify(tmp_path / "model.pt", through="rtl", samples=40, plan=options)
    assert verified.is_equal, verified.steps
    names = [stage.name for stage in options.schedule(integerize(load(tmp_path / "model.pt"))).stages]
    assert any(each.endswith("operator") for each in names)
    assert not any(each.endswith("offsets") for each in names)


def test_gradients_are_those_without_roundings():
    x = torch.tensor([-16.0, -3.0, 5.0], requires_grad=True)
    y = hls.Layer(leaky_relu)(x)
    assert y.tolist() == [-2, -1, 5]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.125, 0.125, 1]


def test_a_trained_gain_is_found_again():
    """Behind an operator whose gradient says which way."""
    x = torch.randint(0, 128, (200,), generator=torch.Generator().manual_seed(0)).float()
    curve, gain = hls.Layer(square_root), nn.Parameter(torch.tensor(1.5))
    target = curve(x)
    optimiser = torch.optim.Adam([gain], 0.02)
    for _ in range(100):
        loss = (curve(x * gain) - target).pow(2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert gain.item() == pytest.approx(1, abs=0.05)


def test_an_operator_on_the_virtual_board(tmp_path: Path):
    network = shaken(between_layers(leaky_relu))
    save(network, tmp_path / "model.pt", example_input=IMAGES, input_range=(0, 16))
    with torch.no_grad():
        expected = network(torch.from_numpy(IMAGES).float()).argmax(1)
    bnnhw.build(tmp_path / "model.pt", tmp_path / "build", stop_after="rtl")
    answers = bnnhw.run(tmp_path / "build", IMAGES, simulate=True)
    assert [answer.index for answer in answers] == expected.tolist()
