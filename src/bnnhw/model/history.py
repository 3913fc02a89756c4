"""What a training leaves behind: a record of each epoch, and the network of the best one."""

from dataclasses import dataclass

from torch import nn

__all__ = ["Epoch", "Training"]


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What one pass over the training images gave; `validation_accuracy` equals `accuracy` where none are held back."""

    epoch: int
    loss: float
    accuracy: float
    validation_accuracy: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Training:
    """A finished training: the network of the best epoch, in eval mode, and the record of all epochs."""

    network: nn.Module
    best: Epoch
    history: tuple[Epoch, ...]
