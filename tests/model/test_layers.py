import numpy as np
import pytest
import torch
from torch import nn

from bnnhw.model import Affine, BinaryLinear, TensorNorm


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
