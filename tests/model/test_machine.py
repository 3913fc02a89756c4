import pytest
import torch

from bnnhw.model.machine import Machine


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
