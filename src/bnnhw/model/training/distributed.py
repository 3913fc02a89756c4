"""Several processes that train one network, as torchrun starts them: each has its part of every batch.

All begin with the same weights, average their gradients before each step and so keep the same weights. A step of n
processes with batches of b images is that of one process with n*b images, rounding aside, but for batch norm: each
process normalises by its own part, and what eval mode normalises by is the first process's (as
`torch.nn.parallel.DistributedDataParallel` does).
"""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

__all__ = ["Workers", "join_workers"]

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Workers:
    """The processes of a training, seen from one of them; alone by default, and then everything stays as it is.

    rank: this process's number; the first, 0, writes files and speaks to people. count: how many there are. local_rank:
    its number on this computer, and that of its GPU.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def part(self, batch: Tensor) -> Tensor:
        """This process's images of those (N,) of a step; N is a multiple of `count`."""
        return batch.chunk(self.count)[self.rank]

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        if self.count > 1:
            distributed.all_reduce(values)
        return values

    def average_gradients(self, network: nn.Module) -> None:
        """Replace each gradient by its mean over all processes."""
        if self.count > 1:
            gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
            vector_to_parameters(self.sum(parameters_to_vector(gradients)) / self.count, gradients)

    def from_first(self, tensor: Tensor) -> Tensor:
        """The first process's tensor, in place."""
        if self.count > 1:
            distributed.broadcast(tensor, src=0)
        return tensor

    def share_buffers(self, network: nn.Module) -> None:
        """Give all processes the first one's buffers: running statistics, rotations."""
        for buffer in network.buffers():
            self.from_first(buffer)

    def all_of(self, value: _T) -> list[_T]:
        """What each process gives, by rank; plain data."""
        if self.count == 1:
            return [value]
        values: list[_T] = [value] * self.count
        distributed.all_gather_object(values, value)
        return values


@contextmanager
def join_workers(*, device: str) -> Iterator[Workers]:
    """The processes that torchrun started, as its environment variables say, until the context ends; else one alone.

    They speak NCCL where `device` is "cuda", else Gloo.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Workers()
        return
    local_rank = int(os.environ["LOCAL_RANK"])
    if device == "cuda":
        torch.cuda.set_device(local_rank)
    # Its functions' default arguments keep the process group that exists when it is first imported (as torch.optim does
    # by and by), and the threads of a group that is kept may abort the process when it ends.
    importlib.import_module("torch.distributed.nn.functional")
    distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield Workers(rank=distributed.get_rank(), count=count, local_rank=local_rank)
    finally:
        distributed.destroy_process_group()
