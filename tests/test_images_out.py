"""Networks that give images, or several outputs, from torch to the RTL and the virtual board."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import bnnhw
import bnnhw.model
from bnnhw.api.builds.plan import PlanOptions
from bnnhw.cli import main
from bnnhw.model import BinaryConv2d, BinaryLinear, InputThreshold, Quantise, Sign, ToChannelsFirst, ToChannelsLast
from bnnhw.model.export import save

from .branches import layer, shaken

SHAPE = (8, 8, 1)
IMAGES = np.random.default_rng(0).integers(0, 256, (20, *SHAPE))


class Images(nn.Module):
    """3x3 convolutions from images to images of the same size; the last layer is given."""

    def __init__(self, *last: nn.Module):
        super().__init__()
        self.first = nn.Sequential(ToChannelsFirst(), InputThreshold(127.5), *layer(conv(1, 4), 4))
        self.body, self.last = layer(conv(4, 4), 4), nn.Sequential(*last)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self.last(self.body(self.first(x)))


class Several(Images):
    """What a layer within made, images and scores."""

    def __init__(self):
        super().__init__(conv(4, 2), nn.BatchNorm2d(2))
        self.scores = nn.Sequential(nn.Flatten(), BinaryLinear(256, 5, scale=True))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.first(x)
        y = self.body(x)
        return x, self.last(y), self.scores(y)


class Tapped(Images):
    """A chain that gives what it makes halfway, too."""

    def __init__(self):
        super().__init__(nn.Flatten(), BinaryLinear(256, 5))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.body(self.first(x))
        return x, self.last(x)


def conv(channels: int, rows: int) -> BinaryConv2d:
    return BinaryConv2d(channels, rows, 3, padding=1, pad_value=-1)


NETWORKS = {
    "bits": lambda: Images(conv(4, 2), nn.BatchNorm2d(2), Sign()),
    "levels": lambda: Images(conv(4, 3), nn.BatchNorm2d(3), Quantise(3)),
    "sums": lambda: Images(conv(4, 2)),
    "floats": lambda: Images(conv(4, 2), nn.BatchNorm2d(2), nn.ReLU()),
    "channels last": lambda: Images(conv(4, 2), nn.BatchNorm2d(2), Sign(), ToChannelsLast()),
    "vector": lambda: Images(conv(4, 2), nn.BatchNorm2d(2), Sign(), ToChannelsLast(), nn.Flatten()),
    "several": Several,
    "tapped": Tapped,
}


def saved(name: str, folder: Path) -> tuple[nn.Module, Path]:
    network = shaken(NETWORKS[name]())
    save(network, folder / "model.pt", example_input=IMAGES, input_range=(0, 255))
    return network, folder / "model.pt"


@pytest.mark.parametrize("outputs", ["label", "scores"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_level_is_equal(name: str, outputs: Literal["label", "scores"], tmp_path: Path):
    _, path = saved(name, tmp_path)
    verified = bnnhw.verify(path, through="rtl", samples=20, plan=PlanOptions(outputs=outputs))
    assert verified.steps[-1].upper == "RTL"
    assert verified.is_equal, verified.steps


def as_images(outputs: Tensor | tuple[Tensor, ...], *, first: bool) -> list[np.ndarray]:
    """Arrays with channels last."""
    each = outputs if isinstance(outputs, tuple) else (outputs,)
    return [(one.permute(0, 2, 3, 1) if first and one.ndim == 4 else one).numpy() for one in each]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_loaded_network_gives_the_same_with_channels_last(name: str, tmp_path: Path):
    network, path = saved(name, tmp_path)
    with torch.no_grad():
        x = torch.from_numpy(IMAGES).float()
        expected, given = network(x), bnnhw.model.load(path)(x)
    for one, other in zip(
        as_images(expected, first=name != "channels last"), as_images(given, first=False), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("size", [8, pytest.param(64, marks=pytest.mark.slow)])
def test_images_through_the_virtual_board(size: int, tmp_path: Path):
    network = shaken(NETWORKS["levels"]())
    images = np.random.default_rng(1).integers(0, 256, (20, size, size, 1))
    save(network, tmp_path / "model.pt", example_input=images, input_range=(0, 255))
    with torch.no_grad():
        (expected,) = as_images(network(torch.from_numpy(images).float()), first=True)
    bnnhw.build(tmp_path / "model.pt", tmp_path / "build", stop_after="rtl")
    given = bnnhw.run(tmp_path / "build", images, simulate=True)
    assert {answer.label for answer in given} == {None}
    np.testing.assert_array_equal([next(iter(answer.outputs.values())) for answer in given], expected)


def test_several_outputs_on_the_virtual_board(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    network, path = saved("several", tmp_path)
    with torch.no_grad():
        bits, _, scores = as_images(network(torch.from_numpy(IMAGES[:1]).float()), first=True)
    bnnhw.build(path, tmp_path / "build", stop_after="rtl")
    np.save(tmp_path / "image.npy", IMAGES[0])
    with pytest.raises(SystemExit) as ended:
        main(["run", str(tmp_path / "build"), str(tmp_path / "image.npy"), "--simulate", "-o", str(tmp_path / "out")])
    assert ended.value.code in (None, 0)
    with np.load(tmp_path / "out" / "image.npz") as given:
        np.testing.assert_array_equal(given["first.4"], bits[0])
        assert given["scores.1.label"].tolist() == scores[0].argmax()
    assert capsys.readouterr().out.startswith(f"{tmp_path}/image.npy: {scores[0].argmax()}, first.4 8x8x4, last.0")
