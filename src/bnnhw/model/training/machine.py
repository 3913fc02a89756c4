"""What a training runs on."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from sysconfig import get_path
from typing import Any

import torch

from .distributed import Workers

__all__ = ["Machine", "check_device"]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A kind of device, the processes that share the work, and whether the network is compiled for it.

    device: "cpu" or "cuda". compiled: whether `torch.compile` makes the steps' code; the first step takes minutes then.
    cuda_graphs: whether each epoch's step is recorded and replayed (`Recording`): small networks wait for the launches
    of their many kernels otherwise. The method's layers must not wait for the GPU themselves.
    """

    device: str = "cpu"
    workers: Workers = field(default_factory=Workers)
    compiled: bool = False
    cuda_graphs: bool = False

    def __post_init__(self) -> None:
        check_device(self.device)
        if self.cuda_graphs and self.device != "cuda":
            raise ValueError("cuda_graphs=True needs device='cuda'; leave it away on a CPU")
        if self.compiled:
            _check_compiler()

    @property
    def torch_device(self) -> torch.device:
        return torch.device("cuda", self.workers.local_rank) if self.device == "cuda" else torch.device("cpu")

    @property
    def name(self) -> str:
        """Of the GPU, or "cpu"."""
        return torch.cuda.get_device_name(self.torch_device) if self.device == "cuda" else "cpu"

    @property
    def checkpoint_s(self) -> float:
        """So many seconds at least lie between two checkpoints: to fetch hundreds of tensors from a GPU, one by one,
        takes longer than a short epoch."""
        return 30.0 if self.device == "cuda" else 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """How a training runs: on a GPU, in a stream of its own, for the usual one cannot be recorded, and with the
        fastest of cuDNN's convolutions instead of those that it guesses."""
        if self.device == "cpu":
            yield
            return
        before, torch.backends.cudnn.benchmark = torch.backends.cudnn.benchmark, True
        torch.cuda.synchronize()
        try:
            with torch.cuda.stream(torch.cuda.Stream(self.torch_device)):
                yield
                torch.cuda.synchronize()
        finally:
            torch.backends.cudnn.benchmark = before

    def settings(self) -> Mapping[str, Any]:
        """What decides how a training rounds, and so its outcome."""
        return {"device": self.device, "processes": self.workers.count, "compiled": self.compiled}


def check_device(device: str) -> None:
    """ValueError unless `device` is "cpu", or "cuda" where torch sees a GPU."""
    if device not in ("cpu", "cuda"):
        raise ValueError(f"device={device!r} must be 'cpu' or 'cuda'")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device='cuda' needs a GPU and a torch that sees it; take 'cpu'")


def _check_compiler() -> None:
    """ValueError where `torch.compile` lacks what it makes code with."""
    compiler = os.environ.get("CXX", "g++")
    if which(compiler) is None:
        raise ValueError(
            f"compiled=True needs a C++ compiler, and {compiler} was not found; install it (apt install g++), "
            "name another one in CXX, or leave the network as it is"
        )
    headers = Path(get_path("include")) / "Python.h"
    if not headers.exists():
        raise ValueError(
            f"compiled=True needs Python's headers, and {headers} was not found; install them "
            "(apt install python3-dev), or leave the network as it is"
        )
