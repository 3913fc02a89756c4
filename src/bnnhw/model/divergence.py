"""Trainings that went astray: what follows numbers that are infinite, or none, is none either, or a sign of nothing."""

import math

from torch import nn

__all__ = ["check_finite"]


def check_finite(network: nn.Module, loss: float, *, epoch: int, learning_rate: float) -> None:
    """ValueError where an epoch's mean loss or a parameter that it left is infinite or no number."""
    spoilt = (name for name, parameter in network.named_parameters() if not bool(parameter.isfinite().all()))
    if not math.isfinite(loss):
        found = f"the loss of epoch {epoch} is {loss}"
    elif (name := next(spoilt, None)) is not None:
        found = f"epoch {epoch} left numbers in {name!r} that are not finite"
    else:
        return
    raise ValueError(f"the training diverged: {found}; give a --learning-rate of less than {learning_rate:g}")
