"""What RBNN's rotation costs in training: seconds of CPU beside plain BNN, by turns, on ResNet-20."""

import time
from collections.abc import Iterator
from statistics import median, quantiles

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.cli.bench.row import Bench, Row
from bnnhw.model.epochs import on_epoch
from bnnhw.model.layers import BinaryLayer
from bnnhw.model.methods import method_named
from bnnhw.model.networks import architecture, build_network

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
        step_seconds(network, images)  # the first one also makes room in memory
    steps = [(step_seconds(bnn, images), step_seconds(rbnn, images)) for _ in range(TURNS)]
    rotation = median(rotation_seconds(rbnn, turn / TURNS) for turn in range(TURNS))
    step = median(plain for plain, _ in steps)
    low, ratio, high = quantiles(rotated / plain for plain, rotated in steps)
    overhead = ratio + rotation / (step * EPOCH_STEPS) - 1
    yield Row(
        name=f"ResNet-20: rbnn over bnn, an epoch of {EPOCH_STEPS} steps of {BATCH} images",
        measured=f"{overhead:+.1%}: a step {ratio - 1:+.1%}, half {low - 1:+.1%} to {high - 1:+.1%}; "
        f"rotation {rotation:.2f} s, a step of bnn {step:.3f} s",
        target=f"<= {MAX_OVERHEAD:.0%}",
        met=overhead <= MAX_OVERHEAD,
    )
    yield Row(name="ResNet-20: training by bnn, of CPU time", measured=f"{BATCH / step:,.0f} images/s")


def resnet20(method: str) -> nn.Module:
    network = build_network(
        architecture("resnet20", options=("shortcuts=bireal",)),
        shape=(32, 32, 3), lo=0, hi=255, classes=10, method=method_named(method),
    )  # fmt: skip
    return network.train()


def step_seconds(network: nn.Module, images: Tensor) -> float:
    """Forwards, backwards, latent weights clipped; the optimiser is the same for all."""
    started = time.process_time()
    network.zero_grad()
    functional.cross_entropy(network(images), torch.zeros(len(images), dtype=torch.long)).backward()
    for module in network.modules():
        if isinstance(module, BinaryLayer):
            module.clip()
    return time.process_time() - started


def rotation_seconds(network: nn.Module, progress: float) -> float:
    """What is done before each epoch, `progress` of all of them being over."""
    started = time.process_time()
    on_epoch(network, progress)
    return time.process_time() - started
