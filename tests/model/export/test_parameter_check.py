"""Parameters that are not finite, or no variances, are named and refused."""

from pathlib import Path

import pytest
from torch import nn

from bnnhw.model import BinaryLinear, InputThreshold, Sign, TensorNorm
from bnnhw.model.export.save_model import save
from tests.model.toy import random_images, scramble

IMAGES = random_images()


def spoilt(tensor: str, value: float) -> nn.Module:
    """A network with one element of a parameter or buffer that is `value`."""
    hidden = nn.Sequential(BinaryLinear(12, 8), nn.BatchNorm1d(8), Sign())
    scores = nn.Sequential(BinaryLinear(8, 3), TensorNorm())
    network = scramble(nn.Sequential(InputThreshold(110), nn.Flatten(), hidden, scores))
    network.state_dict()[tensor].view(-1)[-1] = value
    return network


@pytest.mark.parametrize(
    ("tensor", "layer"),
    [
        ("2.0.weight", "2.0"),
        ("3.0.weight", "3.0"),
        ("2.1.weight", "2.1"),
        ("2.1.bias", "2.1"),
        ("2.1.running_mean", "2.1"),
        ("2.1.running_var", "2.1"),
        ("3.1.weight", "3.1"),
        ("3.1.bias", "3.1"),
        ("3.1.running_mean", "3.1"),
        ("3.1.running_var", "3.1"),
    ],
)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_named(tmp_path: Path, tensor: str, layer: str, value: float) -> None:
    field = tensor.rpartition(".")[2]
    message = rf"^{field} of layer '{layer}' \(\w+\) must hold finite numbers only, but holds {value} at \(.*; give a"
    with pytest.raises(ValueError, match=message):
        save(spoilt(tensor, value), tmp_path / "model.pt", example_input=IMAGES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layer", ["2.1", "3.1"])
def test_negative_variances_are_named(tmp_path: Path, layer: str) -> None:
    network = spoilt(f"{layer}.running_var", -1)
    with pytest.raises(ValueError, match=rf"^running_var of layer '{layer}' \(\w+\) must be at least 0, but is -1; it"):
        save(network, tmp_path / "model.pt", example_input=IMAGES)
