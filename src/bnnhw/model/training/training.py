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

from bnnhw.model.data.datasets import DataSet
from bnnhw.model.data.labelled_images import split
from bnnhw.model.history.history import Epoch, Training

from .divergence import check_finite
from .epochs import on_epoch as tell_of_epoch
from .flips import flip_rates, mean_flip_rate, weight_signs
from .learner import Learner
from .machine import Machine
from .recipes import Recipe
from .state import TrainingState

__all__ = ["count_correct", "train"]


def train(
    build: Callable[[], nn.Module],
    data: DataSet,
    *,
    recipe: Recipe,
    seed: int = 0,
    teacher: nn.Module | None = None,
    machine: Machine = Machine(),  # noqa: B008 it is frozen
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
    teacher : nn.Module, optional
        A trained network from the same images to the same classes, to learn from (`distillation`).
    machine : Machine
        With several processes, each calls this with its own `machine`, and the first alone writes the checkpoint.
    checkpoint : Path, optional
        Written after each epoch, but not more often than `Machine.checkpoint_s`; if it exists, the training goes on
        from there.
    settings : mapping, optional
        Anything else that decides the outcome (the network's name, say): a checkpoint made with other settings, another
        recipe or another seed is a ValueError.
    time_limit_s : float, optional
        End this call before the epoch that would take it beyond so many seconds, if it lasts as long as the one before.
        One epoch is done in any case.
    on_step, on_epoch : callable
        Told how many epochs are done, such as 3.25, after each step; and the record after each epoch.

    Raises
    ------
    ValueError
        For a checkpoint of another training, too few images, or where the loss, or anything that the training goes on
        from, is no longer finite (`check_finite`); the checkpoint of the epoch before is left.
    """
    start = time.monotonic()
    workers, device = machine.workers, machine.torch_device
    settings = {**(settings or {}), "data_set": data.name, "seed": seed, **machine.settings(), **recipe.to_plain()}
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else ()), machine.running():
        torch.manual_seed(seed)
        saved = start
        network = build().to(device)
        teacher = None if teacher is None else teacher.to(device).eval()
        learner = Learner(network, recipe=recipe, machine=machine, teacher=teacher)
        state = TrainingState(network, learner.optimizer, machine=machine)
        learnt, held_back = split(data, recipe.validation, device=device, processes=workers.count)
        if workers.rank:
            torch.manual_seed(seed + workers.rank)  # other distortions and dropout than those of the first process
        if checkpoint is not None and checkpoint.exists():
            state.restore(checkpoint, settings=settings)
        for number in range(len(state.history) + 1, recipe.epochs + 1):
            begin, signs = time.monotonic(), weight_signs(network)
            tell_of_epoch(network, (number - 1) / recipe.epochs)
            loss, accuracy, images = learner.pass_over(learnt, number=number, on_step=on_step)
            workers.share_buffers(network)
            check_finite(
                network, learner.optimizer.optimizers, loss,
                epoch=number, learning_rate=recipe.learning_rate, checkpoint=checkpoint, workers=workers,
            )  # fmt: skip
            validated = accuracy
            if len(held_back):
                validated = count_correct(network, held_back.images, held_back.labels) / len(held_back)
            rates = flip_rates(signs, weight_signs(network))
            epoch = Epoch(
                epoch=number, loss=loss, accuracy=accuracy, validation_accuracy=validated,
                flip_rate=mean_flip_rate(rates, {name: each.numel() for name, each in signs.items()}),
                flip_rates=rates, images=images, seconds=time.monotonic() - begin,
            )  # fmt: skip
            state.record(epoch)
            is_over = time_limit_s is not None and time.monotonic() - start + epoch.seconds > time_limit_s
            is_due = is_over or time.monotonic() - saved >= machine.checkpoint_s or number == recipe.epochs
            if checkpoint is not None and any(workers.all_of(is_due)):
                state.save(checkpoint, settings=settings)
                saved = time.monotonic()
            on_epoch(epoch)
            if any(workers.all_of(is_over)):  # and none goes on before the first has written
                break
    return state.result(is_complete=len(state.history) == recipe.epochs)


@torch.inference_mode()
def count_correct(network: nn.Module, images: Tensor | np.ndarray, labels: Tensor | np.ndarray) -> int:
    """How many of the raw integer `images` (N, H, W, C) get their greatest score at their label.

    The network is put into eval mode. Of equal scores the lowest class counts, as in the hardware.
    """
    network.eval()
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    images, labels = torch.as_tensor(images), torch.as_tensor(labels)
    batches = zip(images.split(1000), labels.split(1000), strict=True)
    return sum(int((network(x.to(device).float()).argmax(1) == y.to(device)).sum()) for x, y in batches)
