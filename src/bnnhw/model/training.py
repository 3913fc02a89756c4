"""The training loop: an epoch after the other, the best of them by validation, and a checkpoint after each.

A training is a function of (network, data, recipe, seed): interrupted at any point, kill -9 included, and started
again it goes on after its last whole epoch and ends, on the same CPU and number of threads, with the same bits.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .augment import augment
from .datasets import DataSet
from .epochs import on_epoch as tell_of_epoch
from .flips import flip_rates, mean_flip_rate, weight_signs
from .history import Epoch, Training
from .layers import BinaryLayer
from .losses import LOSSES
from .optimizers import Parts, optimizer_named
from .recipes import Recipe
from .schedules import learning_rate_share
from .training_state import TrainingState

__all__ = ["count_correct", "train"]


def train(
    build: Callable[[], nn.Module],
    data: DataSet,
    *,
    recipe: Recipe,
    seed: int = 0,
    checkpoint: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    time_limit_s: float | None = None,
    on_step: Callable[[float], None] = lambda done: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Training:
    """Train the network that `build` makes on `data` and return its best epoch, the latest of equals.

    Parameters
    ----------
    build : callable
        Makes the network anew. It takes (N, H, W, C) raw integers as float32 and gives (N, classes) scores.
    data : DataSet
        Only its training images are looked at.
    recipe : Recipe
    seed : int
        Decides the initial weights, the held-back images, the order of the others, their distortion and the dropout.
    checkpoint : Path, optional
        Written after each epoch; if it exists, the training goes on from there.
    settings : mapping, optional
        Anything else that decides the outcome (the network's name, say): a checkpoint made with other settings, another
        recipe or another seed is a ValueError.
    time_limit_s : float, optional
        End this call before the epoch that would take it beyond so many seconds, if it lasts as long as the one before.
        One epoch is done in any case.
    on_step, on_epoch : callable
        Told how many epochs are done, such as 3.25, after each step; and the record after each epoch.
    """
    start = time.monotonic()
    settings = {**(settings or {}), "data_set": data.name, "seed": seed, **recipe.to_plain()}
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = build()
        optimizer = optimizer_named(recipe.optimizer, recipe.optimizer_options).parts(
            network, learning_rate=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        state = TrainingState(network, optimizer)
        learnt, held_back = _split(data, recipe.validation)
        if checkpoint is not None and checkpoint.exists():
            state.restore(checkpoint, settings=settings)
        for number in range(len(state.history) + 1, recipe.epochs + 1):
            begin, signs = time.monotonic(), weight_signs(network)
            tell_of_epoch(network, (number - 1) / recipe.epochs)
            loss, accuracy = _train_epoch(network, optimizer, *learnt, data, recipe, number=number, on_step=on_step)
            validated = count_correct(network, *held_back) / len(held_back[0]) if len(held_back[0]) else accuracy
            rates = flip_rates(signs, weight_signs(network))
            epoch = Epoch(
                epoch=number, loss=loss, accuracy=accuracy, validation_accuracy=validated,
                flip_rate=mean_flip_rate(rates, {name: each.numel() for name, each in signs.items()}),
                flip_rates=rates, images=len(learnt[0]), seconds=time.monotonic() - begin,
            )  # fmt: skip
            state.record(epoch)
            if checkpoint is not None:
                state.save(checkpoint, settings=settings)
            on_epoch(epoch)
            if time_limit_s is not None and time.monotonic() - start + epoch.seconds > time_limit_s:
                break
    return state.result(is_complete=len(state.history) == recipe.epochs)


def _split(data: DataSet, validation: float) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """The training images and their labels, at random: those to learn from, and the part `validation` held back."""
    images, labels = torch.from_numpy(data.train_images.copy()), torch.from_numpy(data.train_labels.copy())
    held_back, learnt = torch.randperm(len(images)).tensor_split([round(len(images) * validation)])
    if len(learnt) < 2:
        raise ValueError(f"{data.name} leaves {len(learnt)} images to train on; batch norm needs at least 2")
    return (images[learnt], labels[learnt]), (images[held_back], labels[held_back])


def _train_epoch(
    network: nn.Module,
    optimizer: Parts,
    images: Tensor,
    labels: Tensor,
    data: DataSet,
    recipe: Recipe,
    *,
    number: int,
    on_step: Callable[[float], None],
) -> tuple[float, float]:
    """Pass once over the images, in a new order, leaving out a last batch that is not full. (mean loss, accuracy)."""
    network.train()
    batch_size = min(recipe.batch_size, len(images))
    steps = len(images) // batch_size
    order = torch.randperm(len(images))
    total_loss, correct = 0.0, 0
    for step in range(steps):
        batch = order[step * batch_size : (step + 1) * batch_size]
        x, target = images[batch].float(), labels[batch]
        if recipe.augmentation is not None:
            x = augment(x, recipe.augmentation, lo=data.lo, hi=data.hi)
        done = (number - 1) * steps + step + 1
        share = learning_rate_share(recipe.schedule, done / (recipe.epochs * steps), warmup=recipe.warmup)
        optimizer.set_learning_rate(recipe.learning_rate * share)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            scores = network(x)
        loss = LOSSES[recipe.loss](scores, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for module in network.modules():
            if isinstance(module, BinaryLayer):
                module.clip()
        total_loss += loss.item()
        correct += int((scores.argmax(1) == target).sum())
        on_step(done / steps)
    return total_loss / steps, correct / (steps * batch_size)


@torch.inference_mode()
def count_correct(network: nn.Module, images: Tensor | np.ndarray, labels: Tensor | np.ndarray) -> int:
    """How many of the raw integer `images` (N, H, W, C) get their greatest score at their label.

    The network is put into eval mode. Of equal scores the lowest class counts, as in the hardware.
    """
    network.eval()
    images, labels = torch.as_tensor(images), torch.as_tensor(labels)
    batches = zip(images.split(1000), labels.split(1000), strict=True)
    return sum(int((network(x.float()).argmax(1) == y).sum()) for x, y in batches)
