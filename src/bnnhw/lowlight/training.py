"""Training the network on patches: L1 loss, Adam, a checkpoint after every epoch.

A training is a function of (network, patches, recipe, seed): interrupted at any point and started again it goes on
after its last whole epoch and ends, on the same CPU and number of threads, with the same bits.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bnnhw.model.layers.layers import BinaryLayer
from bnnhw.model.training.checkpoint import read_checkpoint, write_checkpoint
from bnnhw.model.training.divergence import check_finite
from bnnhw.model.training.recipes import MAX_LEARNING_RATE

from .mosaic import amplify, pack
from .network.deployed import integers_of
from .network.kinds import Network, Shape, kind_of, network_of
from .network.shape import BLOCK
from .noise import Sensor, expose
from .pairs import MAX_RATIO
from .patches import Patches, random_crop

__all__ = ["Epoch", "Recipe", "example_mosaics", "train_network"]

_EXAMPLE = 64
"""Packed pixels along each side of an example, at most."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything besides the patches, the network and the seed that decides what a training gives.

    Attributes
    ----------
    epochs : int
        Each takes a random crop of every patch once.
    batch_size : int
    crop : int
        Packed pixels along each side, a multiple of 16, at least 32.
    learning_rate, last_learning_rate : float
        Adam's, in the first half of the epochs and in the second.
    ratios : tuple of float
        Bright mosaics become exposures of one of these fractions, 1/ratio, drawn for each crop.
    sensor : Sensor
        That takes them.
    """

    epochs: int = 4000
    batch_size: int = 1
    crop: int = 256
    learning_rate: float = 1e-4
    last_learning_rate: float = 1e-5
    ratios: tuple[float, ...] = (100.0, 250.0, 300.0)
    sensor: Sensor = field(default_factory=Sensor)

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if self.crop < 2 * BLOCK or self.crop % BLOCK:  # batch norm needs two pixels at the lowest level
            raise ValueError(f"crop={self.crop} must be a multiple of {BLOCK}, and at least {2 * BLOCK}")
        for name in ("learning_rate", "last_learning_rate"):
            if not 0 < getattr(self, name) <= MAX_LEARNING_RATE:
                raise ValueError(f"{name}={getattr(self, name)} must lie in (0, {MAX_LEARNING_RATE:g}]")
        if not self.ratios or not all(1 <= ratio <= MAX_RATIO for ratio in self.ratios):
            raise ValueError(f"ratios={self.ratios} must be one or more numbers in [1, {MAX_RATIO:g}]")

    def darken(self, mosaic: NDArray[np.float32], generator: np.random.Generator) -> tuple[NDArray[np.float32], float]:
        """The short exposure of a bright mosaic (H, W), and the ratio that was drawn for it."""
        ratio = float(generator.choice(self.ratios))
        return expose(mosaic, ratio=ratio, sensor=self.sensor, generator=generator), ratio


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What one pass over the patches gave: the mean L1 loss, and the time that it took."""

    epoch: int
    loss: float
    seconds: float


