import pytest
import torch
from torch import nn

from bnnhw.model import BinaryLinear, InputThreshold, Sign, TensorNorm
from bnnhw.model.machine import Machine
from bnnhw.model.recipes import Recipe
from bnnhw.model.training import train

from .toy import toy_data


def test_settings_and_device() -> None:
    assert Machine().settings() == {"device": "cpu", "processes": 1, "compiled": False}
    assert Machine().torch_device == torch.device("cpu")


@pytest.mark.parametrize("device", ["tpu", "cuda"])
def test_devices_that_are_not_there(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    message = {
        "tpu": "device='tpu' must be 'cpu' or 'cuda'",
        "cuda": "device='cuda' needs a GPU and a torch that sees it; take 'cpu'",
    }[device]
    with pytest.raises(ValueError, match=f"^{message}$"):
        Machine(device=device)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch, at its own code
def test_a_compiled_network_learns_what_it_learns_otherwise() -> None:
    def build() -> nn.Module:
        return nn.Sequential(InputThreshold(127.5), nn.Flatten(), BinaryLinear(12, 9), nn.BatchNorm1d(9), Sign(),
                             BinaryLinear(9, 3), TensorNorm())  # fmt: skip

    recipe = Recipe(epochs=3, batch_size=16, optimizer="sgd", learning_rate=0.1)
    plain, compiled = (
        train(build, toy_data(), recipe=recipe, machine=Machine(compiled=each)) for each in (False, True)
    )
    for name, tensor in plain.network.state_dict().items():
        torch.testing.assert_close(compiled.network.state_dict()[name], tensor, rtol=1e-3, atol=1e-4)


def test_compiling_needs_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "/nowhere/c++")
    message = (
        r"^compiled=True needs a C\+\+ compiler, and /nowhere/c\+\+ was not found; install it \(apt install g\+\+\), "
    )
    with pytest.raises(ValueError, match=message):
        Machine(compiled=True)
