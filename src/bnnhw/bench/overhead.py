"""What RBNN's rotation costs in training: seconds of CPU beside plain BNN, by turns, on ResNet-20.

Tests: tests/cli/test_bench.py
"""

import time
from collections.abc import Callable, Iterator
from statistics import median, quantiles

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.model.layers.layers import BinaryLayer
from bnnhw.model.methods import method_named
from bnnhw.model.networks.catalogue import architecture, build_network
from bnnhw.model.training.epochs import on_epoch

from .row import Bench, Row

BATCH = 128
TURNS = 25
"""Single steps differ by a tenth on a machine under load; those of a turn, which follow each other, by less."""
EPOCH_STEPS = 390
"""Of CIFAR-10's 50,000 images."""
MAX_OVERHEAD = 0.1


def measure(bench: Bench) -> Iterator[Row]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # threads that wait for one another take CPU time, too
    try:
        yield from rows()
    finally:
        torch.set_num_threads(threads)


def rows() -> Iterator[Row]:
    images = torch.randint(0, 256, (BATCH, 32, 32, 3)).float()
    bnn, rbnn = resnet20("bnn"), resnet20("rbnn")
    for network in (bnn, rbnn):
        step(network, images)  # the first one also makes room in memory
    rotations, plain, rotated = [], [], []
    for turn in range(TURNS):
        rotations.append(cpu_seconds(on_epoch, rbnn, turn / TURNS))
        plain.append(cpu_seconds(step, bnn, images))
        rotated.append(cpu_seconds(step, rbnn, images))
    rotation, plain_step = median(rotations), median(plain)
    low, ratio, high = quantiles(after / before for before, after in zip(plain, rotated, strict=True))
    overhead = ratio + rotation / (plain_step * EPOCH_STEPS) - 1
    yield Row(
        name=f"ResNet-20: rbnn over bnn, an epoch of {EPOCH_STEPS} steps of {BATCH} images",
        measured=f"{overhead:+.1%}: a step {ratio - 1:+.1%}, half {low - 1:+.1%} to {high - 1:+.1%}; "
        f"rotation {rotation:.2f} s, a step of bnn {plain_step:.3f} s",
        target=f"<= {MAX_OVERHEAD:.0%}",
        met=overhead <= MAX_OVERHEAD,
    )
    yield Row(name="ResNet-20: training by bnn, of CPU time", measured=f"{BATCH / plain_step:,.0f} images/s")


def resnet20(method: str) -> nn.Module:
    network = build_network(
        architecture("resnet20", options=("shortcuts=bireal",)),
        shape=(32, 32, 3), lo=0, hi=255, classes=10, method=method_named(method),
    )  # fmt: skip
    return network.train()


def step(network: nn.Module, images: Tensor) -> None:
    """Forwards, backwards, latent weights clipped; the optimiser is the same for all."""
    network.zero_grad()
    functional.cross_entropy(network(images), torch.zeros(len(images), dtype=torch.long)).backward()
    for module in network.modules():
        if isinstance(module, BinaryLayer):
            module.clip()


def cpu_seconds(work: Callable[..., object], *arguments: object) -> float:
    started = time.process_time()
    work(*arguments)
    return time.process_time() - started
