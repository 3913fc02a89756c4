"""The commands on a convolutional network."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from bnnhw.cli import main
from bnnhw.model.export.save_model import save
from bnnhw.model.layers.channels import ToChannelsFirst, ToChannelsLast
from bnnhw.model.layers.layers import BinaryConv2d, BinaryLinear
from bnnhw.model.layers.quantise import Sign
from bnnhw.model.networks.catalogue import NETWORKS, build_network

from .stock import DIGITS


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        network = build_network(NETWORKS["lenet"], **DIGITS)
    example = np.random.default_rng(0).integers(0, 17, (2, 8, 8, 1))
    classes = [str(digit) for digit in range(10)]
    meta = {"network": "lenet", "dataset": "digits", "classes": classes}
    save(network, tmp_path / "model.pt", example_input=example, input_range=(0, 16), meta=meta)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "model.pt"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return int(end.value.code or 0)


@pytest.mark.parametrize(
    "line",
    [
        "eval model.pt", "eval model.pt --engine torch", "inspect model.pt", "inspect model.pt --trained",
        "verify model.pt --through packed -q", "verify model.pt --through packed -q --outputs scores",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("model")
def test_works_as_integers(line: str) -> None:
    assert run(*line.split()) == 0


@pytest.mark.usefixtures("model")
def test_inspect_counts_the_filters(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("inspect", "model.pt") == 0
    shown = " ".join(capfd.readouterr().out.split())
    assert re.search(r"\d+ of \d+ 2-D filters are unique \(\d+ if random\); sharing saves \d+% of XNOR-pop", shown)


@pytest.mark.parametrize(
    "line",
    [
        "verify model.pt --samples 20 -q",
        "verify model.pt --samples 20 -q --target-fps 100000 --outputs scores",
        "build model.pt -o build --stop-after rtl -q",
        "sim model.pt --samples 2",
    ],
)
@pytest.mark.usefixtures("model")
def test_works_in_hardware(line: str) -> None:
    assert run(*line.split()) == 0


def test_says_what_has_no_hardware(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        averaging = nn.Sequential(
            ToChannelsFirst(), BinaryConv2d(1, 4, 3), nn.AvgPool2d(3, 1), nn.BatchNorm2d(4), Sign(), ToChannelsLast(),
            nn.Flatten(), BinaryLinear(64, 10),
        )  # fmt: skip
    save(averaging.eval(), model, example_input=np.zeros((1, 8, 8, 1), np.int64), input_range=(0, 16))
    assert run("build", "model.pt", "-o", "build") == 2
    error = capfd.readouterr().err
    assert "windows (3, 3) of a pooling need a stride of at least one less, not (1, 1): the hardware" in error
    assert error.count("\n") == 1
