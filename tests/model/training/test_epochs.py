import pytest
import torch
from torch import nn

from bnnhw.model import BinaryLinear, Sign
from bnnhw.model.layers.gradients import Ede
from bnnhw.model.layers.weights import SignWeights
from bnnhw.model.training.epochs import on_epoch
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.training import train
from tests.model.toy import toy_data, toy_network


class Recorder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[float] = []

    def on_epoch(self, progress: float) -> None:
        self.heard.append(progress)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def test_training_tells_every_module_before_each_epoch() -> None:
    recorder = Recorder()
    train(lambda: nn.Sequential(nn.Sequential(recorder), toy_network()), toy_data(), recipe=Recipe(epochs=4))
    assert recorder.heard == [0, 0.25, 0.5, 0.75]


@pytest.mark.parametrize("progress", [-0.1, 1.5])
def test_progress_is_a_fraction(progress: float) -> None:
    with pytest.raises(ValueError, match=f"^progress={progress} must lie between 0 and 1$"):
        on_epoch(nn.Identity(), progress)


def test_reaches_the_gradients_of_activations_and_weights() -> None:
    network = nn.Sequential(Sign(Ede()), BinaryLinear(3, 2, weights=SignWeights(Ede())))
    x = torch.full((1, 3), 2.0, requires_grad=True)
    for progress, is_flat in ((0.0, True), (1.0, False)):
        on_epoch(network, progress)
        network.zero_grad()
        x.grad = None
        network[1].weight.data.fill_(2)  # pyright: ignore[reportArgumentType, reportCallIssue]
        network(x).sum().backward()
        for gradient in (x.grad, network.get_parameter("1.weight").grad):
            assert gradient is not None
            assert (gradient.abs().min().item() > 0.9) == is_flat
