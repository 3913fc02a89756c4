"""A user's own module goes into model.pt bit for bit, or is refused with the dotted name of what is in the way."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.model import Affine, BinaryLinear, InputThreshold, Sign, TensorNorm, load, read, sign
from bnnhw.model.export.save_model import save
from bnnhw.model.networks.catalogue import Architecture, build_network
from tests.model.toy import SHAPE, random_images, scramble, toy_network

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
    assert [(layer.name, layer.op) for layer in model.layers] == [
        ("cut", "input_threshold"), ("sign", "sign"), ("view", "flatten"),
        ("body.0.linear", "binary_linear"), ("body.0.norm", "batch_norm"), ("body.0.clip", "hard_tanh"),
        ("body.0.sign", "sign"),
        ("body.1.linear", "binary_linear"), ("body.1.norm", "batch_norm"), ("body.1.clip", "hard_tanh"),
        ("body.1.sign", "sign"),
        ("sign#2", "sign"), ("head.1", "binary_linear"), ("head.2", "batch_norm"),
    ]  # fmt: skip


def test_flat_inputs_need_no_flatten(tmp_path: Path) -> None:
    network = nn.Sequential(BinaryLinear(12, 2)).eval()
    save(network, tmp_path / "model.pt", example_input=IMAGES.reshape(-1, 12))
    assert read(tmp_path / "model.pt").shape == (12,)


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
    model = read(tmp_path / "model.pt")
    assert (model.lo, model.hi) == expected


@pytest.mark.parametrize(
    ("images", "given", "message"),
    [
        (IMAGES.astype(np.int64), None, r"^input_range must be given for an example_input of torch.int64"),
        (IMAGES, (0, 100), r"^example_input must lie in input_range=\(0, 100\), not in \(0, 255\)$"),
        (IMAGES / 255, (0, 1), "^example_input must hold the raw integers of the input, not fractions"),
        (IMAGES[0, 0, 0], None, r"^example_input must be a batch \(N, H, W, C\) or \(N, features\), not \(1,\)$"),
        (IMAGES[:0], None, r"^example_input must be a batch .* not \(0, 4, 3, 1\)$"),
        (IMAGES[..., None], None, r"^the input's shape must be one to three sizes"),
    ],
    ids=["no range", "beyond", "normalised", "no batch", "empty", "5 axes"],
)
def test_bad_examples(tmp_path: Path, images: Any, given: tuple[int, int] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        save(toy_network(), tmp_path / "model.pt", example_input=images, input_range=given)
    assert list(tmp_path.iterdir()) == []


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
    "InputThreshold, BinaryLinear, BinaryConv2d, TensorNorm, Affine, Sign, Quantise, ToChannelsFirst, ToChannelsLast, "
    "BatchNorm1d, BatchNorm2d, SyncBatchNorm, ShiftBatchNorm, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, Flatten, "
    "Dropout, Identity, Hardtanh, ReLU"
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
        (Branching(), "^layer 'b' does not take the value before it; export supports one chain"),
        (Deciding(), "^Deciding.forward cannot be traced .*; export needs a forward that calls the same layers"),
        (TwoInputs(), "^TwoInputs.forward takes a second input, 'y'; export supports one: the images$"),
        (TwoOutputs(), r"^TwoOutputs must return one tensor of scores \(N, classes\), not a tuple$"),
        (Normalising(), r"^'truediv' is not supported by export; use the layer bnnhw.model.Affine; besides layers it"),
        (
            chain(BinaryLinear(12, 3).eval(), BinaryLinear(3, 2)),
            "^layer '2' reads real numbers; put a Sign or",
        ),
        (
            chain(Affine(torch.tensor([-1.0]), torch.tensor([9.0])), Sign(), BinaryLinear(12, 2)),
            "^layer '2' falls in channel 0 as the integers that it reads rise; it may fall only behind",
        ),
        (TorchSign(), r"^'sign' is not supported by export; torch.sign\(0\) is 0: use bnnhw.model.sign;"),
        (Transposing(), r"^'permute' orders the axes \(0, 2, 1, 3\); only \(0, 3, 1, 2\) and \(0, 2, 3, 1\) are supp"),
        (Grouping(), r"^'view' makes shape \(32, 3, 4\); only \(N, features\) out of \(N, \.\.\.\)"),
        (Clipping(), r"^'hardtanh' clips to \(-2, 2\); only \(-1, 1\) is supported$"),
        (Parametrised(), r"^'a.weight' is not supported"),
        (Hooked(), r"^layer 'a' \(BinaryLinear\) carries a forward hook, Hooked.__init__"),
        (chain(BinaryLinear(12, 3), nn.BatchNorm1d(3, eps=float("nan"))), "^eps of layer '2' .* finite float, not nan"),
    ],
)
def test_what_is_not_supported_is_named(tmp_path: Path, network: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        save(network, tmp_path / "model.pt", example_input=IMAGES)
    assert list(tmp_path.iterdir()) == []


def test_diverged_weights_are_refused(tmp_path: Path) -> None:
    network = toy_network()
    network.get_buffer("3.running_mean")[2] = float("nan")
    with pytest.raises(ValueError, match=r"^running_mean of layer '3' \(BatchNorm1d\) must hold finite numbers only, "):
        save(network, tmp_path / "model.pt", example_input=IMAGES)


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ({"classes": ["a"]}, "^meta names 1 classes but the network has 3 scores$"),
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
    assert [(layer.name, layer.op) for layer in model.layers][-2:] == [("3.activation", "sign"), ("3", "binary_linear")]
    x = torch.from_numpy(random_images(100, seed=3)).float()
    assert torch.equal(load(tmp_path / "model.pt")(x), network(x))
