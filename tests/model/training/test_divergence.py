"""Trainings whose numbers are no longer finite end with one line, and what was good before stays."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from bnnhw.model.methods.rbnn import Rbnn
from bnnhw.model.methods.real import Real
from bnnhw.model.named import metrics_path, train_named
from bnnhw.model.networks.catalogue import Architecture, build_network
from bnnhw.model.networks.named_network import NamedNetwork
from bnnhw.model.training.checkpoint import read_checkpoint
from bnnhw.model.training.divergence import check_finite
from bnnhw.model.training.optimizers import OPTIMIZERS, Parts
from bnnhw.model.training.recipes import Recipe
from bnnhw.model.training.training import train
from tests.model.toy import toy_data, toy_network

RECIPE = Recipe(epochs=3, batch_size=16, validation=0.25)
DATA = toy_data()


def stepped(network: nn.Module, optimizer: str) -> Parts:
    """What has moved all parameters of `network` once."""
    parts = OPTIMIZERS[optimizer]().parts(network, learning_rate=0.01, weight_decay=0)
    network(torch.rand(4, 4, 3, 1)).sum().backward()
    parts.step()
    return parts


def check(network: nn.Module, parts: Parts, loss: float = 1.0) -> None:
    check_finite(network, parts.optimizers, loss, epoch=2, learning_rate=0.01)


def rotated() -> nn.Module:
    return build_network(
        Architecture(widths=(8,)), input_bits=1, method=Rbnn(), shape=(4, 3, 1), lo=0, hi=255, classes=3
    )


def tensors(network: nn.Module, parts: Parts) -> dict[str, torch.Tensor]:
    """Every tensor of numbers, by what an error has to call it."""
    names: dict[torch.Tensor, str] = {parameter: name for name, parameter in network.named_parameters()}
    memory = {
        f"'{what}' of '{names[parameter]}'": tensor
        for optimizer in parts.optimizers
        for parameter, state in optimizer.state.items()
        for what, tensor in state.items()
        if isinstance(tensor, torch.Tensor)
    }
    state = {f"'{name}'": tensor for name, tensor in network.state_dict().items() if tensor.is_floating_point()}
    return {**state, **memory}


@pytest.mark.parametrize(
    ("build", "optimizer"), [*((toy_network, optimizer) for optimizer in OPTIMIZERS), (rotated, "adam")]
)
def test_each_tensor_is_looked_at(build: Callable[[], nn.Module], optimizer: str) -> None:
    network = build()
    parts = stepped(network, optimizer)
    check(network, parts)
    found = tensors(network, parts)
    assert len(found) > 8
    for value in (torch.nan, torch.inf, -torch.inf):
        for name, tensor in found.items():
            flat = tensor.data.view(-1)
            former = flat[-1].clone()
            flat[-1] = value
            message = f"epoch 2 left numbers in {name} that are not finite; give a learning rate of less than 0.01"
            with pytest.raises(ValueError, match=f"^the training diverged: {re.escape(message)}$"):
                check(network, parts)
            flat[-1] = former
    check(network, parts)


@pytest.mark.parametrize("loss", [torch.nan, torch.inf])
def test_the_loss(loss: float) -> None:
    network = toy_network()
    parts = stepped(network, "adam")
    with pytest.raises(ValueError, match=f"^the training diverged: the loss of epoch 2 is {loss}; give a "):
        check(network, parts, loss)
    network.get_parameter("2.weight").data[0, 0] = torch.nan
    message = f"the loss of epoch 2 is {loss}, and epoch 2 left numbers in '2.weight' that are not finite; "
    with pytest.raises(ValueError, match=f"^the training diverged: {message}"):
        check(network, parts, loss)


@pytest.mark.parametrize("name", ["2.weight", "3.bias", "3.running_mean", "3.running_var"])
@pytest.mark.parametrize("step", [8, 12], ids=["last of an epoch", "last of all"])
def test_the_checkpoint_before_is_left(tmp_path: Path, name: str, step: int) -> None:
    checkpoint = tmp_path / "checkpoint"
    networks: list[nn.Module] = []
    steps: list[float] = []

    def build() -> nn.Module:
        networks.append(toy_network())
        return networks[0]

    def spoil(done: float) -> None:
        steps.append(done)
        if len(steps) == step:
            networks[0].state_dict()[name].fill_(torch.nan)

    message = (
        f"epoch {step // 4} left numbers in '{name}' that are not finite; {checkpoint} keeps the epochs before; "
        "delete it and give a learning rate of less than 0.01"
    )
    with pytest.raises(ValueError, match=f"^the training diverged: {re.escape(message)}$"):
        train(build, DATA, recipe=RECIPE, checkpoint=checkpoint, on_step=spoil)
    resumed, whole = (train(toy_network, DATA, recipe=RECIPE, checkpoint=path) for path in (checkpoint, None))
    histories = [[replace(epoch, seconds=0) for epoch in training.history] for training in (resumed, whole)]
    assert histories[0] == histories[1]


def test_the_model_and_its_record_stay(tmp_path: Path) -> None:
    out, recipe = tmp_path / "model.pt", replace(RECIPE, optimizer="sgd")
    network = NamedNetwork(name="mlp", width=8, depth=2, method=Real())
    train_named(network, DATA, out, recipe=recipe)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(before) >= {out, metrics_path(out)}
    message = r"^the training diverged: the loss of epoch 1 is nan, and epoch 1 left numbers in .* of less than 1e\+30$"
    with pytest.raises(ValueError, match=message):
        train_named(network, DATA, out, recipe=replace(recipe, learning_rate=1e30))
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("place", ["network/3.running_var", "best_network/2.weight", "optimizer/0/state/0/exp_avg"])
def test_a_checkpoint_that_is_not_finite_is_refused(tmp_path: Path, place: str) -> None:
    checkpoint = tmp_path / "checkpoint"
    train(toy_network, DATA, recipe=RECIPE, checkpoint=checkpoint, time_limit_s=1e-9)
    content = torch.load(checkpoint, weights_only=True)
    read_checkpoint(checkpoint, settings=content["settings"])
    value = content
    for key in place.split("/"):
        value = value[int(key) if key.isdigit() else key]
    value[..., 0] = torch.inf
    torch.save(content, checkpoint)
    message = f"{checkpoint} holds numbers in {place} that are not finite; delete it to start the training anew"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        train(toy_network, DATA, recipe=RECIPE, checkpoint=checkpoint)
