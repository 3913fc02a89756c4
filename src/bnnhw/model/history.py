"""What a training leaves behind: a record of each epoch, and the network of the best one."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

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

    is_complete: False where a time limit ended it before the recipe's last epoch.
    """

    network: nn.Module
    best: Epoch
    history: tuple[Epoch, ...]
    is_complete: bool
