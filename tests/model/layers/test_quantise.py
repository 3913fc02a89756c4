import pytest
import torch
from torch import fx, nn

from bnnhw.model import InputThreshold, Sign, sign

INFINITY = float("inf")


@pytest.mark.parametrize(
    ("x", "y"),
    [(0.0, 1), (-0.0, 1), (1e-45, 1), (-1e-45, -1), (0.5, 1), (-0.5, -1), (INFINITY, 1), (-INFINITY, -1)],
)
def test_sign(x: float, y: int) -> None:
    assert sign(torch.tensor([x])).tolist() == [y]
    assert Sign()(torch.tensor([x])).tolist() == [y]


@pytest.mark.parametrize(
    ("x", "passes"), [(0.0, 1), (0.999, 1), (1.0, 1), (-1.0, 1), (1.001, 0), (-1.001, 0), (300.0, 0)]
)
def test_the_gradient_of_sign_passes_in_the_unit_interval(x: float, passes: int) -> None:
    argument = torch.tensor([x], requires_grad=True)
    (sign(argument) * 7).sum().backward()
    assert argument.grad is not None
    assert argument.grad.tolist() == [7 * passes]


def test_sign_leaves_its_argument_alone() -> None:
    x = torch.tensor([-2.0, 2.0])
    sign(x)
    assert x.tolist() == [-2, 2]


def test_sign_is_one_call_to_torch_fx() -> None:
    class Net(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return sign(x)

    assert [node.target for node in fx.symbolic_trace(Net()).graph.nodes] == ["x", sign, "output"]


@pytest.mark.parametrize(("x", "y"), [(127, -1), (128, 1), (0, -1), (255, 1)])
def test_input_threshold(x: int, y: int) -> None:
    assert InputThreshold(128)(torch.tensor([float(x)])).tolist() == [y]
    assert repr(InputThreshold(128)) == "InputThreshold(128.0)"


@pytest.mark.parametrize(("x", "probability"), [(-1.5, 0), (-1.0, 0), (-0.5, 0.25), (0.0, 0.5), (0.8, 0.9), (1.0, 1)])
def test_stochastic_signs_are_right_on_average_and_only_in_training(x: float, probability: float) -> None:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        layer, values = Sign(stochastic=True), torch.full((20_000,), x, requires_grad=True)
        drawn = layer(values)
        drawn.sum().backward()
        assert set(drawn.tolist()) <= {-1, 1}
        assert (drawn == 1).float().mean().item() == pytest.approx(probability, abs=0.015)
        assert values.grad is not None
        assert set(values.grad.tolist()) == {float(abs(x) <= 1)}
        assert layer.eval()(values).tolist() == [1 if x >= 0 else -1] * 20_000
