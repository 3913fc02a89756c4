"""The ladder's first rung: torch itself.

Tests: tests/cli/test_verify.py
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bnnhw.model import load
from bnnhw.sim.ladder.ladder import Rung

_BLOCK = 1000  # images that torch computes at a time


def torch_rung(model: Path) -> Rung:
    """The network of `model`, rebuilt in torch, in eval mode: images (N, *shape) -> float32 scores (N, classes)."""
    network = load(model)

    def answers(images: NDArray[Any]) -> NDArray[np.float32]:
        with torch.inference_mode():
            blocks = torch.as_tensor(images).float().split(_BLOCK)
            return torch.cat([network(block) for block in blocks]).numpy()

    return Rung("torch", answers)
