"""Networks that are no chain of layers: what is written is what is read, and nothing else is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from bnnhw.compiler import load as load_graph
from bnnhw.compiler.errors import ModelError
from bnnhw.model import load
from bnnhw.model.export.loading import read
from bnnhw.model.export.network_file import NetworkFile
from bnnhw.model.methods import method_named
from bnnhw.model.named import train_named
from bnnhw.model.networks.catalogue import architecture, build_network
from bnnhw.model.networks.named_network import NamedNetwork
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.training import count_correct
from tests.model.toy import toy_data

SHAPE = (4, 3, 1)
OPTIONS = ("weight_bases=2", "factor_bits=0")


def network() -> nn.Module:
    torch.manual_seed(0)
    return build_network(
        architecture("mlp", width=5, depth=1), shape=SHAPE, lo=0, hi=255, classes=3,
        method=method_named("abc", OPTIONS),
    ).eval()  # fmt: skip


def file_of(module: nn.Module) -> NetworkFile:
    return NetworkFile(
        network="mlp", network_options=(), width=5, depth=1, input_bits=1,
        method="abc", method_options=OPTIONS, shape=SHAPE, lo=0, hi=255, obstacle="it is a test",
        tensors=module.state_dict(), meta={"classes": ["a", "b", "c"]},
    )  # fmt: skip


def write(path: Path, change: Callable[[dict[str, Any]], Any] = lambda data: None) -> Path:
    data = file_of(network()).to_plain()
    change(data)
    torch.save(data, path)
    return path


def test_loads_to_the_same_bits(tmp_path: Path) -> None:
    again = load(write(tmp_path / "model.pt"))
    images = torch.randint(0, 256, (50, *SHAPE)).float()
    assert torch.equal(again(images), network()(images))
    assert not any(layer.training for layer in again.modules())


@pytest.mark.parametrize("method", [("abc", ("factor_bits=0",)), ("xnor", ("input_scale=yes",))])
def test_training_writes_it_and_says_what_is_in_the_way(tmp_path: Path, method: tuple[str, tuple[str, ...]]) -> None:
    out, data = tmp_path / "model.pt", toy_data()
    mlp = NamedNetwork(name="mlp", width=8, depth=2, method=method_named(*method))
    metrics = train_named(mlp, data, out, recipe=Recipe(epochs=2, batch_size=16))
    assert metrics is not None
    assert metrics["method"] == method[0]
    assert metrics["obstacle"].startswith("layer 'hidden")
    assert metrics["test_correct"] == count_correct(load(out), data.test_images, data.test_labels)
    file = read(out)
    assert isinstance(file, NetworkFile)
    assert (file.shape, file.meta["dataset"], file.meta["metrics"]["seed"]) == (data.shape, "toy", 0)
    with pytest.raises(ModelError, match=r"no hardware for this network yet: layer 'hidden.*; bnnhw eval --engine"):
        load_graph(out)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(version=3), "has version 3; this bnnhw reads versions 1 and 2"),
        (lambda data: data.pop("obstacle"), "lacks 'obstacle', which must be of type str"),
        (lambda data: data.update(width="5"), "lacks 'width', which must be of type int"),
        (lambda data: data.update(shape=[4, 3.0, 1]), r"has shape=\[4, 3.0, 1\]; it must be a list of type int"),
        (lambda data: data.update(network="cnn"), "unknown network 'cnn'; known ones are"),
        (lambda data: data.update(method="step"), "unknown method 'step'; known ones are"),
        (lambda data: data.update(method_options=["M=3"]), "method 'abc' has no option 'M=3'"),
        (lambda data: data.update(width=6), r"tensor '\S+' must be torch.float32 \(6.*, not torch.float32 \(5"),
        (lambda data: data.update(width=2**40), "tensor '.*' must be .*"),
        (lambda data: data["tensors"].pop("output.norm.weight"), "tensor 'output.norm.weight' is missing"),
        (lambda data: data["tensors"].update(x=torch.ones(1)), "tensor 'x' is unknown"),
        (lambda data: data["tensors"].update(x=1), "tensor 'x' is no tensor"),
        (lambda data: data["tensors"]["output.norm.weight"].fill_(torch.nan), "'output.norm.weight' must hold finite"),
    ],
)
def test_unsound_files_are_refused(tmp_path: Path, change: Callable[[dict[str, Any]], Any], message: str) -> None:
    path = write(tmp_path / "model.pt", change)
    with pytest.raises(ValueError, match=f"^{path}: .*{message}.*; write it with bnnhw train"):
        load(path)


def test_a_network_that_diverged_is_not_written() -> None:
    module = network()
    module.get_buffer("output.norm.running_mean").fill_(torch.inf)
    with pytest.raises(ValueError, match=r"^tensor 'output.norm.running_mean' must hold finite numbers only$"):
        file_of(module).module()


def test_factors_were_real_before_there_were_others(tmp_path: Path) -> None:
    file = read(write(tmp_path / "model.pt", lambda data: data.update(method_options=["weight_bases=2"])))
    assert isinstance(file, NetworkFile)
    assert file.method_options == OPTIONS


def test_plain_data_round_trips() -> None:
    file = file_of(network())
    again = NetworkFile.from_plain(file.to_plain())
    assert replace(again, tensors={}).__dict__ == replace(file, tensors={}).__dict__
