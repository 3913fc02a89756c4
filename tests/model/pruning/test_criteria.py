"""ThiNet's choice, against what removing channels does to the next layer's sums."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.compiler.ir.graph import Graph
from bnnhw.model import BinaryConv2d, BinaryLinear, Sign, TensorNorm, ToChannelsFirst, ToChannelsLast
from bnnhw.model.pruning.criteria import order_by_thinet
from bnnhw.model.pruning.links import Link, find_links
from bnnhw.model.pruning.values import inputs_of
from tests.model.toy import scramble

from .case import file_of, images_for


def linear() -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(), BinaryLinear(288, 6), nn.BatchNorm1d(6), Sign(), BinaryLinear(6, 40), TensorNorm()
    )


def padded() -> nn.Sequential:
    layers = (
        ToChannelsFirst(), BinaryConv2d(2, 6, 3), nn.MaxPool2d(2), nn.BatchNorm2d(6), Sign(),
        BinaryConv2d(6, 40, 3, stride=2, padding=1, pad_value=-1), nn.BatchNorm2d(40), Sign(),
        nn.AvgPool2d(2), nn.Flatten(), BinaryLinear(40, 4), TensorNorm(),
    )  # fmt: skip
    return nn.Sequential(*layers)


def flattened() -> nn.Sequential:
    layers = (
        ToChannelsFirst(), BinaryConv2d(2, 6, 3, stride=3), nn.BatchNorm2d(6), Sign(),
        ToChannelsLast(), nn.Flatten(), BinaryLinear(6 * 16, 40), TensorNorm(),
    )  # fmt: skip
    return nn.Sequential(*layers)


def inputs_mean(inputs: Tensor) -> Tensor:
    return inputs.mean((0, 2, 3), keepdim=True)


def greedy_by_brute_force(file: Graph, link: Link, images: Tensor) -> list[int]:
    """The same choice by every change of every sum of the consumer."""
    (reader,) = link.readers
    inputs, consumer = inputs_of(file, reader, images)
    weight = consumer.weight
    if isinstance(consumer, BinaryConv2d):
        inputs = functional.pad(inputs, (consumer.padding[0],) * 4, value=consumer.pad_value)
        means = inputs_mean(inputs[:, :, 1:-1, 1:-1] if consumer.padding[0] else inputs)
    else:  # flattened, channels last
        pixels = inputs.shape[1] // link.channels
        inputs = inputs.view(len(inputs), pixels, link.channels, 1).permute(0, 2, 1, 3)
        weight = weight.view(len(weight), pixels, link.channels, 1).permute(0, 2, 1, 3)
        means = inputs_mean(inputs)
    stride = consumer.stride if isinstance(consumer, BinaryConv2d) else 1

    def cost(removed: list[int]) -> float:
        change = functional.conv2d((inputs - means)[:, removed], weight[:, removed], stride=stride)
        return change.square().mean().item()

    order: list[int] = []
    while len(order) < link.channels:
        left = [channel for channel in range(link.channels) if channel not in order]
        order.append(min(left, key=lambda channel: cost([*order, channel])))
    return order


def settle(network: nn.Sequential, norm: nn.BatchNorm1d | nn.BatchNorm2d, images: torch.Tensor) -> None:
    """Give `norm` the statistics of `images`, and a weight of 1."""
    norm.train()
    norm.momentum = 1.0
    network(images)
    norm.eval()
    norm.weight.fill_(1)


@pytest.mark.parametrize(("build", "first"), [(linear, [2, 4, 3]), (padded, [4, 5, 1]), (flattened, [2, 4, 3])])
@torch.no_grad()
def test_thinet_gives_up_what_changes_the_sums_least(build: Callable[[], nn.Sequential], first: list[int]) -> None:
    network = build()
    scramble(network, seed=3)
    norm = next(layer for layer in network if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d))
    images = torch.from_numpy(images_for(60)).float()
    settle(network, norm, images)
    norm.bias.copy_(torch.tensor([0.9, -0.1, 2.2, 1.4, -1.8, -0.5]))  # the nearer to 0, the more often a bit changes
    file = file_of(network)
    link = find_links(file)[0]
    order = order_by_thinet(file, link, images).tolist()
    assert order[:3] == greedy_by_brute_force(file, link, images)[:3] == first


def test_the_choice_is_repeatable() -> None:
    network = linear()
    scramble(network)
    file, images = file_of(network), torch.from_numpy(images_for(30)).float()
    orders = [order_by_thinet(file, find_links(file)[0], images, seed=4).tolist() for _ in range(2)]
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == list(range(6))


@torch.no_grad()
def test_channels_that_say_the_same_do_not_both_go_first() -> None:
    """Removing one of two twins costs least of all, removing the other then three times as much, not twice."""
    network = linear()
    scramble(network, seed=3)
    _, producer, norm, _, consumer, _ = network
    assert isinstance(producer, BinaryLinear)
    assert isinstance(norm, nn.BatchNorm1d)
    assert isinstance(consumer, BinaryLinear)
    producer.weight[1] = producer.weight[0]
    consumer.weight[:, 1] = consumer.weight[:, 0]
    images = torch.from_numpy(images_for(400)).float()
    settle(network, norm, images)
    norm.bias.copy_(torch.tensor([1.5, 1.5, 0.9, 0.9, 0.9, 0.9]))  # costs of about 1, 1 and 2.4
    file = file_of(network)
    order = order_by_thinet(file, find_links(file)[0], images).tolist()
    assert order[0] in (0, 1)
    assert order[1] not in (0, 1)


class TwoReaders(nn.Module):
    """Two thresholds a channel, which two layers of many rows read: by the variances of their bits they are told apart.

    Of channel 0 the first bit hardly varies, of channel 1 the second, of channel 2 both vary a little.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Flatten(), BinaryLinear(288, 4))
        self.norms = nn.ModuleList(nn.BatchNorm1d(4) for _ in range(2))
        self.readers = nn.ModuleList(BinaryLinear(4, 40) for _ in range(2))
        self.sign, self.norm = Sign(), TensorNorm()

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        (one, two), (a, b) = self.norms, self.readers
        return self.norm(a(self.sign(one(x))) + b(self.sign(two(x))))


@torch.no_grad()
def test_what_all_readers_lose_counts() -> None:
    network = TwoReaders()
    scramble(network, seed=3)
    images = torch.from_numpy(images_for(400)).float()
    sums = network.first(images)
    for norm, biases in zip(network.norms, ([2.5, 0.0, 1.3, 0.0], [0.0, 2.5, 1.3, 0.0]), strict=True):
        assert isinstance(norm, nn.BatchNorm1d)
        norm.load_state_dict({**norm.state_dict(), "running_mean": sums.mean(0), "running_var": sums.var(0)})
        norm.weight.fill_(1)
        norm.bias.copy_(torch.tensor(biases))
    file = file_of(network.eval())
    (link,) = find_links(file)
    assert link.readers == ("readers.0", "readers.1")
    assert order_by_thinet(file, link, images)[0] == 2
    first = replace(link, readers=link.readers[:1])
    assert order_by_thinet(file, first, images)[0] == 0
