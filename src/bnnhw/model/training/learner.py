"""The steps of a training: forwards, backwards, optimiser, and latent weights back to where they belong.

Tests: tests/model/training/test_training.py
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bnnhw.model.data.labelled_images import LabelledImages
from bnnhw.model.layers.layers import BinaryLayer

from .distillation import distillation_loss
from .losses import LOSSES
from .machine import Machine
from .optimizers import optimizer_named
from .recipes import Recipe
from .recording import Recording
from .schedules import learning_rate_share

__all__ = ["Learner"]


class Learner:
    """A network, which lies on the machine's device, and what moves its weights.

    Parameters
    ----------
    network : nn.Module
    recipe : Recipe
    machine : Machine
    teacher : nn.Module, optional
        From raw images to scores, as the network; the recipe's `distillation` says how much it counts.
    """

    def __init__(self, network: nn.Module, *, recipe: Recipe, machine: Machine, teacher: nn.Module | None = None):
        self.network = network
        self.recipe = recipe
        self.machine = machine
        self.teacher = teacher
        self.forward = torch.compile(network) if machine.compiled else network
        self.recording: Recording | None = None
        self.optimizer = optimizer_named(recipe.optimizer, recipe.optimizer_options).parts(
            network, learning_rate=recipe.learning_rate, weight_decay=recipe.weight_decay
        )

    def pass_over(
        self, images: LabelledImages, *, number: int, on_step: Callable[[float], None]
    ) -> tuple[float, float, int]:
        """Epoch `number`, from 1: each image once, in a new order, but for a last batch that is not full.

        (mean loss, accuracy, how many images), of all processes.
        """
        recipe, workers = self.recipe, self.machine.workers
        self.network.train()
        batch_size = min(recipe.batch_size * workers.count, len(images) // workers.count * workers.count)
        steps = len(images) // batch_size
        order = workers.from_first(torch.randperm(len(images)).to(images.device))
        totals = torch.zeros(2, dtype=torch.float64, device=images.device)
        passes = self._passes
        for step in range(steps):
            batch = workers.part(order[step * batch_size : (step + 1) * batch_size])
            done = (number - 1) * steps + step + 1
            share = learning_rate_share(recipe.schedule, done / (recipe.epochs * steps), warmup=recipe.warmup)
            self.optimizer.set_learning_rate(recipe.learning_rate * share)
            x, target = images.batch(batch, recipe.augmentation)
            if step == 1 and self.machine.cuda_graphs:  # anew in each epoch, before which methods change
                passes = self.recording = Recording(self._passes, x, target, former=self.recording)
            totals += passes(x, target)
            self._move()
            on_step(done / steps)
        loss, accuracy = (workers.sum(totals) / (steps * batch_size)).tolist()
        return loss, accuracy, steps * batch_size

    def _passes(self, x: Tensor, target: Tensor) -> Tensor:
        """Forwards and backwards. (sum of the losses, number of images whose greatest score is the right one)."""
        with self._precision():
            scores = self.forward(x)
        loss = self._loss(x, scores.float(), target)
        self.optimizer.zero_grad()
        loss.backward()
        return torch.stack([loss.detach().double() * len(target), (scores.argmax(1) == target).sum()])

    def _move(self) -> None:
        """One step of the optimiser."""
        self.machine.workers.average_gradients(self.network)
        self.optimizer.step()
        for module in self.network.modules():
            if isinstance(module, BinaryLayer):
                module.clip()

    def _loss(self, x: Tensor, scores: Tensor, target: Tensor) -> Tensor:
        """The recipe's, a part of it replaced by the distance to the teacher where there is one."""
        loss = LOSSES[self.recipe.loss](scores, target)
        if self.teacher is None:
            return loss
        weight, temperature = self.recipe.distillation.weight, self.recipe.distillation.temperature
        with torch.no_grad(), self._precision():
            wanted = self.teacher(x)
        return (1 - weight) * loss + weight * distillation_loss(scores, wanted.float(), temperature)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.machine.device, torch.bfloat16, enabled=self.recipe.precision == "bfloat16")
