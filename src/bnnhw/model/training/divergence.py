"""Trainings that went astray: what follows numbers that are infinite, or none, is none either, or a sign of nothing."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from .distributed import Workers

__all__ = ["check_finite"]


def check_finite(
    network: nn.Module,
    optimizers: Iterable[torch.optim.Optimizer],
    loss: float,
    *,
    epoch: int,
    learning_rate: float,
    checkpoint: Path | None = None,
    workers: Workers = Workers(),  # noqa: B008 it is frozen
) -> None:
    """ValueError where an epoch's mean loss is infinite or no number, or something that its steps left: a parameter, a
    buffer, what an optimiser remembers of a parameter. It names the first of them, and the `checkpoint` that is left.

    Where one of several processes finds something, it ends them all.
    """
    found = [] if math.isfinite(loss) else [f"the loss of epoch {epoch} is {loss}"]
    if (name := _spoilt(network, optimizers)) is not None:
        found.append(f"epoch {epoch} left numbers in {name} that are not finite")
    found = next(filter(None, workers.all_of(found)), None)
    if found is None:
        return
    way_out = f"give a learning rate of less than {learning_rate:g}"
    if checkpoint is not None and checkpoint.exists():
        way_out = f"{checkpoint} keeps the epochs before; delete it and {way_out}"
    raise ValueError(f"the training diverged: {', and '.join(found)}; {way_out}")


def _spoilt(network: nn.Module, optimizers: Iterable[torch.optim.Optimizer]) -> str | None:
    """The first of the tensors with such a number. A GPU is waited for once, not for each of them."""
    names, tensors = zip(*_tensors(network, optimizers), strict=True)
    finite = torch.stack([tensor.isfinite().all().to(tensors[0].device) for tensor in tensors]).tolist()
    return next((name for name, is_finite in zip(names, finite, strict=True) if not is_finite), None)


def _tensors(network: nn.Module, optimizers: Iterable[torch.optim.Optimizer]) -> Iterator[tuple[str, Tensor]]:
    """All that a training goes on from, and what to call it."""
    names: dict[Tensor, str] = {parameter: repr(name) for name, parameter in network.named_parameters()}
    yield from ((name, parameter) for parameter, name in names.items())
    yield from ((repr(name), buffer) for name, buffer in network.named_buffers())
    for optimizer in optimizers:
        for parameter, state in optimizer.state.items():
            for what, tensor in state.items():
                if isinstance(tensor, Tensor):
                    yield f"{what!r} of {names[parameter]}", tensor
