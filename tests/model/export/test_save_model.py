"""A user's own module goes into model.pt bit for bit, or is refused with the dotted name of what is in the way."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.model import Affine, BinaryLinear, InputThreshold, Sign, TensorNorm, load, read, sign
from bnnhw.model.export.loading import input_of
from bnnhw.model.export.save_model import save
from bnnhw.model.networks.catalogue import Architecture, build_network
from tests.model.toy import SHAPE, names_and_ops, random_images, scramble, toy_network

IMAGES = random_images()


class Block(nn.Module):
    """A block as a user may write it, with layers that have no effect."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.linear = BinaryLinear(inputs, outputs, scale=True, bias=True)
        self.norm = nn.BatchNorm1d(outputs)
        self.clip = nn.Hardtanh()
        self.dropout = nn.Dropout(0.3)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(functional.hardtanh(sign(self.clip(self.norm(self.linear(x))))))


class Net(nn.Module):
    """Nested modules, one module called twice, a reshape that asks for the batch size."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = InputThreshold(100)
        self.body = nn.ModuleList([Block(12, 9), Block(9, 8)])
        self.sign = Sign()
        self.head = nn.Sequential(nn.Identity(), BinaryLinear(8, 4), nn.BatchNorm1d(4, affine=False))

    def forward(self, x: Tensor) -> Tensor:
        x = self.sign(self.cut(x.float())).view(x.size(0), -1)
        for block in self.body:
            x = block(x)
        return self.head(self.sign(x))


def chain(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), *layers)


class Reshaping(nn.Module):
    """One linear layer behind a way of flattening."""

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind
        self.linear = BinaryLinear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        match self.kind:
            case "view":
                x = x.view(-1, 12)
            case "reshape":
                x = x.reshape(x.shape[0], -1)
            case "torch.flatten":
                x = torch.flatten(x, 1)
            case "method":
                x = x.flatten(start_dim=1)
        return self.linear(x)


SUPPORTED: dict[str, nn.Module] = {
    "toy": toy_network(),
    "own classes": Net(),
    "named": build_network(Architecture(widths=(8,), dropout=0.5), shape=SHAPE, lo=0, hi=255, classes=3),
    "8-bit inputs": build_network(Architecture(widths=(8, 8)), shape=SHAPE, lo=0, hi=255, classes=3, input_bits=8),
    "bare": chain(BinaryLinear(12, 2)),
    "affine of the input": chain(Affine(torch.tensor([2 / 255]), torch.tensor([-1.0])), Sign(), BinaryLinear(12, 2)),
    "scale only": chain(BinaryLinear(12, 2, scale=True)),
    "bias only": chain(BinaryLinear(12, 2, bias=True)),
    "relu before sign": chain(BinaryLinear(12, 5), nn.ReLU(), TensorNorm(), Sign(), BinaryLinear(5, 2)),
    "affine": chain(BinaryLinear(12, 5), Affine(torch.randn(5), torch.randn(5))),
    **{kind: Reshaping(kind) for kind in ("view", "reshape", "torch.flatten", "method")},
}


@pytest.mark.parametrize("name", SUPPORTED)
def test_the_loaded_network_computes_the_same_bits(tmp_path: Path, name: str) -> None:
    network = scramble(SUPPORTED[name])
    save(network, tmp_path / "model.pt", example_input=IMAGES)
    x = torch.from_numpy(random_images(300, seed=9)).float()
    assert torch.equal(load(tmp_path / "model.pt")(x), network(x))


def test_layers_keep_their_dotted_names(tmp_path: Path) -> None:
    model = save(scramble(Net()), tmp_path / "model.pt", example_input=IMAGES)
    assert names_and_ops(model) == [
        ("cut", "input_threshold"), ("sign", "sign"), ("view", "flatten"),
        ("body.0.linear", "binary_linear"), ("body.0.norm", "batch_norm"), ("body.0.clip", "hard_tanh"),
        ("body.0.sign", "sign"),
        ("body.1.linear", "binary_linear"), ("body.1.norm", "batch_norm"), ("body.1.clip", "hard_tanh"),
        ("body.1.sign", "sign"),
        ("sign#2", "sign"), ("head.1", "binary_linear"), ("head.2", "batch_norm"),
    ]  # fmt: skip


def test_a_layer_may_be_called_input(tmp_path: Path) -> None:
    network = nn.Sequential(OrderedDict(input=InputThreshold(100), flat=nn.Flatten(), output=BinaryLinear(12, 2)))
    save(network.eval(), tmp_path / "model.pt", example_input=IMAGES)
    x = torch.from_numpy(IMAGES).float()
    assert torch.equal(load(tmp_path / "model.pt")(x), network(x))


def test_flat_inputs_need_no_flatten(tmp_path: Path) -> None:
    network = nn.Sequential(BinaryLinear(12, 2)).eval()
    save(network, tmp_path / "model.pt", example_input=IMAGES.reshape(-1, 12))
    assert input_of(read(tmp_path / "model.pt"))[0] == (12,)


def test_the_module_is_left_as_it_is(tmp_path: Path) -> None:
    network = toy_network().train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    save(network, tmp_path / "model.pt", example_input=IMAGES)
    assert all(layer.training for layer in network.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_equal_networks_give_equal_files(tmp_path: Path) -> None:
    network = scramble(toy_network())
    for name in ("a.pt", "b.pt"):
        save(network, tmp_path / name, example_input=IMAGES)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()


@pytest.mark.parametrize(
    ("images", "given", "expected"),
    [
        (IMAGES, None, (0, 255)),
        (IMAGES, (-5, 300), (-5, 300)),
        (IMAGES.astype(np.int8), None, (-128, 127)),
        (IMAGES.astype(np.int64), (0, 255), (0, 255)),
        (torch.from_numpy(IMAGES).float(), (0, 255), (0, 255)),
    ],
    ids=["uint8", "wider", "int8", "int64", "float32"],
)
def test_input_range(tmp_path: Path, images: Any, given: tuple[int, int] | None, expected: tuple[int, int]) -> None:
    save(toy_network(), tmp_path / "model.pt", example_input=images, input_range=given)
    assert input_of(read(tmp_path / "model.pt"))[1:] == expected


@pytest.mark.parametrize(
    ("images", "given", "message"),
    [
        (IMAGES.astype(np.int64), None, r"^input_range must be given for an example_input of torch.int64"),
        (IMAGES, (0, 100), r"^example_input must lie in input_range=\(0, 100\), not in \(0, 255\)$"),
        (IMAGES / 255, (0, 1), "^example_input must hold the raw integers of the input, not fractions"),
        (IMAGES[0, 0, 0], None, r"^example_input must be a batch \(N, H, W, C\) or \(N, features\), not \(1,\)$"),
        (IMAGES[:0], None, r"^example_input must be a batch .* not \(0, 4, 3, 1\)$"),
        (IMAGES[..., None], None, r"^input 'input' has shape \[4, 3, 1, 1\]; it must be one to three sizes"),
    ],
    ids=["no range", "beyond", "normalised", "no batch", "empty", "5 axes"],
)
def test_bad_examples(tmp_path: Path, images: Any, given: tuple[int, int] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        save(toy_network(), tmp_path / "model.pt", example_input=images, input_range=given)
    assert list(tmp_path.iterdir()) == []


def test_diverged_weights_are_refused(tmp_path: Path) -> None:
    network = toy_network()
    network.get_buffer("3.running_mean")[2] = float("nan")
    with pytest.raises(ValueError, match=r"^running_mean of layer '3' \(BatchNorm1d\) must hold finite numbers only, "):
        save(network, tmp_path / "model.pt", example_input=IMAGES)


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ({"classes": ["a"]}, r"^has an output of shape \(3,\); it must be one score for each of the 1 classes$"),
        ({"metrics": {"error": np.float64(1)}}, r"^meta\['metrics'\]\['error'\] must be None, a bool, int, float, str"),
        ({"notes": [1, {2}]}, r"^meta\['notes'\]\[1\] must be None, .* not set$"),
    ],
)
def test_meta_is_plain_data(tmp_path: Path, meta: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        save(toy_network(), tmp_path / "model.pt", example_input=IMAGES, meta=meta)


def test_meta_is_kept_and_completed(tmp_path: Path) -> None:
    save(toy_network(), tmp_path / "model.pt", example_input=IMAGES, meta={"classes": ("a", "b", "c"), "by": "me"})
    meta = read(tmp_path / "model.pt").meta
    assert (meta["classes"], meta["by"], meta["network"]) == (["a", "b", "c"], "me", "Sequential")
    assert meta.keys() >= {"network", "dataset", "classes", "bnnhw", "metrics"}


def test_a_layer_with_an_activation_of_its_own_exports_as_two(tmp_path: Path) -> None:
    network = nn.Sequential(
        nn.Flatten(), BinaryLinear(12, 9), nn.BatchNorm1d(9), BinaryLinear(9, 3, activation=Sign())
    ).eval()
    model = save(network, tmp_path / "model.pt", example_input=IMAGES)
    assert names_and_ops(model)[-2:] == [("3.activation", "sign"), ("3", "binary_linear")]
    x = torch.from_numpy(random_images(100, seed=3)).float()
    assert torch.equal(load(tmp_path / "model.pt")(x), network(x))
