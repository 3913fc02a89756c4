from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bnnhw.model import Affine, BinaryConv2d, BinaryLinear, Quantise, TensorNorm


@pytest.mark.parametrize("columns", [1, 7, 64, 785])
def test_binary_linear_is_the_exact_integer_product(columns: int) -> None:
    layer = BinaryLinear(columns, 5)
    x = np.random.default_rng(columns).integers(0, 256, (9, columns))
    w = np.where(layer.weight.detach().numpy() >= 0, 1, -1)
    assert np.array_equal(layer(torch.from_numpy(x).float()).detach().numpy(), x @ w.T)


def test_binary_linear_scales_then_shifts_each_row() -> None:
    layer = BinaryLinear(3, 2, scale=True, bias=True)
    layer.load_state_dict(
        {
            "weight": torch.tensor([[0.5, 0.0, -0.1], [-1.0, -0.3, -0.2]]),
            "scale": torch.tensor([2.0, 3.0]),
            "bias": torch.tensor([10.0, 20.0]),
        }
    )
    assert layer(torch.tensor([[5.0, 6.0, 7.0]])).tolist() == [[(5 + 6 - 7) * 2 + 10, -(5 + 6 + 7) * 3 + 20]]


def test_clip_returns_latent_weights_to_the_unit_interval() -> None:
    layer = BinaryLinear(3, 1)
    layer.load_state_dict({"weight": torch.tensor([[-1.5, 0.25, 7.0]])})
    layer.clip()
    assert layer.weight.tolist() == [[-1, 0.25, 1]]


@pytest.mark.parametrize(("sizes", "name"), [((0, 3), "in_features=0"), ((3, -1), "out_features=-1")])
def test_binary_linear_wants_positive_sizes(sizes: tuple[int, int], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be at least 1$"):
        BinaryLinear(*sizes)


def test_tensor_norm_is_a_batch_norm_of_one_channel() -> None:
    ours, theirs = TensorNorm(eps=1e-3), nn.BatchNorm1d(1, eps=1e-3)
    for norm in (ours, theirs):
        nn.init.constant_(norm.weight, 1.5)
        nn.init.constant_(norm.bias, -0.5)
    for seed in range(20):
        x = torch.randn(64, 10, generator=torch.Generator().manual_seed(seed)) * 5 + 3
        torch.testing.assert_close(ours(x), theirs(x.reshape(-1, 1)).reshape(64, 10))
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.running_var, theirs.running_var, rtol=0.01, atol=0)  # torch's is unbiased
    x = torch.randn(8, 10)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x.reshape(-1, 1)).reshape(8, 10), rtol=0.01, atol=0.01)


def test_tensor_norm_in_eval_mode_is_affine_and_keeps_the_order_of_integer_scores() -> None:
    norm = TensorNorm()
    norm(torch.randn(100, 10) * 30 + 7)
    norm.eval()
    scores = torch.arange(-1024.0, 1025.0).reshape(1, -1)
    assert torch.equal(norm(scores), Affine(*norm.folded())(scores))
    assert bool((norm(scores).diff() > 0).all())


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("batch", [1, 3, 40])
@pytest.mark.parametrize("pad_value", [-1, 0, 1])
@pytest.mark.parametrize(("stride", "padding", "groups"), [(1, 0, 1), (2, 1, 1), ((1, 2), (2, 1), 3)])
def test_binary_conv2d_is_the_exact_integer_sum(stride, padding, groups, pad_value, batch, threads) -> None:
    """Whatever algorithm torch picks for the size: none may round, as Winograd's would."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    layer = BinaryConv2d(6, 9, 3, stride=stride, padding=padding, pad_value=pad_value, groups=groups)
    (down, across), (high, wide) = layer.stride, layer.padding
    x = np.random.default_rng(batch).integers(0, 256, (batch, 6, 8, 9))
    w = np.where(layer.weight.detach().numpy() >= 0, 1, -1)
    padded = np.pad(x, ((0, 0), (0, 0), (high, high), (wide, wide)), constant_values=pad_value)
    rows, columns = (padded.shape[2] - 3) // down + 1, (padded.shape[3] - 3) // across + 1
    expected = np.zeros((batch, 9, rows, columns), np.int64)
    for o in range(9):
        first = o // (9 // groups) * (6 // groups)
        for i in range(rows):
            for j in range(columns):
                window = padded[:, first : first + 6 // groups, i * down : i * down + 3, j * across : j * across + 3]
                expected[:, o, i, j] = (window * w[o]).sum(axis=(1, 2, 3))
    for memory in (torch.contiguous_format, torch.channels_last):
        images = torch.from_numpy(x).float().contiguous(memory_format=memory)
        assert np.array_equal(layer(images).detach().numpy(), expected)
    torch.set_num_threads(before)


def test_binary_conv2d_scales_then_shifts_each_channel() -> None:
    layer = BinaryConv2d(1, 2, 1, scale=True, bias=True)
    state = {"weight": torch.tensor([1.0, -1.0]).view(2, 1, 1, 1), "scale": torch.tensor([2.0, 3.0])}
    layer.load_state_dict({**state, "bias": torch.tensor([10.0, 20.0])})
    assert layer(torch.tensor([[[[5.0, 6.0]]]])).tolist() == [[[[20, 22]], [[5, 2]]]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"in_channels": 0}, "in_channels=0 must be at least 1"),
        ({"kernel_size": (3, 0)}, "kernel_size=0 must be at least 1"),
        ({"stride": 0}, "stride=0 must be at least 1"),
        ({"padding": (0, -1)}, r"padding=\(0, -1\) must be at least 0"),
        ({"pad_value": 2}, "pad_value=2 must be -1, 0 or 1"),
        ({"groups": 3}, "groups=3 must divide in_channels=4 and out_channels=6"),
    ],
)
def test_binary_conv2d_checks_its_options(options: dict[str, Any], message: str) -> None:
    every: dict[str, Any] = {"in_channels": 4, "out_channels": 6, "kernel_size": 3, **options}
    with pytest.raises(ValueError, match=f"^{message}$"):
        BinaryConv2d(**every)


def test_binary_conv2d_wants_channels_first() -> None:
    with pytest.raises(ValueError, match=r"^BinaryConv2d takes \(N, 3, H, W\), not \(2, 8, 8, 3\); .*ToChannelsFirst"):
        BinaryConv2d(3, 4, 3)(torch.zeros(2, 8, 8, 3))


def test_quantise_rounds_to_integers_and_lets_the_gradient_through() -> None:
    x = torch.tensor([-1.0, 0.0, 0.1, 0.2, 0.5, 1.0, 3.0], requires_grad=True)
    y = Quantise(2)(x)
    y.sum().backward()
    assert y.tolist() == [0, 0, 0, 1, 2, 3, 3]  # 0.5 * 3 = 1.5 goes to the even 2
    assert x.grad is not None
    assert x.grad.tolist() == [0, 3, 3, 3, 3, 3, 0]
    with pytest.raises(ValueError, match=r"^gradient_bits=9 must lie between 1 and 8$"):
        BinaryLinear(3, 2, gradient_bits=9)
    with pytest.raises(ValueError, match=r"^bits=9 must lie between 1 and 8$"):
        Quantise(9)
