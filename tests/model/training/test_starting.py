"""Trainings that start from a model file: what is taken, what is left, what stays."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bnnhw.compiler.frontends.model_file import load as graph_of
from bnnhw.model import load
from bnnhw.model.data.datasets import DataSet
from bnnhw.model.layers.requantised import Requantised
from bnnhw.model.methods import method_named
from bnnhw.model.named import train_named
from bnnhw.model.networks.named_network import NamedNetwork
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.starting import Start, Taken
from tests.model.toy import toy_data


def larger(data: DataSet) -> DataSet:
    """Its images as 8 x 8."""
    train_images, test_images = (
        each.repeat(2, axis=1).repeat(3, axis=2)[:, :, :8] for each in (data.train_images, data.test_images)
    )
    return replace(data, train_images=train_images, test_images=test_images)


DATA = larger(toy_data())
IMAGES = torch.from_numpy(DATA.train_images).float()
RECIPE = Recipe(epochs=1, batch_size=16)


def named(name: str, *options: str, method: str = "bnn") -> NamedNetwork:
    kind, *choices = method.split()
    return NamedNetwork(name=name, options=("channels=25", *options), method=method_named(kind, choices))


def trained(network: NamedNetwork, path: Path, **options: Any) -> Mapping[str, Any]:
    metrics = train_named(network, DATA, path, recipe=RECIPE, **options)
    assert metrics is not None  # there is one process
    return metrics


def started(network: NamedNetwork, path: Path, data: DataSet = DATA, **options: Any) -> tuple[nn.Module, Taken]:
    torch.manual_seed(2)
    fresh, taken = Start(path=path, **options).apply(lambda before: network.build(data, before), data)
    assert taken is not None
    return fresh.eval(), taken


def operators(path: Path) -> Mapping[str, Any]:
    return {node.name: node.op for node in graph_of(path).nodes}


def scores(network: nn.Module) -> Tensor:
    with torch.inference_mode():
        return network(IMAGES)


@pytest.mark.parametrize(
    ("name", "options", "method"),
    [
        ("resnet8", (), "bnn"),
        ("resnet8", ("downsample=B", "weight_bits=1"), "xnor"),
        ("reactnet8", ("weight_bits=4",), "irnet"),
        ("mobilenet8", (), "bireal"),
        ("lenet", (), "bnn"),
        ("lenet", (), "xnor"),
        ("lenet", (), "irnet"),
        ("preresnet6", (), "bnn"),
        ("lenet", (), "bwn"),
        ("lenet", (), "dorefa weight_bits=8"),
        ("lenet", (), "ternary"),
    ],
)
def test_a_model_for_the_compiler_makes_a_network_that_gives_the_same(
    name: str, options: tuple[str, ...], method: str, tmp_path: Path
) -> None:
    network = named(name, *options, method=method)
    assert trained(network, tmp_path / "a.pt")["obstacle"] is None
    fresh, taken = started(network, tmp_path / "a.pt")
    assert taken.left == ()
    torch.testing.assert_close(scores(fresh), scores(load(tmp_path / "a.pt")), rtol=0, atol=4e-3)  # steps of 2^-10


def test_norms_behind_lines_have_the_statistics_of_what_they_read(tmp_path: Path) -> None:
    network, seen = named("resnet8"), list[Tensor]()
    trained(network, tmp_path / "a.pt")
    fresh, _ = started(network, tmp_path / "a.pt")
    module = fresh.get_submodule("stage3_block1.body.conv2")
    assert isinstance(module, Requantised)
    assert module.layer is not None
    module.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    scores(fresh)
    assert isinstance(module.norm, nn.BatchNorm2d)
    assert module.norm.running_mean is not None
    with torch.inference_mode():
        mean = module.layer(seen[0]).mean((0, 2, 3))
    torch.testing.assert_close(module.norm.running_mean, mean)


def test_a_network_of_real_numbers_starts_one_of_fixed_point(tmp_path: Path) -> None:
    real = named("resnet8", "numbers=real")
    assert trained(real, tmp_path / "real.pt")["obstacle"] is not None
    fresh, taken = started(named("resnet8"), tmp_path / "real.pt")
    assert taken.left == ()
    theirs = load(tmp_path / "real.pt").state_dict()
    mine = fresh.state_dict()
    for name, tensor in theirs.items():
        assert any(torch.equal(tensor, each) for each in mine.values() if each.shape == tensor.shape), name
    torch.testing.assert_close(
        mine["stage1_block1.body.conv2.norm.running_var"], theirs["stage1_block1.body.norm2.running_var"]
    )
    again, taken = started(real, tmp_path / "real.pt")
    assert torch.equal(scores(again), scores(load(tmp_path / "real.pt")))
    assert taken.left == ()


@pytest.mark.parametrize("options", [("numbers=real",), ()])
def test_a_head_for_other_classes_is_fresh(options: tuple[str, ...], tmp_path: Path) -> None:
    network = named("resnet8", *options)
    trained(network, tmp_path / "a.pt")
    fresh, taken = started(network, tmp_path / "a.pt", larger(toy_data(classes=4)))
    assert {name.partition(".")[0] for name in taken.left} == {"output"}
    assert scores(fresh).shape == (96, 4)


def test_what_does_not_fit_at_all_is_refused(tmp_path: Path) -> None:
    trained(named("resnet8", "numbers=real"), tmp_path / "real.pt")
    trained(named("lenet"), tmp_path / "lenet.pt")
    for network, name, theirs in (("lenet", "real", "resnet8"), ("resnet8", "lenet", "lenet")):
        message = (
            f"^nothing of {re.escape(str(tmp_path))}/{name}.pt fits by name and shape: it has a network '{theirs}'; "
        )
        with pytest.raises(ValueError, match=message):
            started(named(network), tmp_path / f"{name}.pt")


def test_frozen_layers_stay(tmp_path: Path) -> None:
    network = named("lenet")
    start = Start(freeze=("conv1", "output.linear"))
    before, _ = start.apply(lambda done: network.build(DATA, done), DATA)
    frozen = {name for name, each in before.named_parameters() if not each.requires_grad}
    assert frozen == {"conv1.conv.weight", "conv1.norm.weight", "conv1.norm.bias", "output.linear.weight"}
    trained(network, tmp_path / "a.pt")
    metrics = trained(network, tmp_path / "b.pt", start=Start(path=tmp_path / "a.pt", freeze=("conv1",)), seed=3)
    assert (metrics["init"], metrics["freeze"]) == (str(tmp_path / "a.pt"), ["conv1"])
    one, two = (operators(tmp_path / f"{name}.pt") for name in "ab")
    assert np.array_equal(one["conv1.conv"].weights, two["conv1.conv"].weights)
    assert not np.array_equal(one["hidden1.linear"].weights, two["hidden1.linear"].weights)


@pytest.mark.parametrize("name", ["conv9", "", "flatten"])
def test_what_cannot_be_frozen(name: str) -> None:
    network = named("lenet")
    with pytest.raises(
        ValueError, match=f"^freeze='{name}' must be a layer with parameters, such as conv1, conv2, hid"
    ):
        Start(freeze=(name,)).apply(lambda before: network.build(DATA, before), DATA)


def test_a_checkpoint_belongs_to_its_start(tmp_path: Path) -> None:
    network, told = named("lenet"), list[Taken]()
    trained(network, tmp_path / "a.pt")
    start = Start(path=tmp_path / "a.pt")
    longer = replace(RECIPE, epochs=2)
    train_named(network, DATA, tmp_path / "b.pt", recipe=longer, start=start, time_limit_s=1e-9, on_start=told.append)
    assert [taken.left for taken in told] == [()]
    with pytest.raises(ValueError, match=r"with init='[0-9a-f]{64}', not None"):
        train_named(network, DATA, tmp_path / "b.pt", recipe=longer)
    with pytest.raises(ValueError, match=r"with freeze=None, not \['conv1'\]"):
        train_named(network, DATA, tmp_path / "b.pt", recipe=longer, start=replace(start, freeze=("conv1",)))
