"""What of a user's own module export refuses, and how it names what is in the way."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.model import Affine, BinaryLinear, Sign
from bnnhw.model.export.save_model import save
from tests.model.toy import random_images

IMAGES = random_images()


def chain(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), *layers)


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = BinaryLinear(12, 3)
        self.b = BinaryLinear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        return self.a(x) + self.b(x)


class Deciding(Branching):
    def forward(self, x: Tensor) -> Tensor:
        return self.a(x.flatten(1)) if x.sum() > 0 else self.b(x.flatten(1))


class TwoInputs(Branching):
    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.a(x.flatten(1))


class TwoOutputs(Branching):
    def forward(self, x: Tensor) -> Any:
        scores = self.a(x.flatten(1))
        return scores, scores.argmax(1)


class Normalising(Branching):
    def forward(self, x: Tensor) -> Tensor:
        return self.a(x.flatten(1) / 255)


class TorchSign(Branching):
    def forward(self, x: Tensor) -> Tensor:
        return self.a(torch.sign(x.flatten(1)))


class Transposing(Branching):
    def forward(self, x: Tensor) -> Tensor:
        return self.a(x.permute(0, 2, 1, 3).flatten(1))


class Grouping(Branching):
    def forward(self, x: Tensor) -> Tensor:
        return self.a(x.view(-1, 3, 4).flatten(1))


class Clipping(Branching):
    def forward(self, x: Tensor) -> Tensor:
        return functional.hardtanh(self.a(x.flatten(1)), -2, 2)


class Parametrised(Branching):
    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x.flatten(1), self.a.weight)


class Hooked(Branching):
    def __init__(self) -> None:
        super().__init__()
        self.a.register_forward_hook(lambda module, inputs, output: output.add(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.a(x.flatten(1))


SUPPORTED_LIST = (
    "AdaptiveAvgPool2d, Add, Affine, AvgPool2d, BatchNorm1d, BatchNorm2d, BinaryBases, BinaryConv2d, "
    "BinaryConvTranspose2d, BinaryLinear, Concat, Dropout, FixedPoint, Flatten, Hardtanh, Identity, InputThreshold, "
    "LeakyReLU, Levels, MaxPool2d, OperatorLayer, PReLU, PadChannels, PixelShuffle, PixelUnshuffle, Quantise, RPReLU, "
    "ReLU, Requantise, RequantisePRelu, Requantised, RequantisedPReLU, Shift, ShiftBatchNorm, Sign, SubsampleAndPad, "
    "SyncBatchNorm, TensorNorm, Ternarise, Thermometer, Thresholds, ToChannelsFirst, ToChannelsLast, "
    "UniformQuantise, Upsample, UpsamplingNearest2d, ZeroPad2d"
)


def nested(layer: nn.Module) -> nn.Module:
    network = chain(BinaryLinear(12, 9))
    network.add_module("body", nn.Sequential(Sign(), layer))
    return network


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (nested(nn.Linear(9, 3)), f"^layer 'body.1' is a Linear, which .*; supported are {SUPPORTED_LIST}$"),
        (nested(nn.Softmax(1)), "^layer 'body.1' is a Softmax,"),
        (nested(nn.Hardtanh(0, 6)), r"^layer 'body.1' clips to \[0, 6\]; only Hardtanh\(-1, 1\) is supported$"),
        (
            nn.Sequential(Sign(), nn.Sequential(nn.Flatten(1, 2), nn.Flatten()), BinaryLinear(12, 3)),
            r"^layer '1.0' flattens axes 1 to 2; only Flatten\(1, -1\) is supported$",
        ),
        (nested(nn.BatchNorm1d(9, track_running_stats=False)), "^layer 'body.1' keeps no running statistics"),
        (Deciding(), "^Deciding.forward cannot be traced .*; export needs a forward that calls the same layers"),
        (TwoInputs(), "^TwoInputs.forward takes a second input, 'y'; export supports one: the images$"),
        (TwoOutputs(), r"^TwoOutputs must return scores \(N, classes\), images .* or a tuple of these, not \(32,\)$"),
        (Normalising(), r"^'truediv' is not supported by export; use the layer bnnhw.model.Affine; besides layers it"),
        (
            chain(BinaryLinear(12, 3).eval(), BinaryLinear(3, 2)),
            r"^node '2' \(BinaryLinear\): reads float values; .*put a Sign or Quantise before it",
        ),
        (
            chain(Affine(torch.tensor([-1.0]), torch.tensor([9.0])), Sign(), BinaryLinear(12, 2)),
            "^layer '2': channel 0 falls as the integer that it reads rises; only behind .*: make the factor",
        ),
        (TorchSign(), r"^'sign' is not supported by export; torch.sign\(0\) is 0: use bnnhw.model.sign;"),
        (Transposing(), r"^'permute' orders the axes \(0, 2, 1, 3\); only \(0, 3, 1, 2\) and \(0, 2, 3, 1\) are supp"),
        (Grouping(), r"^'view' makes shape \(32, 3, 4\); only \(N, features\) out of \(N, \.\.\.\)"),
        (Clipping(), r"^'hardtanh' clips to \(-2, 2\); only \(-1, 1\) is supported$"),
        (Parametrised(), r"^'a.weight' is not supported"),
        (Hooked(), r"^layer 'a' \(BinaryLinear\) carries a forward hook, Hooked.__init__"),
        (
            chain(BinaryLinear(12, 3), nn.BatchNorm1d(3, eps=float("nan"))),
            "^layer '2' .*: eps must be finite .*, not nan",
        ),
    ],
)
def test_what_is_not_supported_is_named(tmp_path: Path, network: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        save(network, tmp_path / "model.pt", example_input=IMAGES)
    assert list(tmp_path.iterdir()) == []
