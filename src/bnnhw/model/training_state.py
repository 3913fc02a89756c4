"""All that a training has come to: what a checkpoint holds, and what its result is made of."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .checkpoint import read_checkpoint, write_checkpoint
from .history import Epoch, Training
from .optimizers import Parts

__all__ = ["TrainingState"]


class TrainingState:
    """A network and what moves it, the records of the epochs so far, and the tensors of the best one."""

    def __init__(self, network: nn.Module, optimizer: Parts):
        self.network = network
        self.optimizer = optimizer
        self.history: list[Epoch] = []
        self.best: Epoch | None = None
        self.best_network: Mapping[str, Tensor] = {}

    def record(self, epoch: Epoch) -> None:
        """An epoch is done. The latest of those with the greatest validation accuracy is the best."""
        self.history.append(epoch)
        if self.best is None or epoch.validation_accuracy >= self.best.validation_accuracy:
            self.best = epoch
            self.best_network = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}

    def save(self, path: Path, *, settings: Mapping[str, Any]) -> None:
        """Write the checkpoint at `path`, torch's random state included."""
        assert self.best is not None  # an epoch is done
        write_checkpoint(
            path,
            settings=settings,
            network=self.network.state_dict(),
            optimizer=self.optimizer.state_dict(),
            history=[asdict(epoch) for epoch in self.history],
            best=asdict(self.best),
            best_network=self.best_network,
            random_state=torch.get_rng_state(),
        )

    def restore(self, path: Path, *, settings: Mapping[str, Any]) -> None:
        """Go on from the checkpoint at `path`; ValueError if it is damaged or was made with other settings."""
        saved = read_checkpoint(path, settings=settings)
        self.network.load_state_dict(saved["network"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.history = [Epoch(**epoch) for epoch in saved["history"]]
        self.best, self.best_network = Epoch(**saved["best"]), saved["best_network"]
        torch.set_rng_state(saved["random_state"])

    def result(self, *, is_complete: bool) -> Training:
        """The training, its network holding the best epoch's tensors."""
        assert self.best is not None  # an epoch is done
        self.network.load_state_dict(self.best_network)
        return Training(
            network=self.network.eval(), best=self.best, history=tuple(self.history), is_complete=is_complete
        )
