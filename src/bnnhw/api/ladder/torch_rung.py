"""The ladder's first rung: torch itself.

Tests: tests/cli/test_verify.py
"""

from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from bnnhw.compiler.ir.answers import Answers, as_answers
from bnnhw.model import load
from bnnhw.sim.ladder.ladder import Rung

_BLOCK = 1000  # images that torch computes at a time


def torch_rung(model: Path) -> Rung:
    """The network of `model`, rebuilt in torch, in eval mode: images (N, *shape) -> float32 scores (N, classes), or
    whatever its outputs are."""
    network = load(model)

    def answers(images: NDArray[Any]) -> Answers:
        with torch.inference_mode():
            given = [network(block) for block in torch.as_tensor(images).float().split(_BLOCK)]
        outputs = zip(*(each if isinstance(each, tuple) else (each,) for each in given), strict=True)
        return as_answers([torch.cat(blocks).numpy() for blocks in outputs])

    return Rung("torch", answers)
