"""Networks of the catalogue with random weights, behind batch norms that have seen images.

Tests: tests/cli/test_bench.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from bnnhw.compiler.ir.graph import Graph
from bnnhw.compiler.passes.integerize import integerize
from bnnhw.model.export.save_model import save
from bnnhw.model.networks.catalogue import architecture, build_network


def untrained(name: str, *, options: tuple[str, ...] = (), size: int = 32, classes: int = 10, **kinds: Any) -> Graph:
    """The integer graph of a network for images of so many pixels each way, a multiple of 8, in colour.

    kinds: `method` and others of `build_network`.
    """
    shape = (size, size, 3)
    with torch.random.fork_rng(devices=()), torch.no_grad(), TemporaryDirectory(prefix="bnnhw-") as folder:
        torch.manual_seed(0)
        made = build_network(architecture(name, options=options), shape=shape, lo=0, hi=255, classes=classes, **kinds)
        count, side = (16 if size == 32 else 4), size // 8  # images of each batch, and blocks of one colour
        blocks = torch.randint(0, 256, (4, count, side, side, 3)).repeat_interleave(8, 2).repeat_interleave(8, 3)
        images = (blocks + torch.randint(-40, 41, blocks.shape)).clamp(0, 255)
        for batch in images[:3]:
            made(batch.float())
        saved = save(made.eval(), Path(folder) / "model.pt", example_input=images[3].to(torch.uint8).numpy())
    return integerize(saved)
