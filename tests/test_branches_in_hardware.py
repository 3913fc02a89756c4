"""Networks with branches from torch to the RTL, and one trained on digits to the virtual board."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import bnnhw
from bnnhw.model import BinaryLinear, InputThreshold, Sign, TensorNorm
from bnnhw.model.export import save
from bnnhw.model.methods import method_named
from bnnhw.model.networks.catalogue import architecture, build_network

from .random_branches import HI, SHAPE, random_network


def climb(seed: int, folder: Path) -> None:
    path = folder / "model.pt"
    inputs = np.random.default_rng(seed).integers(0, HI + 1, (20, *SHAPE))
    save(random_network(seed), path, example_input=inputs, input_range=(0, HI))
    verified = bnnhw.verify(path, through="rtl", samples=30)
    assert verified.steps[-1].upper == "RTL"
    assert verified.is_equal, verified.steps


@pytest.mark.parametrize("seed", range(3))
def test_random_branches(seed: int, tmp_path: Path):
    climb(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 100))
def test_many_random_branches(seed: int, tmp_path: Path):
    climb(seed, tmp_path)


@pytest.mark.parametrize(
    ("name", "options", "method"),
    [
        ("densenet7", (), "xnor"),
        ("densenet7", (), "dorefa"),
        ("preresnet6", ("adds=products",), "bnn"),
        ("preresnet6", ("adds=activations",), "irnet"),
    ],
)
def test_networks_of_the_catalogue(name: str, options: tuple[str, ...], method: str, tmp_path: Path):
    torch.manual_seed(0)
    structure = architecture(name, options=("channels=25", *options))
    network = build_network(structure, shape=(8, 8, 1), lo=0, hi=16, classes=10, method=method_named(method))
    images = np.random.default_rng(0).integers(0, 17, (100, 8, 8, 1))
    network(torch.from_numpy(images).float())  # batch norms see them
    save(network.eval(), tmp_path / "model.pt", example_input=images, input_range=(0, 16))
    verified = bnnhw.verify(tmp_path / "model.pt", through="rtl", samples=20)
    assert verified.steps[-1].upper == "RTL"
    assert verified.is_equal, verified.steps


class Branches(nn.Module):
    """Two layers that read the same bits, and theirs side by side."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(InputThreshold(7.5), nn.Flatten(), BinaryLinear(64, 48), nn.BatchNorm1d(48), Sign())
        self.left = nn.Sequential(BinaryLinear(48, 32), nn.BatchNorm1d(32), Sign())
        self.right = nn.Sequential(BinaryLinear(48, 16), nn.BatchNorm1d(16), Sign())
        self.last = nn.Sequential(BinaryLinear(48, 10), TensorNorm())

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.last(torch.cat([self.left(x), self.right(x)], dim=1))


def trained_on_digits() -> tuple[nn.Module, np.ndarray, np.ndarray]:
    """The network after a few epochs, and images with their labels that it did not see."""
    torch.manual_seed(0)
    pixels, labels = load_digits(return_X_y=True)
    images = pixels.reshape(-1, 8, 8, 1).astype(np.int64)
    network = Branches()
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    x, y = torch.from_numpy(images[:1500]).float(), torch.from_numpy(labels[:1500])
    for _ in range(20):
        for batch in torch.randperm(1500).split(100):
            loss = nn.functional.cross_entropy(network(x[batch]), y[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network.eval(), images[1500:], labels[1500:]


def test_digits_to_the_virtual_board(tmp_path: Path):
    network, images, labels = trained_on_digits()
    save(network, tmp_path / "model.pt", example_input=images, input_range=(0, 16))
    with torch.no_grad():
        answers = network(torch.from_numpy(images).float()).argmax(1).numpy()
    assert (answers == labels).mean() > 0.75
    bnnhw.build(tmp_path / "model.pt", tmp_path / "build", stop_after="rtl")
    given = bnnhw.run(tmp_path / "build", images[:20], simulate=True)
    assert [answer.label for answer in given] == [str(answer) for answer in answers[:20]]
