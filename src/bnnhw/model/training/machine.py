"""What a training runs on."""

import os
from collections.abc import Mapping
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
    """

    device: str = "cpu"
    workers: Workers = field(default_factory=Workers)
    compiled: bool = False

    def __post_init__(self) -> None:
        check_device(self.device)
        if self.compiled:
            _check_compiler()

    @property
    def torch_device(self) -> torch.device:
        return torch.device("cuda", self.workers.local_rank) if self.device == "cuda" else torch.device("cpu")

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
