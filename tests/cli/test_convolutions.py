"""The commands on a convolutional network: the integer side works, and what needs hardware says that there is none."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bnnhw.cli import main
from bnnhw.model.export import save
from bnnhw.model.networks import NETWORKS, build_network

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


@pytest.mark.parametrize(
    "line", ["verify model.pt -q", "build model.pt -o build", "verify model.pt --target-fps 10", "sim model.pt"]
)
@pytest.mark.usefixtures("model")
def test_has_no_hardware(line: str, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = line.split()
    if arguments[0] == "sim":
        from bnnhw.cli.images import write_image

        write_image(tmp_path / "digit.png", np.zeros((8, 8, 1), np.uint8), lo=0, hi=16)
        arguments.append("digit.png")
    assert run(*arguments) == 2
    error = capfd.readouterr().err
    assert error.startswith("bnnhw: error: node 'conv1.conv' (Conv) has no hardware yet")
    assert error.count("\n") == 1
