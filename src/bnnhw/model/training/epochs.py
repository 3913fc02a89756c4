"""What methods do between epochs: gradients that grow steeper, rotations that are learnt anew."""

from typing import Protocol, runtime_checkable

from torch import nn

__all__ = ["on_epoch"]


@runtime_checkable
class _Changing(Protocol):
    def on_epoch(self, progress: float) -> None: ...


def on_epoch(network: nn.Module, progress: float) -> None:
    """Tell every module that has a method `on_epoch` what fraction of the epochs is done, from 0 to 1.

    A training loop calls this before each epoch. What follows from `progress` alone is not saved; what is learnt then
    lies in buffers, so that checkpoints carry it.
    """
    if not 0 <= progress <= 1:
        raise ValueError(f"progress={progress} must lie between 0 and 1")
    for module in network.modules():
        if isinstance(module, _Changing):
            module.on_epoch(progress)
