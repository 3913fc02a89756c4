from pathlib import Path
from typing import Any

import pytest
import torch

from bnnhw import __version__
from bnnhw.lowlight.network.file import load_network, save_network
from bnnhw.lowlight.network.kinds import KINDS, network_of, shape_named

from .test_unet import BASES, network


def content(path: Path) -> dict[str, Any]:
    save_network(network(1, 1), path, meta={})
    return torch.load(path, weights_only=True)


@pytest.mark.parametrize("bases", BASES)
def test_gives_back_the_same_network(bases: tuple[int, int], tmp_path: Path) -> None:
    made = network(*bases)
    save_network(made, tmp_path / "a.pt", meta={"psnr": 20.5})
    loaded, meta, _ = load_network(tmp_path / "a.pt")
    assert meta == {"bnnhw": __version__, "psnr": 20.5}
    assert not loaded.training
    assert loaded.shape == made.shape
    x = torch.rand(1, 4, 32, 32)
    assert torch.equal(loaded(x), made(x))
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]


@pytest.mark.parametrize("kind", KINDS)
def test_gives_back_a_network_of_each_kind(kind: str, tmp_path: Path) -> None:
    made = network_of(shape_named(kind, {"width": 1})).eval()
    save_network(made, tmp_path / "a.pt", meta={})
    loaded, _, _ = load_network(tmp_path / "a.pt")
    assert type(loaded) is type(made)
    x = torch.rand(1, 4, 32, 32)
    assert torch.equal(loaded(x), made(x))


def test_a_file_without_a_kind_is_of_the_first_one(tmp_path: Path) -> None:
    data = content(tmp_path / "a.pt")
    del data["network"], data["shape"]["transposed"]
    torch.save(data, tmp_path / "a.pt")
    loaded, _, _ = load_network(tmp_path / "a.pt")
    assert loaded.shape == network(1, 1).shape


def test_runs_nothing(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"format": Trap()}, tmp_path / "a.pt")
    with pytest.raises(ValueError, match=r"a\.pt holds code or foreign objects, which are never run; write it with"):
        load_network(tmp_path / "a.pt")
    assert not (tmp_path / "sprung").exists()


def test_says_what_is_no_network(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    for data in (b"", b"no network", b"PK\3\4 cut short"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"a\.pt is truncated, damaged or no torch file; write it with bnnhw lowl"):
            load_network(path)
    for other in ({}, {"format": "bnnhw-model", "version": 1}, [1]):
        torch.save(other, path)
        with pytest.raises(ValueError, match=r"a\.pt is no low-light network of this version of bnnhw; write it with"):
            load_network(path)
    with pytest.raises(FileNotFoundError):
        load_network(tmp_path / "nothing.pt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.pop("tensors"), "'tensors'"),
        (lambda data: data.update(network="unet"), "network='unet' must be one of abclsid, bbcu-unet, xnor-unet"),
        (lambda data: data["shape"].update(width=10**6), "width=1000000 must be an integer from 1 to 128"),
        (
            lambda data: data["shape"].update(width=8),
            r"down\.0\.0\.conv\.bias must be .*",
        ),
        (lambda data: data["shape"].update(depth=8), r".* unexpected keyword argument 'depth'"),
        (
            lambda data: data["tensors"].pop("head.bias"),
            r"head\.bias must be torch\.float32 \(12,\), not missing",
        ),
        (
            lambda data: data["tensors"].update({"head.bias": torch.zeros(12, dtype=torch.int64)}),
            r"head\.bias must be torch\.float32 \(12,\), not torch\.int64 \(12,\)",
        ),
        (lambda data: data["tensors"].update({"head.bias": 5}), r"head\.bias must be torch\.float32 \(12,\), not int"),
        (
            lambda data: data["tensors"].update({"tail": torch.zeros(1)}),
            "tail must be left out, not .*",
        ),
        (lambda data: data.update(tensors=[1]), ".* no attribute 'items'"),
        (lambda data: data.update(meta=7), ".*"),
    ],
)
def test_says_what_is_unsound(change: Any, message: str, tmp_path: Path) -> None:
    data = content(tmp_path / "a.pt")
    change(data)
    torch.save(data, tmp_path / "a.pt")
    with pytest.raises(ValueError, match=rf"a\.pt is no sound low-light network \({message}\); write "):
        load_network(tmp_path / "a.pt")
