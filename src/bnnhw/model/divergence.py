"""Trainings that went astray: what follows numbers that are infinite, or none, is none either, or a sign of nothing."""

import math

from torch import nn

__all__ = ["check_finite"]


def check_finite(network: nn.Module, loss: float, *, epoch: int, learning_rate: float) -> None:
    """ValueError where an epoch's mean loss or a parameter that it left is infinite or no number."""
    found = None if math.isfinite(loss) else f"the loss of epoch {epoch} is {loss}"
    for name, parameter in network.named_parameters():
        if found is None and not bool(parameter.isfinite().all()):
            found = f"epoch {epoch} left numbers in {name!r} that are not finite"
    if found is not None:
        raise ValueError(f"the training diverged: {found}; give a --learning-rate of less than {learning_rate:g}")
