"""All that a training has come to: what a checkpoint holds, and what its result is made of.

Tests: tests/model/training/test_training.py
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bnnhw.model.history.histograms import Histogram, latent_histograms
from bnnhw.model.history.history import Epoch, Training

from .checkpoint import read_checkpoint, write_checkpoint
from .machine import Machine
from .optimizers import Parts

__all__ = ["TrainingState"]


class TrainingState:
    """A network and what moves it, the records of the epochs so far, and the tensors of the best one."""

    def __init__(self, network: nn.Module, optimizer: Parts, *, machine: Machine):
        self.network = network
        self.optimizer = optimizer
        self.machine = machine
        self.history: list[Epoch] = []
        self.best: Epoch | None = None
        self.best_network: Mapping[str, Tensor] = {}
        self.first_weights: Mapping[str, Histogram] = {}

    def record(self, epoch: Epoch) -> None:
        """An epoch is done. The latest of those with the greatest validation accuracy is the best."""
        self.history.append(epoch)
        self.first_weights = self.first_weights or latent_histograms(self.network)
        if self.best is None or epoch.validation_accuracy >= self.best.validation_accuracy:
            self.best = epoch
            self.best_network = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}

    def save(self, path: Path, *, settings: Mapping[str, Any]) -> None:
        """Write the checkpoint at `path`, the random states of all processes included. The first process writes it."""
        assert self.best is not None  # an epoch is done
        random_states = self.machine.workers.all_of(self._random_state())
        if not self.machine.workers.is_first:
            return
        write_checkpoint(
            path,
            settings=settings,
            network=self.network.state_dict(),
            optimizer=self.optimizer.state_dict(),
            history=[asdict(epoch) for epoch in self.history],
            best=asdict(self.best),
            best_network=self.best_network,
            first_weights={name: asdict(histogram) for name, histogram in self.first_weights.items()},
            random_states=random_states,
        )

    def restore(self, path: Path, *, settings: Mapping[str, Any]) -> None:
        """Go on from the checkpoint at `path`; ValueError if it is damaged or was made with other settings."""
        saved = read_checkpoint(path, settings=settings)
        self.network.load_state_dict(saved["network"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.history = [Epoch(**epoch) for epoch in saved["history"]]
        self.best, self.best_network = Epoch(**saved["best"]), saved["best_network"]
        self.first_weights = {name: Histogram(**histogram) for name, histogram in saved["first_weights"].items()}
        cpu, *gpu = saved["random_states"][self.machine.workers.rank]
        torch.set_rng_state(cpu)
        for state in gpu:
            torch.cuda.set_rng_state(state, self.machine.torch_device)

    def _random_state(self) -> list[Tensor]:
        """Of torch's generator on the CPU, and on the GPU where the network lies on one."""
        device = self.machine.torch_device
        return [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]

    def result(self, *, is_complete: bool) -> Training:
        """The training, its network on the CPU and holding the best epoch's tensors."""
        assert self.best is not None  # an epoch is done
        last_weights = latent_histograms(self.network)
        self.network.load_state_dict(self.best_network)
        return Training(
            network=self.network.cpu().eval(),
            best=self.best,
            history=tuple(self.history),
            first_weights=self.first_weights,
            last_weights=last_weights,
            is_complete=is_complete,
        )
