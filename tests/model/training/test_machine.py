import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from bnnhw.model import BinaryLinear, InputThreshold, Sign, TensorNorm
from bnnhw.model.training import machine
from bnnhw.model.training.machine import Machine
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.training import train
from tests.model.toy import toy_data


def test_settings_and_device() -> None:
    assert Machine().settings() == {"device": "cpu", "processes": 1, "compiled": False}
    assert Machine().torch_device == torch.device("cpu")
    assert Machine().name == "cpu"


@pytest.mark.parametrize("device", ["tpu", "cuda"])
def test_devices_that_are_not_there(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    message = {
        "tpu": "device='tpu' must be 'cpu' or 'cuda'",
        "cuda": "device='cuda' needs a GPU and a torch that sees it; take 'cpu'",
    }[device]
    with pytest.raises(ValueError, match=f"^{message}$"):
        Machine(device=device)


def test_cuda_graphs_need_a_gpu() -> None:
    with pytest.raises(ValueError, match=r"^cuda_graphs=True needs device='cuda'; leave it away on a CPU$"):
        Machine(cuda_graphs=True)


def learn(*, compiled: bool) -> dict[str, torch.Tensor]:
    def build() -> nn.Module:
        return nn.Sequential(
            InputThreshold(127.5), nn.Flatten(), BinaryLinear(12, 9), nn.BatchNorm1d(9), Sign(),
            BinaryLinear(9, 3), TensorNorm(),
        )  # fmt: skip

    recipe = Recipe(epochs=3, batch_size=16, optimizer="sgd", learning_rate=0.1)
    return train(build, toy_data(), recipe=recipe, machine=Machine(compiled=compiled)).network.state_dict()


def test_a_compiled_network_learns_what_it_learns_otherwise(tmp_path: Path) -> None:
    """In a process of its own, as a training has it: beside all that the tests load, compiling has crashed."""
    root, path = Path(__file__).parents[3], tmp_path / "tensors"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root / "src")])}
    subprocess.run([sys.executable, "-m", "tests.model.training.test_machine", path], check=True, env=environment)
    compiled = torch.load(path, weights_only=True)
    for name, tensor in learn(compiled=False).items():
        torch.testing.assert_close(compiled[name], tensor, rtol=1e-3, atol=1e-4)


def test_compiling_needs_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "/nowhere/c++")
    message = (
        r"^compiled=True needs a C\+\+ compiler, and /nowhere/c\+\+ was not found; install it \(apt install g\+\+\), "
    )
    with pytest.raises(ValueError, match=message):
        Machine(compiled=True)


def test_compiling_needs_headers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "get_path", {"include": tmp_path}.get)
    message = r"^compiled=True needs Python's headers, and .*/Python\.h was not found; install them \(apt install "
    with pytest.raises(ValueError, match=message):
        Machine(compiled=True)


if __name__ == "__main__":
    torch.save(learn(compiled=True), sys.argv[1])