def train_network(
    shape: Shape,
    patches: Sequence[Patches],
    *,
    recipe: Recipe,
    seed: int = 0,
    device: str = "cpu",
    checkpoint: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    on_step: Callable[[float], None] = lambda done: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> tuple[Network, tuple[Epoch, ...]]:
    """The network of `shape` after `recipe.epochs` epochs on `patches`, in eval mode on the CPU, and their record.

    Parameters
    ----------
    seed : int
        Decides the initial weights, the order of the patches, the crops and the noise.
    device : str
        Torch's: cpu or cuda.
    checkpoint : Path, optional
        Written after each epoch; if it exists, the training goes on from there.
    settings : mapping, optional
        Anything else that decides the outcome; a checkpoint made with others is a ValueError.
    on_step, on_epoch : callable
        Told how many epochs are done, such as 3.25, after each step; and the record after each epoch.

    Raises
    ------
    ValueError
        For a checkpoint of another training, or where the training diverges (`check_finite`); the checkpoint of the
        epoch before is left.
    """
    settings = {**(settings or {}), "seed": seed, "network": kind_of(shape), **asdict(shape), **asdict(recipe)}
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = network_of(shape).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
    history: list[Epoch] = []
    if checkpoint is not None and checkpoint.exists():
        saved = read_checkpoint(checkpoint, settings=settings)
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        history = [Epoch(**epoch) for epoch in saved["history"]]
    for number in range(len(history) + 1, recipe.epochs + 1):
        started = time.monotonic()
        later = 2 * number > recipe.epochs and recipe.epochs > 1
        for group in optimizer.param_groups:
            group["lr"] = recipe.last_learning_rate if later else recipe.learning_rate
        loss = _train_epoch(
            network, optimizer, patches, recipe, generator=np.random.default_rng([seed, number]),
            on_step=lambda part, before=number - 1: on_step(before + part),
        )  # fmt: skip
        check_finite(
            network, [optimizer], loss, epoch=number, learning_rate=recipe.learning_rate, checkpoint=checkpoint
        )
        history.append(Epoch(epoch=number, loss=loss, seconds=time.monotonic() - started))
        if checkpoint is not None:
            write_checkpoint(
                checkpoint,
                settings=settings,
                network=network.state_dict(),
                optimizer=optimizer.state_dict(),
                history=[asdict(epoch) for epoch in history],
            )
        on_epoch(history[-1])
    return network.cpu().eval(), tuple(history)


def example_mosaics(patches: Sequence[Patches], recipe: Recipe, *, seed: int, count: int = 8) -> NDArray[np.uint16]:
    """So many of the mosaics that the network is trained on, as `deployed.integers_of` has them."""
    generator = np.random.default_rng([seed, 0])  # no epoch has that number
    places = [(one, index) for one in patches for index in range(len(one))]
    chosen = [places[place] for place in generator.integers(len(places), size=count)]
    packed, _ = _batch(chosen, replace(recipe, crop=min(recipe.crop, _EXAMPLE)), generator)
    return integers_of(packed.numpy()).astype(np.uint16)


def _train_epoch(
    network: Network,
    optimizer: torch.optim.Optimizer,
    patches: Sequence[Patches],
    recipe: Recipe,
    *,
    generator: np.random.Generator,
    on_step: Callable[[float], None],
) -> float:
    """The mean loss of one pass over all patches in a new order."""
    network.train()
    device = next(network.parameters()).device
    places = [(one, index) for one in patches for index in range(len(one))]
    order = generator.permutation(len(places))
    batches = np.array_split(order, -(-len(order) // recipe.batch_size))
    total = 0.0
    for number, batch in enumerate(batches, start=1):
        x, target = _batch([places[place] for place in batch], recipe, generator)
        loss = functional.l1_loss(network(x.to(device)), target.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for layer in network.modules():
            if isinstance(layer, BinaryLayer):
                layer.clip()
        total += loss.item() * len(batch)
        on_step(number / len(batches))
    return total / len(places)


def _batch(
    places: Sequence[tuple[Patches, int]], recipe: Recipe, generator: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Crops of patches: packed mosaics (N, C, crop, crop), amplified, and pictures beside them."""
    inputs, targets = [], []
    for patches, index in places:
        mosaic, picture = random_crop(
            (patches.mosaics[index], patches.pictures[index]),
            size=recipe.crop,
            generator=generator,
            filters=patches.filters,
        )
        if patches.bright:
            dark, ratio = recipe.darken(mosaic, generator)
            mosaic = amplify(dark, ratio)
        inputs.append(pack(mosaic, patches.filters))
        targets.append(picture.transpose(2, 0, 1))
    return torch.from_numpy(np.stack(inputs)), torch.from_numpy(np.stack(targets))
