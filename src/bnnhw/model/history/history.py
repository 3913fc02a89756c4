"""What a training leaves behind: a record of each epoch, and the network of the best one.

Tests: tests/model/training/test_divergence.py
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from .histograms import Histogram

__all__ = ["Epoch", "Training"]


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What one pass over the training images gave.

    Attributes
    ----------
    epoch : int
        Its number, from 1.
    loss, accuracy : float
        On the images learnt from, as they were distorted, while the weights moved.
    validation_accuracy : float
        On the images held back; equals `accuracy` where there are none.
    flip_rate : float
        The share of all binary weights whose sign is another one than an epoch before.
    flip_rates : mapping
        The same for each binary layer, by its dotted name.
    images : int
        How many were learnt from.
    seconds : float
        Validation included.
    """

    epoch: int
    loss: float
    accuracy: float
    validation_accuracy: float
    flip_rate: float
    flip_rates: Mapping[str, float]
    images: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training that has ended: the network of the best epoch, in eval mode, and the records of all epochs.

    first_weights, last_weights: the latent weights of each binary layer behind the first epoch and behind the last.
    is_complete: False where a time limit ended it before the recipe's last epoch.
    """

    network: nn.Module
    best: Epoch
    history: tuple[Epoch, ...]
    first_weights: Mapping[str, Histogram]
    last_weights: Mapping[str, Histogram]
    is_complete: bool

    @property
    def images_per_second(self) -> float:
        """How many images were learnt from in a second, validation included."""
        return sum(epoch.images for epoch in self.history) / sum(epoch.seconds for epoch in self.history)
