"""The sound things that bad input is made from: a small model, the folder of its build, an image."""

import hashlib
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bnnhw.boards.manifest import describe_build
from bnnhw.compiler import integerize, load
from bnnhw.compiler.device import get_device
from bnnhw.compiler.scheduling import schedule
from bnnhw.model.export import save
from bnnhw.model.networks import Architecture, mlp

__all__ = ["model_bytes", "write_stock"]

DIGITS = {"shape": (8, 8, 1), "lo": 0, "hi": 16, "classes": 10}


@cache
def model_bytes(*widths: int) -> bytes:
    """The model.pt of a perceptron for the digits, with random weights and hidden layers of `widths`."""
    with tempfile.TemporaryDirectory() as name, torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        network = mlp(Architecture(widths=widths), **DIGITS)
        path = Path(name) / "model.pt"
        example = np.random.default_rng(0).integers(0, 17, (2, 8, 8, 1))
        meta = {"network": "mlp", "dataset": "digits", "classes": [str(digit) for digit in range(10)]}
        save(network, path, example_input=example, input_range=(0, 16), meta=meta)
        return path.read_bytes()


def write_stock(folder: Path) -> None:
    """Writes model.pt, build/ and digit.png."""
    (folder / "model.pt").write_bytes(model_bytes(8))
    (folder / "build").mkdir()
    (folder / "build" / "manifest.json").write_text(manifest_json(folder / "model.pt"))
    (folder / "build" / "top.bit").write_bytes(b"\xff\x00bits")
    Image.fromarray(np.full((8, 8), 85, np.uint8)).save(folder / "digit.png")


def manifest_json(model: Path) -> str:
    """The manifest of a build of `model` for the default board."""
    planned = schedule(integerize(load(model)), get_device("LFE5U-85F"), target_fps=1e5)
    return describe_build(
        planned,
        classes=tuple("0123456789"),
        baud=3_000_000,
        clock_hz=100e6,
        model_sha256=hashlib.sha256(model.read_bytes()).hexdigest(),
        board="ulx3s-85f",
        seed=1,
        versions={},
    ).to_json()
