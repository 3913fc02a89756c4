"""What RBNN's rotation costs in training: seconds of CPU beside plain BNN, by turns, on ResNet-20."""

import time
from collections.abc import Iterator
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional

from bnnhw.cli.bench.row import Bench, Row
from bnnhw.model.epochs import on_epoch
from bnnhw.model.layers import BinaryLayer
from bnnhw.model.methods import method_named
from bnnhw.model.networks import architecture, build_network

BATCH = 128
TURNS = 5
EPOCH_STEPS = 390
"""Of CIFAR-10's 50,000 images."""
MAX_OVERHEAD = 0.1


def measure(bench: Bench) -> Iterator[Row]:
    images = torch.randint(0, 256, (BATCH, 32, 32, 3)).float()
    networks = {name: resnet20(name) for name in ("bnn", "rbnn")}
    steps: dict[str, list[float]] = {name: [] for name in networks}
    rotations = []
    for turn in range(TURNS):
        for name, network in networks.items():
            steps[name].append(step_seconds(network, images))
        started = time.process_time()
        on_epoch(networks["rbnn"], turn / TURNS)
        rotations.append(time.process_time() - started)
    bnn, rbnn, rotation = median(steps["bnn"]), median(steps["rbnn"]), median(rotations)
    overhead = (rbnn * EPOCH_STEPS + rotation) / (bnn * EPOCH_STEPS) - 1
    yield Row(
        name=f"ResNet-20: rbnn over bnn, an epoch of {EPOCH_STEPS} steps of {BATCH} images",
        measured=f"{overhead:+.1%}: {rbnn:.3f} and {bnn:.3f} s a step, rotation {rotation:.2f} s",
        target=f"<= {MAX_OVERHEAD:.0%}",
        met=overhead <= MAX_OVERHEAD,
    )
    yield Row(name="ResNet-20: training by bnn, of CPU time", measured=f"{BATCH / bnn:,.0f} images/s")


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
